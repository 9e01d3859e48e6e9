//! What is in the account, counted, so that twins and orphans show.

use std::collections::BTreeMap;

use anyhow::Result;
use provision::aws::Owner;
use provision::guard::Access;

use crate::Cloud;
use crate::world::Kind;

/// How many things of each kind there are.
pub type Census = BTreeMap<&'static str, usize>;

/// Counts everything that a deploy can make.
///
/// # Errors
/// When something cannot be listed.
pub async fn census(cloud: &Cloud) -> Result<Census> {
    let owner = Owner { app: "census".to_owned(), environment: "census".to_owned() };
    let aws = cloud.aws(owner, Access::ReadOnly);
    let mut census = cloud.world(|world| {
        let now = world.now;
        let roles = world.roles.keys().filter(|name| !name.starts_with("AWSServiceRole")).count();
        BTreeMap::from([
            ("security groups", world.security_groups.all.len()),
            ("security group rules", world.security_groups.all.values().map(|group| group.rules.len()).sum()),
            ("load balancers", world.load_balancing.all(Kind::LoadBalancer).count()),
            ("target groups", world.load_balancing.all(Kind::TargetGroup).count()),
            ("listeners", world.load_balancing.all(Kind::Listener).count()),
            ("rules", world.load_balancing.all(Kind::Rule).count()),
            ("mount targets", world.mount_targets.values().filter(|it| it.gone.is_none_or(|gone| gone > now)).count()),
            ("network interfaces", world.interfaces.there(now).count()),
            ("active services", world.services.all_active(now).count()),
            ("roles", roles),
            ("records", world.dns.records().count()),
            ("certificates", world.certificates.all().count()),
            ("alarms", world.monitoring.alarms.len()),
            ("dashboards", world.monitoring.dashboards.len()),
            ("subscriptions", world.subscriptions.count()),
            ("flow logs", world.flow_logs.all.len()),
            ("firewalls", world.firewalls.count()),
            ("endpoints", world.endpoints.there(now).count()),
            ("task definitions", world.task_definitions.all_active().count()),
        ])
    });
    let vpcs = aws.ec2.describe_vpcs().send().await?;
    let subnets = aws.ec2.describe_subnets().send().await?;
    let gateways = aws.ec2.describe_internet_gateways().send().await?;
    let tables = aws.ec2.describe_route_tables().send().await?;
    let file_systems = aws.efs.describe_file_systems().send().await?;
    let access_points = aws.efs.describe_access_points().send().await?;
    let repositories = aws.ecr.describe_repositories().send().await?;
    let log_groups = aws.logs.describe_log_groups().send().await?;
    let secrets = aws.secrets.list_secrets().send().await?;
    let clusters = aws.ecs.list_clusters().send().await?;
    let clusters = aws.ecs.describe_clusters().set_clusters(clusters.cluster_arns).send().await?;
    // A deleted one stays visible for a while.
    let clusters = clusters.clusters().iter().filter(|cluster| cluster.status() == Some("ACTIVE")).count();
    let addresses = aws.ec2.describe_addresses().send().await?;
    let nat_gateways = aws.ec2.describe_nat_gateways().send().await?;
    // So does one of these.
    let nat_gateways =
        nat_gateways.nat_gateways().iter().filter(|it| it.state().is_none_or(|it| it.as_str() != "deleted"));
    let scaled = aws.autoscaling.describe_scalable_targets().service_namespace("ecs".into()).send().await?;
    let policies = aws.autoscaling.describe_scaling_policies().service_namespace("ecs".into()).send().await?;
    let topics = aws.sns.list_topics().send().await?;
    census.extend([
        ("networks", vpcs.vpcs().len()),
        ("subnets", subnets.subnets().len()),
        ("internet gateways", gateways.internet_gateways().len()),
        ("route tables", tables.route_tables().len()),
        ("file systems", file_systems.file_systems().len()),
        ("access points", access_points.access_points().len()),
        ("repositories", repositories.repositories().len()),
        ("log groups", log_groups.log_groups().len()),
        ("secrets", secrets.secret_list().len()),
        ("clusters", clusters),
        ("addresses", addresses.addresses().len()),
        ("NAT gateways", nat_gateways.count()),
        ("scalable targets", scaled.scalable_targets().len()),
        ("scaling policies", policies.scaling_policies().len()),
        ("topics", topics.topics().len()),
    ]);
    Ok(census)
}
