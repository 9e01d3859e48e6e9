//! A name of our own: its certificate, its records, and what AWS says when it does not come.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use config::deployment::Domain;
use local_aws::Cloud;
use local_aws::checks::{converges, deployed, hands, leaves_nothing};
use local_aws::commands::piped;
use local_aws::runs::{Runs, image_layout};
use provision::cli::Exit;
use provision::plan::Goal;
use tempfile::TempDir;

const ZONE: &str = "Z0123456789";

fn domain(name: &str) -> Option<Domain> {
    Some(Domain { name: name.to_owned(), hosted_zone: "example.com".to_owned() })
}

/// A deployment for a domain in an account with its zone, a private one of the same name, and another one.
async fn with_domain() -> Runs {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    add_zones(&runs.cloud);
    runs.deployment.edge.certificate_arn = None;
    runs.deployment.edge.domain = domain("forecast.example.com");
    runs
}

fn add_zones(cloud: &Cloud) {
    cloud.world(|world| {
        world.dns.add_zone("ZPRIVATE", "example.com", true);
        world.dns.add_zone(ZONE, "example.com", false);
        world.dns.add_zone("ZOTHER", "example.org", false);
    });
}

/// The names and types of all records.
fn records(runs: &Runs) -> Vec<String> {
    runs.cloud.world(|world| world.dns.records().map(|((name, kind), _)| format!("{kind} {name}")).collect())
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_requested_proved_and_used_and_the_name_leads_to_the_load_balancer() {
    let runs = with_domain().await;
    converges(&runs).await.unwrap();
    let found = records(&runs);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("CNAME _") && found[1] == "A forecast.example.com.", "{found:?}");
    let request = hands(&runs).acm.list_certificates().send().await.unwrap();
    let ours = request.certificate_summary_list().iter().filter_map(|it| it.certificate_arn()).next_back().unwrap();
    let used = runs.cloud.world(|world| world.load_balancing.has_certificate(ours));
    assert!(used, "the listener does not have {ours}");
    leaves_nothing(&runs, &[]).await.unwrap();
    // Within the hour AWS takes the same token for the same request, whose certificate is gone.
    converges(&runs).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn records_come_and_go_with_their_domain() {
    let mut runs = deployed().await.unwrap();
    add_zones(&runs.cloud);
    let given = runs.deployment.edge.certificate_arn.take().unwrap();
    runs.deployment.edge.domain = domain("forecast.example.com");
    converges(&runs).await.unwrap();
    runs.deployment.edge.domain = domain("tomorrow.example.com");
    converges(&runs).await.unwrap();
    let left = records(&runs);
    assert!(left.len() == 2 && left.iter().all(|it| it.ends_with("tomorrow.example.com.")), "{left:?}");
    runs.deployment.edge.domain = None;
    runs.deployment.edge.certificate_arn = Some(given);
    converges(&runs).await.unwrap();
    assert_eq!(records(&runs), Vec::<String>::new());
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_failed_says_why_and_the_next_run_asks_for_another() {
    let runs = with_domain().await;
    let deploy = runs.run(Goal::Present);
    let fail = async {
        tokio::time::sleep(std::time::Duration::from_secs(100)).await;
        runs.cloud.world(|world| world.certificates.fail("forecast.example.com", "CAA_ERROR"));
    };
    let (report, ()) = tokio::join!(deploy, fail);
    let failures = report.unwrap().failures().join("\n");
    for part in ["certificate of forecast.example.com failed: CAA_ERROR", "must allow amazon.com"] {
        assert!(failures.contains(part), "{part:?} is missing from:\n{failures}");
    }
    converges(&runs).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_can_prove_is_given_up_with_what_to_look_at() {
    let runs = with_domain().await;
    // The zone that the registrar knows is another one, so nobody sees our proof.
    runs.cloud.world(|world| world.dns.is_hidden = true);
    let report = runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    for part in ["gave up waiting for the certificate of forecast.example.com", "45 min", "must be those of hosted"] {
        assert!(failures.contains(part), "{part:?} is missing from:\n{failures}");
    }
    runs.cloud.world(|world| world.dns.is_hidden = false);
    converges(&runs).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn commands_take_a_domain_in_place_of_a_certificate() {
    let cloud = Cloud::default();
    let folder = TempDir::new().unwrap();
    image_layout(folder.path(), "a program").unwrap();
    let layout = folder.path().to_str().unwrap();
    let words = |words: &[&'static str]| {
        let domain = ["--set", "edge.domain=forecast.example.com", "--set", "edge.hosted_zone=example.com"];
        words.iter().copied().chain(domain).collect::<Vec<_>>()
    };
    let said = piped(&cloud, &words(&["doctor"]), "").await;
    assert_eq!(said.exit, Exit::BadInput);
    assert!(said.results.contains("there is no public zone example.com in Route 53"), "{}", said.results);
    assert!(said.results.contains("none yet; a deploy requests one for forecast.example.com"), "{}", said.results);
    let mut deploy = words(&["deploy", "--yes", "--image-layout"]);
    deploy.insert(3, layout);
    let said = piped(&cloud, &deploy, "").await;
    assert_ne!(said.exit, Exit::Done);
    assert!(said.talk.contains("hosted zone zone does not exist"), "{}", said.talk);
    add_zones(&cloud);
    let said = piped(&cloud, &deploy, "").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert!(said.results.contains("https://forecast.example.com/"), "{}", said.results);
    let said = piped(&cloud, &words(&["doctor"]), "").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.results);
    assert!(said.results.contains("ok    hosted zone        example.com is Z"), "{}", said.results);
    assert!(
        said.results.contains("ok    certificate        issued for forecast.example.com until"),
        "{}",
        said.results
    );
}
