//! What makes a stack harder and costs money: off by default, on and off on a living stack, and repaired.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::time::Duration;

use aws_sdk_ec2::types::{FlowLogsResourceType, ResourceType, Tag, TagSpecification, TrafficType};
use local_aws::Cloud;
use local_aws::checks::{converges, deployed, hands, leaves_nothing, repaired};
use local_aws::runs::Runs;
use provision::cost::difference;
use provision::guard::Access;
use provision::our_stack::OurStack;
use provision::plan::Goal;

/// An account to which a stack was deployed with an option from the beginning; nothing is left to do then.
async fn begun_with(option: impl FnOnce(&mut Runs)) -> Runs {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    option(&mut runs);
    converges(&runs).await.unwrap();
    runs
}

/// What a deploy would add to the bill of a month.
async fn price(runs: &Runs) -> f64 {
    let ours = OurStack::new(&runs.deployment, runs.image.clone());
    let planned = runs.prepare(Goal::Present).await.unwrap();
    let difference = difference(&runs.deployment, &ours.stack, &planned.world, &planned.plan).unwrap();
    difference.then_usd - difference.now_usd
}

/// The names of the log groups that begin like this.
async fn log_groups(runs: &Runs, prefix: &str) -> Vec<String> {
    let answer = hands(runs).logs.describe_log_groups().log_group_name_prefix(prefix).send().await.unwrap();
    answer.log_groups().iter().filter_map(|it| it.log_group_name.clone()).collect()
}

const FLOW_LOGS: &str = "/weather-comment-generator/staging/flow-logs";

#[tokio::test(start_paused = true)]
async fn a_stack_with_a_flow_log_is_made_and_removed_as_a_whole() {
    let runs = begun_with(|runs| runs.deployment.network.flow_logs = true).await;
    assert_eq!(log_groups(&runs, FLOW_LOGS).await, [FLOW_LOGS]);
    let logs = hands(&runs).logs.describe_log_groups().log_group_name_prefix(FLOW_LOGS).send().await.unwrap();
    assert_eq!(logs.log_groups()[0].retention_in_days(), Some(runs.deployment.logs.retention_days));
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flow_log_can_be_taken_up_and_given_up_on_a_living_stack() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.network.flow_logs = true;
    assert!(price(&runs).await > 1.0);
    repaired(&runs, &["+ flow-log-group", "+ flow-log-role", "+ flow-log"]).await.unwrap();
    runs.deployment.network.flow_logs = false;
    assert!(price(&runs).await < -1.0);
    // It goes before what it writes into and writes with.
    repaired(&runs, &["- flow-log", "- flow-log-role", "- flow-log-group"]).await.unwrap();
    assert!(log_groups(&runs, FLOW_LOGS).await.is_empty());
    // EC2 remembers the token of the one that is gone.
    runs.deployment.network.flow_logs = true;
    converges(&runs).await.unwrap();
    runs.deployment.network.flow_logs = false;
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flow_log_that_was_deleted_or_replaced_comes_back() {
    let runs = begun_with(|runs| runs.deployment.network.flow_logs = true).await;
    let ec2 = hands(&runs).ec2;
    let found = ec2.describe_flow_logs().send().await.unwrap().flow_logs.unwrap().remove(0);
    assert_eq!(found.max_aggregation_interval, Some(600));
    ec2.delete_flow_logs().set_flow_log_ids(found.flow_log_id.map(|id| vec![id])).send().await.unwrap();
    repaired(&runs, &["+ flow-log"]).await.unwrap();

    let found = ec2.describe_flow_logs().send().await.unwrap().flow_logs.unwrap().remove(0);
    ec2.delete_flow_logs().set_flow_log_ids(found.flow_log_id.map(|id| vec![id])).send().await.unwrap();
    let ours = runs.cloud.aws(runs.owner(), Access::ReadWrite).owner.tags("flow-log").into_iter();
    let tags = ours.map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = TagSpecification::builder().resource_type(ResourceType::VpcFlowLog).set_tags(Some(tags.collect()));
    let request = ec2.create_flow_logs().resource_type(FlowLogsResourceType::Vpc).traffic_type(TrafficType::Reject);
    let request = request.set_resource_ids(found.resource_id.map(|id| vec![id])).max_aggregation_interval(60);
    let request = request.set_deliver_logs_permission_arn(found.deliver_logs_permission_arn);
    request.set_log_group_name(found.log_group_name).tag_specifications(tags.build()).send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    repaired(&runs, &["~ flow-log traffic aggregation_seconds"]).await.unwrap();
    hands(&runs).logs.put_retention_policy().log_group_name(FLOW_LOGS).retention_in_days(1).send().await.unwrap();
    repaired(&runs, &["~ flow-log-group retention_days"]).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}
