//! The network on a living stack: private subnets with NAT, fewer zones, replaced target groups, and drift of them.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::collections::BTreeSet;

use aws_sdk_ec2::types::NatGatewayState;
use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ProtocolEnum, Tag, TargetTypeEnum};
use local_aws::checks::{changes, converges, deployed, hands, leaves_nothing, repaired};
use local_aws::runs::Runs;
use local_aws::world::Kind;
use provision::guard::Access;

/// NAT gateways that work, and addresses.
async fn nats(runs: &Runs) -> (usize, usize) {
    let ec2 = hands(runs).ec2;
    let gateways = ec2.describe_nat_gateways().send().await.unwrap();
    let alive = gateways.nat_gateways().iter().filter(|it| it.state() == Some(&NatGatewayState::Available));
    (alive.count(), ec2.describe_addresses().send().await.unwrap().addresses().len())
}

/// In how many subnets the service runs, and whether its tasks have public addresses.
async fn tasks_are(runs: &Runs) -> (BTreeSet<String>, bool) {
    let request = hands(runs).ecs.describe_services().cluster("weather-comment-generator-staging-cluster");
    let answer = request.services("weather-comment-generator-staging-service").send().await.unwrap();
    let network = answer.services()[0].network_configuration().unwrap().awsvpc_configuration().unwrap();
    let public = network.assign_public_ip().is_some_and(|it| it.as_str() == "ENABLED");
    let ec2 = hands(runs).ec2.describe_subnets().set_subnet_ids(Some(network.subnets().to_vec()));
    let subnets = ec2.send().await.unwrap();
    let names = subnets.subnets().iter().flat_map(|it| it.tags()).filter(|tag| tag.key() == Some("provision:resource"));
    (names.filter_map(|tag| tag.value.clone()).collect(), public)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn private_subnets_can_be_taken_up_widened_and_given_up_on_a_living_stack() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.network.nat_gateways = 1;
    let plan = changes(&runs).await.unwrap();
    for new in ["+ nat-address-1", "+ nat-1", "+ private-1", "+ private-2", "+ private-routes-1"] {
        assert!(plan.iter().any(|line| line == new), "{new} is missing from {plan:?}");
    }
    assert_eq!(plan.len(), 6, "{plan:?}");
    converges(&runs).await.unwrap();
    assert_eq!(nats(&runs).await, (1, 1));
    assert_eq!(tasks_are(&runs).await, (set(&["private-1", "private-2"]), false));
    runs.deployment.network.nat_gateways = 2;
    converges(&runs).await.unwrap();
    assert_eq!(nats(&runs).await, (2, 2));
    runs.deployment.network.nat_gateways = 0;
    let plan = changes(&runs).await.unwrap();
    assert!(plan.contains(&"~ service subnets assign_public_ip".to_owned()), "{plan:?}");
    assert_eq!(plan.iter().filter(|line| line.starts_with('-')).count(), 8, "{plan:?}");
    converges(&runs).await.unwrap();
    assert_eq!(nats(&runs).await, (0, 0));
    assert_eq!(tasks_are(&runs).await, (set(&["public-1", "public-2"]), true));
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stack_with_private_subnets_is_made_repaired_and_removed_as_a_whole() {
    let mut runs = Runs::on(local_aws::Cloud::default()).await.unwrap();
    runs.deployment.network.nat_gateways = 1;
    converges(&runs).await.unwrap();
    let ec2 = hands(&runs).ec2;
    let gateways = ec2.describe_nat_gateways().send().await.unwrap();
    let nat = gateways.nat_gateways()[0].nat_gateway_id().unwrap();
    let tables = ec2.describe_route_tables().send().await.unwrap();
    let is_private =
        |it: &&aws_sdk_ec2::types::RouteTable| it.tags().iter().any(|tag| tag.value() == Some("private-routes-1"));
    let table = tables.route_tables().iter().find(is_private).unwrap();
    let id = table.route_table_id().unwrap();
    ec2.delete_route().route_table_id(id).destination_cidr_block("0.0.0.0/0").send().await.unwrap();
    repaired(&runs, &["~ private-routes-1 default_gateway"]).await.unwrap();
    let associations = table.associations().iter().filter(|it| it.main() != Some(true));
    let association = associations.filter_map(|it| it.route_table_association_id()).next().unwrap();
    ec2.disassociate_route_table().association_id(association).send().await.unwrap();
    repaired(&runs, &["~ private-routes-1 subnets"]).await.unwrap();
    ec2.delete_nat_gateway().nat_gateway_id(nat).send().await.unwrap();
    repaired(&runs, &["+ nat-1", "? private-routes-1"]).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
    assert_eq!(nats(&runs).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_half_switched_off_goes_with_the_rest() {
    let mut runs = Runs::on(local_aws::Cloud::default()).await.unwrap();
    runs.deployment.network.nat_gateways = 2;
    runs.deploy().await.unwrap();
    // Nobody deployed this, so all that is retired is still in use.
    runs.deployment.network.nat_gateways = 0;
    leaves_nothing(&runs, &[]).await.unwrap();
    assert_eq!(nats(&runs).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_zone_more_and_a_zone_less() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.network.zones = 3;
    converges(&runs).await.unwrap();
    assert_eq!(tasks_are(&runs).await.0, set(&["public-1", "public-2", "public-3"]));
    runs.deployment.network.zones = 2;
    let plan = changes(&runs).await.unwrap();
    assert!(plan.contains(&"- public-3".to_owned()) && plan.contains(&"- cache-mount-3".to_owned()), "{plan:?}");
    converges(&runs).await.unwrap();
    assert_eq!(hands(&runs).ec2.describe_subnets().send().await.unwrap().subnets().len(), 2);
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_target_group_of_another_port_is_replaced_and_nothing_of_it_stays() {
    let runs = deployed().await.unwrap();
    let groups = |runs: &Runs| {
        runs.cloud.world(|world| {
            let all = world.load_balancing.all(Kind::TargetGroup);
            all.map(|(arn, it)| (it.field("Name").to_owned(), arn.clone())).collect::<Vec<_>>()
        })
    };
    let described = groups(&runs);
    let (name, arn) = described.iter().find(|(name, _)| name.contains("-page-")).unwrap().clone();
    // What an older version of the tool, with another port, would have left: the same but for the hash of the name.
    let old_name = format!("{}zzzzzz", &name[..name.len() - 6]);
    let aws = runs.cloud.aws(runs.owner(), Access::ReadWrite);
    let vpc = runs.cloud.world(|world| world.load_balancing.get(&arn).unwrap().field("VpcId").to_owned());
    let tags = aws.owner.tags("page-targets").into_iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
    let request = aws.elb.create_target_group().name(&old_name).vpc_id(vpc).port(8080).protocol(ProtocolEnum::Http);
    let made = request.target_type(TargetTypeEnum::Ip).set_tags(Some(tags.collect())).send().await.unwrap();
    let old = made.target_groups()[0].target_group_arn().unwrap().to_owned();
    let https = runs.cloud.world(|world| {
        let mut listeners = world.load_balancing.all(Kind::Listener);
        listeners.find(|(_, it)| it.field("Port") == "443").unwrap().0.clone()
    });
    let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(&old).build();
    aws.elb.modify_listener().listener_arn(https).default_actions(forward).send().await.unwrap();
    aws.elb.delete_target_group().target_group_arn(&arn).send().await.unwrap();
    // That version left no word of what this one looks for.
    let logs = aws.logs.describe_log_groups().send().await.unwrap();
    let record = logs.log_groups().iter().filter_map(|it| it.log_group_name()).find(|it| it.contains("deployments"));
    aws.logs.delete_log_group().log_group_name(record.unwrap()).send().await.unwrap();
    let plan = changes(&runs).await.unwrap();
    assert!(plan[0] == "+ page-targets" && plan.last().unwrap().starts_with("- all-but-"), "{plan:?}");
    converges(&runs).await.unwrap();
    let now: BTreeSet<_> = groups(&runs).into_iter().map(|(name, _)| name).collect();
    assert_eq!(now, described.into_iter().map(|(name, _)| name).collect());
    leaves_nothing(&runs, &[]).await.unwrap();
}
