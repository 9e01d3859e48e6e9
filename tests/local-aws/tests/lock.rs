//! One run at a time: the lock, its dead holders, and what is remembered of runs.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::time::Duration;

use local_aws::Cloud;
use local_aws::census::census;
use local_aws::commands::piped;
use local_aws::faults::{Fault, Faults};
use local_aws::runs::Runs;
use provision::context::Context;
use provision::guard::Access;
use provision::plan::Goal;
use provision::record::{Outcome, Run};
use tokio::time::{Instant, sleep};

const DESTROY: Goal = Goal::Absent { delete_data: true };

async fn deployed() -> Runs {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    runs.deploy().await.unwrap();
    runs
}

/// The same deployment, run by somebody else.
async fn colleague(runs: &Runs) -> Runs {
    let mut other = Runs::on(runs.cloud.clone()).await.unwrap();
    other.deployment = runs.deployment.clone();
    other.who = "colleague".to_owned();
    other
}

fn context(runs: &Runs) -> Context {
    Context::silent(runs.cloud.aws(runs.owner(), Access::ReadWrite))
}

#[tokio::test(start_paused = true)]
async fn of_two_deploys_at_once_one_wins_and_the_other_says_who_holds_the_lock() {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    let mut other = colleague(&runs).await;
    other.image = runs.image.clone();
    let (mine, theirs) = tokio::join!(runs.deploy(), other.deploy());
    let (winner, loser) = if mine.is_ok() { (mine, theirs) } else { (theirs, mine) };
    winner.unwrap();
    let told = format!("{:#}", loser.unwrap_err());
    assert!(told.contains("is at work on this environment and alive; nothing was changed"), "{told}");
    assert!(told.contains("somebody") || told.contains("colleague"), "{told}");
    assert!(runs.plan(Goal::Present).await.unwrap().is_empty());
    assert!(runs.holder().await.unwrap().is_none());
    // Nothing was made twice.
    let alone = deployed().await;
    let mut both = [census(&runs.cloud).await.unwrap(), census(&alone.cloud).await.unwrap()];
    // Each colleague came with a certificate.
    for census in &mut both {
        census.remove("certificates");
    }
    assert_eq!(both[0], both[1]);
}

#[tokio::test(start_paused = true)]
async fn a_destroy_that_comes_during_a_deploy_damages_nothing() {
    let mut runs = deployed().await;
    runs.new_image("the second program").unwrap();
    let other = colleague(&runs).await;
    let late = async {
        sleep(Duration::from_secs(3)).await;
        other.run(DESTROY).await
    };
    let (deploy, destroy) = tokio::join!(runs.deploy(), late);
    deploy.unwrap();
    let told = format!("{:#}", destroy.unwrap_err());
    assert!(told.contains("a test by somebody since"), "{told}");
    assert!(runs.plan(Goal::Present).await.unwrap().is_empty());
}

/// From at once to some seventeen minutes, close together at first; by then a deploy and a destroy have both ended.
const MOMENTS: u64 = 16;

/// A deploy of another image and a destroy, of which one comes so much later than the other: at every moment either the
/// second is told who is at work, or it finds that the first has done its work and does its own.
#[tokio::test(start_paused = true)]
async fn a_deploy_and_a_destroy_at_any_distance_damage_nothing() {
    let mut refused = [0, 0];
    for (destroy_is_second, refused) in [true, false].into_iter().zip(&mut refused) {
        for later in (0..MOMENTS).map(|step| Duration::from_millis(300 * step * step * step)) {
            let mut runs = deployed().await;
            runs.new_image("the second program").unwrap();
            let mut other = colleague(&runs).await;
            other.image = runs.image.clone();
            let goals = if destroy_is_second { [Goal::Present, DESTROY] } else { [DESTROY, Goal::Present] };
            let late = async {
                sleep(later).await;
                other.run(goals[1]).await
            };
            let (first, second) = tokio::join!(runs.run(goals[0]), late);
            let ends = [("somebody", first), ("colleague", second)];
            let won: Vec<_> =
                ends.iter().map(|(_, end)| end.as_ref().is_ok_and(|it| it.outcome.is_complete())).collect();
            let case = format!("{:?} {later:?} after {:?}: {ends:#?}", goals[1], goals[0]);
            if let Some(loser) = won.iter().position(|won| !won) {
                *refused += 1;
                let winner = 1 - loser;
                assert!(won[winner], "both lost: {case}");
                let told = format!("{:#}", ends[loser].1.as_ref().unwrap_err());
                assert!(told.contains(ends[winner].0) && told.contains("nothing was changed"), "{told}: {case}");
            }
            // What holds in the end is what the last one wanted that got through.
            let last = won.iter().rposition(|won| *won).unwrap();
            let plan = runs.plan(goals[last]).await.unwrap();
            assert!(plan.is_empty(), "{plan}: {case}");
            assert!(runs.holder().await.unwrap().is_none(), "{case}");
        }
    }
    assert!(refused.iter().all(|count| (5..MOMENTS).contains(count)), "{refused:?} of {MOMENTS} were refused");
}

