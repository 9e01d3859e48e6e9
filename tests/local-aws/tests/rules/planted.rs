//! Bugs of each class that a tool like this can have, planted on purpose: the simulation catches each of them, and lets
//! the same work pass when it is done right.

use aws_sdk_ec2::types::{Filter, IpPermission, ResourceType, Tag, TagSpecification, UserIdGroupPair};
use local_aws::census::census;
use local_aws::faults::{Fault, Faults};

use crate::account::{Account, seconds};
use crate::harness::said;

/// How a piece of work is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Right,
    Wrong,
}

/// The answer to the next call that the account takes is lost.
fn lose_the_next_answer(it: &Account) {
    let number = u64::try_from(it.cloud.calls().len()).unwrap();
    it.cloud.set_faults(Faults::at(number + 1, Fault::AnswerLost));
}

async fn find_network(it: &Account) -> Option<String> {
    let ours = Filter::builder().name("tag:ours").values("yes").build();
    let found = it.aws.ec2.describe_vpcs().filters(ours).send().await.unwrap();
    found.vpcs().first().and_then(|vpc| vpc.vpc_id.clone())
}

async fn create_network(it: &Account, tagged: bool) -> bool {
    let tag = Tag::builder().key("ours").value("yes").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Vpc).tags(tag).build();
    let request = it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16");
    let request = if tagged { request.tag_specifications(tags) } else { request };
    request.send().await.is_ok()
}

async fn networks(it: &Account) -> usize {
    census(&it.cloud).await.unwrap()["networks"]
}

#[tokio::test(start_paused = true)]
async fn a_creation_without_a_look_makes_a_twin_that_the_census_shows() {
    for (work, expected) in [(Work::Right, 1), (Work::Wrong, 2)] {
        let it = Account::lenient();
        let before = networks(&it).await;
        lose_the_next_answer(&it);
        if !create_network(&it, true).await {
            seconds(5).await;
            let found = if work == Work::Right { find_network(&it).await } else { None };
            if found.is_none() {
                create_network(&it, true).await;
            }
        }
        seconds(5).await;
        assert_eq!(networks(&it).await - before, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_tag_hides_what_was_made_and_the_next_run_makes_it_again() {
    for (work, expected) in [(Work::Right, 1), (Work::Wrong, 2)] {
        let it = Account::lenient();
        let before = networks(&it).await;
        for _run in 0..2 {
            if find_network(&it).await.is_none() {
                assert!(create_network(&it, work == Work::Right).await);
            }
            seconds(5).await;
        }
        assert_eq!(networks(&it).await - before, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_wait_is_refused() {
    for (work, expected) in [(Work::Right, None), (Work::Wrong, Some("IncorrectFileSystemLifeCycleState"))] {
        let it = Account::lenient();
        let (_, [subnet, ..]) = it.network().await;
        let made = it.aws.efs.create_file_system().creation_token("t").send().await.unwrap();
        if work == Work::Right {
            seconds(20).await;
        }
        let request = it.aws.efs.create_mount_target().file_system_id(made.file_system_id).subnet_id(subnet);
        assert_eq!(said(request.send().await).map(|(code, _)| code).as_deref(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_order_of_deletions_is_refused() {
    for (work, expected) in [(Work::Right, None), (Work::Wrong, Some("DependencyViolation"))] {
        let it = Account::lenient();
        let vpc = it.vpc().await;
        let mut groups = Vec::new();
        for name in ["named", "naming"] {
            let request = it.aws.ec2.create_security_group().vpc_id(&vpc).group_name(name).description("d");
            groups.push(request.send().await.unwrap().group_id.unwrap());
            seconds(2).await;
        }
        let pair = UserIdGroupPair::builder().group_id(&groups[0]).build();
        let rule = IpPermission::builder().ip_protocol("tcp").from_port(1).to_port(1).user_id_group_pairs(pair);
        let request = it.aws.ec2.authorize_security_group_ingress().group_id(&groups[1]);
        request.ip_permissions(rule.build()).send().await.unwrap();
        if work == Work::Right {
            groups.reverse();
        }
        let mut refused = None;
        for group in groups {
            refused = refused.or(said(it.aws.ec2.delete_security_group().group_id(group).send().await));
        }
        assert_eq!(refused.map(|(code, _)| code).as_deref(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_simply_sent_again_is_there_twice() {
    for (work, expected) in [(Work::Right, 1), (Work::Wrong, 2)] {
        let it = Account::lenient();
        let task = it.task().await;
        let revisions = async || {
            let listed = it.aws.ecs.list_task_definitions().family_prefix("f").send().await.unwrap();
            listed.task_definition_arns().len()
        };
        lose_the_next_answer(&it);
        let lost = task.clone().send().await.is_err();
        assert!(lost);
        if work == Work::Wrong || revisions().await == 0 {
            task.send().await.unwrap();
        }
        assert_eq!(revisions().await, expected);
    }
}
