//! Tags that somebody takes off: what the last run knew by its identifier stays ours, and gets them back.

use aws_sdk_ec2::types::Tag;
use local_aws::checks::leaves_nothing;
use provision::aws::{TAG_APP, TAG_RESOURCE};
use provision::plan::Goal;

use crate::account::Account;
use crate::case::{Case, repaired};

async fn take_off(account: &Account, id: &str, key: &str) {
    account.aws.ec2.delete_tags().resources(id).tags(Tag::builder().key(key).build()).send().await.unwrap();
}

pub(crate) const NETWORK: &[Case] = &[
    Case::new(&["~ network tagged"], |it| Box::pin(async move { take_off(it, &it.vpc().await, TAG_APP).await })),
    Case::new(&["~ public-1 tagged"], |it| {
        Box::pin(async move { take_off(it, &it.subnet("public-1").await, TAG_APP).await })
    }),
    Case::new(&["~ routes tagged"], |it| {
        Box::pin(async move {
            let table = it.route_table("routes").await;
            take_off(it, table.route_table_id().unwrap(), TAG_APP).await;
        })
    }),
    Case::new(&["~ service-group tagged"], |it| {
        Box::pin(async move { take_off(it, &it.group("service-group").await, TAG_APP).await })
    }),
    // With the name of another thing of ours it is not another one.
    Case::new(&["~ cache-group tagged"], |it| {
        Box::pin(async move {
            let tag = Tag::builder().key(TAG_RESOURCE).value("service-group").build();
            let group = it.group("cache-group").await;
            it.aws.ec2.create_tags().resources(group).tags(tag).send().await.unwrap();
        })
    }),
];

pub(crate) const BEHIND_NAT: &[Case] = &[
    Case::new(&["~ nat-address-1 tagged"], |it| {
        Box::pin(async move { take_off(it, &it.address().await, TAG_APP).await })
    }),
    Case::new(&["~ nat-1 tagged"], |it| Box::pin(async move { take_off(it, &it.nat().await, TAG_APP).await })),
    Case::new(&["~ private-1 tagged"], |it| {
        Box::pin(async move { take_off(it, &it.subnet("private-1").await, TAG_APP).await })
    }),
];

pub(crate) const OPTIONS: &[Case] = &[
    Case::new(&["~ flow-log tagged"], |it| {
        Box::pin(async move {
            let found = it.aws.ec2.describe_flow_logs().send().await.unwrap();
            take_off(it, found.flow_logs()[0].flow_log_id().unwrap(), TAG_APP).await;
        })
    }),
    Case::new(&["~ logs-endpoint tagged"], |it| {
        Box::pin(async move {
            let found = it.aws.ec2.describe_vpc_endpoints().send().await.unwrap();
            let logs = |name: &str| name.ends_with(".logs");
            let endpoint = found.vpc_endpoints().iter().find(|it| it.service_name().is_some_and(logs)).unwrap();
            take_off(it, endpoint.vpc_endpoint_id().unwrap(), TAG_APP).await;
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn options_get_their_tags_back() {
    let account = Account::with(|runs| {
        runs.deployment.network.nat_gateways = 1;
        runs.deployment.network.endpoints = true;
        runs.deployment.network.flow_logs = true;
    });
    repaired(&account.await, OPTIONS).await;
}

#[tokio::test(start_paused = true)]
async fn things_of_the_network_get_their_tags_back() {
    repaired(&Account::deployed().await, NETWORK).await;
}

#[tokio::test(start_paused = true)]
async fn things_behind_nat_get_their_tags_back() {
    repaired(&Account::with_nat().await, BEHIND_NAT).await;
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_tags_is_removed_with_everything_else() {
    let account = Account::with_nat().await;
    let gateway = account.gateway().await;
    for id in [account.vpc().await, account.subnet("private-1").await, account.nat().await, gateway] {
        take_off(&account, &id, TAG_APP).await;
    }
    account.minutes(2).await;
    leaves_nothing(&account.runs, &[]).await.unwrap();
}

/// Nobody but the last run says that a thing is ours, so where nothing is remembered it is somebody else's.
#[tokio::test(start_paused = true)]
async fn without_a_history_things_without_tags_are_not_ours() {
    let account = Account::deployed().await;
    let group = account.group("service-group").await;
    take_off(&account, &group, TAG_APP).await;
    let log = "/weather-comment-generator/staging/deployments";
    account.aws.logs.delete_log_group().log_group_name(log).send().await.unwrap();
    account.minutes(2).await;
    let plan = account.runs.plan(Goal::Present).await.unwrap().to_string();
    assert!(plan.contains("+ security group") && plan.contains("service-group"), "{plan}");
}
