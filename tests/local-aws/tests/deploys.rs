//! Whole runs of `provision` against the strict simulation, in virtual time.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, RrType};
use local_aws::Cloud;
use local_aws::call::Call;
use local_aws::checks::hands;
use local_aws::faults::Fault;
use local_aws::matrix::{Case, Scene, harden, play, undisturbed};
use local_aws::runs::{Runs, ZONE};
use provision::context::Look;
use provision::plan::Goal;
use tokio::time::Instant;

async fn deployed() -> Runs {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    runs.deploy().await.unwrap();
    runs
}

fn writes(calls: &[Call]) -> Vec<&str> {
    calls.iter().filter(|call| !call.reads()).map(|call| call.operation.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_deploy_to_an_empty_account_is_complete_and_the_next_one_changes_nothing() {
    let runs = deployed().await;
    let next = runs.plan(Goal::Present).await.unwrap();
    assert!(next.is_empty(), "{next}");
    let before = runs.cloud.calls().len();
    runs.deploy().await.unwrap();
    assert_eq!(writes(&runs.cloud.calls()[before..]), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn destroy_leaves_nothing_and_the_same_names_can_be_used_again() {
    let runs = deployed().await;
    runs.destroy().await.unwrap();
    let left = runs.plan(Goal::Absent { delete_data: true }).await.unwrap();
    assert!(left.is_empty(), "{left}");
    assert_eq!(runs.cloud.world(|world| world.interfaces.there(world.now).count()), 0);
    runs.deploy().await.unwrap();
}

/// Nobody looks into an account for what a run has overlooked because an answer was old: not after a destroy, and not for
/// what the last run knew to be gone.
#[tokio::test(start_paused = true)]
async fn what_should_be_gone_and_did_not_show_is_looked_for_again() {
    let of_a_destroy = &["DescribeAlarms", "DescribeClusters", "DescribeTargetGroups", "GetTopicAttributes"][..];
    // Those that are asked while something is removed, too: the records of a certificate are found by nothing else.
    let of_options = &["ListCertificates", "ListResourceRecordSets", "DescribeFlowLogs"][..];
    for (scene, questions, until) in [(Scene::Destroy, of_a_destroy, 80), (Scene::Soften, of_options, u64::MAX)] {
        let calm = undisturbed(scene).await.unwrap();
        let of_these = |case: &Case| {
            let call = &calm.calls[usize::try_from(case.call).unwrap() - 1];
            case.call < until && case.fault == Fault::Stale && questions.contains(&call.operation.as_str())
        };
        let cases: Vec<_> = calm.cases().filter(of_these).collect();
        assert!(cases.len() >= questions.len(), "{cases:?}");
        for case in cases {
            play(case, &calm).await.unwrap_or_else(|error| panic!("{case}: {error:#}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_holds_data_is_kept_and_taken_up_again() {
    let runs = deployed().await;
    let report = runs.run(Goal::Absent { delete_data: false }).await.unwrap();
    assert!(report.outcome.is_complete(), "{:?}", report.failures());
    let before = runs.cloud.calls().len();
    runs.deploy().await.unwrap();
    let again = runs.cloud.calls()[before..].to_vec();
    for kept in ["CreateFileSystem", "CreateSecret", "CreateRepository", "PutImage"] {
        assert!(!writes(&again).contains(&kept), "{kept} was called although it was kept");
    }
}

/// Plans as `provision plan` does where nothing is to be done: in two rounds, and with so many calls at most.
async fn plans_quickly(runs: &mut Runs, fewer_than: usize) {
    runs.look = Look::Believing;
    let before = runs.cloud.calls().len();
    let began = Instant::now();
    let planned = runs.prepare(Goal::Present).await.unwrap();
    let calls = runs.cloud.calls().split_off(before);
    assert!(planned.plan.is_empty(), "{}", planned.plan);
    let list = || calls.iter().map(|call| format!("{:?} {} {}\n", call.at, call.service, call.operation));
    // Every call takes the same time here, so the time tells how many came one after another.
    assert!(began.elapsed() <= 2 * local_aws::LATENCY, "{:?}:\n{}", began.elapsed(), list().collect::<String>());
    assert!(calls.len() < fewer_than, "{} calls:\n{}", calls.len(), list().collect::<String>());
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_changes_needs_two_rounds_and_fewer_than_forty_calls() {
    plans_quickly(&mut deployed().await, 40).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_changes_needs_two_rounds_whatever_is_switched_on() {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    harden(&mut runs);
    runs.deployment.encryption.disk_and_images = true;
    runs.answer_to_a_name();
    runs.deploy().await.unwrap();
    plans_quickly(&mut runs, 60).await;
    // What is believed of a certificate is whose it is, not that it can be renewed.
    let route53 = hands(&runs).route53;
    let records = route53.list_resource_record_sets().hosted_zone_id(ZONE).send().await.unwrap().resource_record_sets;
    let proof = records.into_iter().find(|it| it.r#type == RrType::Cname).unwrap();
    let removal = Change::builder().action(ChangeAction::Delete).resource_record_set(proof).build().unwrap();
    let batch = ChangeBatch::builder().changes(removal).build().unwrap();
    route53.change_resource_record_sets().hosted_zone_id(ZONE).change_batch(batch).send().await.unwrap();
    let plan = runs.plan(Goal::Present).await.unwrap().to_string();
    assert!(plan.contains("proof: missing -> published"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_image_fails_with_its_reason_and_what_ran_before_runs_again() {
    let mut runs = deployed().await;
    let good = runs.digest();
    runs.new_image("a program that ends at once").unwrap();
    let bad = runs.digest();
    runs.cloud.world(|world| world.broken_images.insert(bad));
    let report = runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    for part in ["circuit breaker", "Essential container in task exited", "exit code 1", "what runs now"] {
        assert!(failures.contains(part), "{part:?} is missing from:\n{failures}");
    }
    let running = runs.cloud.world(|world| {
        let now = world.now;
        let service = world
            .services
            .get("weather-comment-generator-staging-service", now)
            .map(|it| it.task_definition().to_owned());
        world
            .task_definitions
            .get(&service.unwrap_or_default())
            .map(|it| it["containerDefinitions"][0]["image"].to_string())
    });
    assert!(running.clone().unwrap_or_default().contains(&good), "{running:?} runs, not {good}");
}
