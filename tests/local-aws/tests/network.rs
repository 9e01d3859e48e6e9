//! The network on a living stack: private subnets with NAT, fewer zones, and replaced target groups.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::collections::BTreeSet;

use aws_sdk_ec2::types::NatGatewayState;
use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ProtocolEnum, Tag, TargetTypeEnum};
use local_aws::checks::{changes, converges, deployed, hands, leaves_nothing};
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
async fn tasks_move_into_private_subnets_and_back() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.network.nat_gateways = 1;
    converges(&runs).await.unwrap();
    assert_eq!(nats(&runs).await, (1, 1));
    assert_eq!(tasks_are(&runs).await, (set(&["private-1", "private-2"]), false));
    runs.deployment.network.nat_gateways = 2;
    converges(&runs).await.unwrap();
    assert_eq!(nats(&runs).await, (2, 2));
    runs.deployment.network.nat_gateways = 0;
    converges(&runs).await.unwrap();
    assert_eq!(nats(&runs).await, (0, 0));
    assert_eq!(tasks_are(&runs).await, (set(&["public-1", "public-2"]), true));
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stack_with_private_subnets_is_made_and_removed_as_a_whole() {
    let mut runs = Runs::on(local_aws::Cloud::default()).await.unwrap();
    runs.deployment.network.nat_gateways = 1;
    converges(&runs).await.unwrap();
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