#[tokio::test(start_paused = true)]
async fn a_plan_made_before_somebody_elses_run_is_out_of_date() {
    let mut runs = deployed().await;
    runs.deployment.logs.retention_days = 90;
    let old = runs.prepare(Goal::Present).await.unwrap();
    let mut other = colleague(&runs).await;
    other.deployment.logs.retention_days = 14;
    other.deploy().await.unwrap();
    let error = runs.carry_out(old).await.unwrap_err();
    assert!(error.to_string().contains("a test by colleague since"), "{error}");
    assert!(error.to_string().contains("the plan may be out of date; nothing was changed"), "{error}");
    assert!(runs.holder().await.unwrap().is_none());
    runs.deploy().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_of_the_record_is_not_its_end() {
    let runs = deployed().await;
    let history = || piped(&runs.cloud, &["history", "--output", "json"], "");
    let known = Box::pin(history()).await.results;
    assert!(known.contains("\"outcome\":\"done\""), "{known}");
    for pages in [1, 3] {
        runs.cloud.world(|world| world.empty_pages = pages);
        assert_eq!(Box::pin(history()).await.results, known, "{pages}");
        assert_eq!(runs.cloud.world(|world| world.empty_pages), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_waited_out_and_its_work_is_finished() {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    let before = u64::try_from(runs.cloud.calls().len()).unwrap();
    runs.cloud.set_faults(Faults::at(before + 120, Fault::KilledAfter));
    let killed = runs.cloud.killed();
    tokio::select! {
        biased;
        () = killed => (),
        report = runs.run(Goal::Present) => panic!("not killed: {report:?}"),
    }
    assert!(runs.holder().await.unwrap().is_some());
    let began = Instant::now();
    runs.deploy().await.unwrap();
    assert!(began.elapsed() > Duration::from_secs(60), "nobody looked whether the holder lives");
    assert!(runs.holder().await.unwrap().is_none());
    let history = runs.record().runs(&context(&runs)).await.unwrap();
    let outcomes: Vec<_> = history.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Begun]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_stops_its_holder_from_starting_more() {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    let breaker = async {
        sleep(Duration::from_secs(40)).await;
        let record = runs.record();
        let holder = record.holder(&context(&runs)).await.unwrap().unwrap();
        record.break_lock(&context(&runs), &holder, Run::begin("unlock", "admin")).await.unwrap();
    };
    let (report, ()) = tokio::join!(runs.run(Goal::Present), breaker);
    let outcome = report.unwrap().outcome;
    assert!(outcome.failed.is_empty() && !outcome.skipped.is_empty(), "it went on without the lock");
    runs.deploy().await.unwrap();
    assert!(runs.plan(Goal::Present).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_record_goes_with_the_data_of_its_environment_and_not_before() {
    let runs = deployed().await;
    runs.run(Goal::Absent { delete_data: false }).await.unwrap();
    assert_eq!(runs.record().runs(&context(&runs)).await.unwrap().len(), 2);
    runs.destroy().await.unwrap();
    assert_eq!(census(&runs.cloud).await.unwrap()["log groups"], 0);
}
