//! The cases, section by section, and whether every key has one.

use std::collections::BTreeSet;

use config::deployment::Deployment;
use local_aws::github::REPOSITORY;
use local_aws::matrix::{BUCKET, OWN_KEY, WEB_ACL};
use local_aws::runs::certificate;
use provision::cli::Exit;

use crate::{Change, Desk, key, page};

const NETWORK: &[Change] = &[
    &["network.zones=3"],
    &["network.nat_gateways=1"],
    &["network.zones=2"],
    &["network.nat_gateways=2"],
    &["network.nat_gateways=0"],
];
const EDGE: &[Change] = &[
    &["edge.redirect_http=false"],
    &["edge.redirect_http=true"],
    &["edge.deletion_protection=true"],
    &["edge.deletion_protection=false"],
    &["edge.ingress_cidrs=[\"192.0.2.0/24\", \"198.51.100.0/24\"]"],
    &["edge.ssl_policy=ELBSecurityPolicy-TLS13-1-3-2021-06"],
    &["edge.deregistration_delay_seconds=20"],
    // An answer must come before the next question.
    &["edge.health_check_interval_seconds=5"],
    &["edge.idle_timeout_seconds=90"],
];
const TASK: &[Change] = &[&["task.memory_mib=4096"], &["task.cpu=2048"], &["task.architecture=ARM64"]];
const SERVICE: &[Change] = &[
    // Scaling owns it from the first deploy on.
    &["service.desired_count=2"],
    &["service.minimum_healthy_percent=50"],
    &["service.maximum_percent=150"],
    &["service.health_check_grace_seconds=120"],
    &["service.exec=true"],
    &["service.exec=false"],
    &["service.container_insights=true"],
    &["service.container_insights=false"],
];
const SCALING: &[Change] =
    &[&["scaling.min=2"], &["scaling.max=6"], &["scaling.cpu_percent=60"], &["scaling.memory_percent=70"]];
const KEPT: &[Change] = &[
    &["storage.transition_to_ia_days=7"],
    &["storage.transition_to_ia_days=0"],
    &["images.keep=20"],
    &["logs.retention_days=90"],
];
const ALARMS: &[Change] = &[
    &["alarms.email=team@example.com"],
    &["alarms.cpu_percent=80"],
    &["alarms.memory_percent=85"],
    &["alarms.errors=20"],
    &["alarms.response_seconds=5"],
    &["alarms.success_percent=99"],
    &["dashboard.enabled=false"],
    &["alarms.enabled=false"],
    &["dashboard.enabled=true"],
];
const APP_SETTINGS: &[Change] = &[
    &["app_settings.weather_source=wxtech"],
    &["app_settings.llm_providers=gemini,openai"],
    &["app_settings.workers=8"],
    &["app_settings.memory_entries=1000"],
    &["app_settings.memory_ttl_seconds=60"],
    &["app_settings.file_ttl_seconds=3600"],
    &["app_settings.spatial_radius_km=0"],
    &["app_settings.history_days=30"],
];
const GITHUB: &[Change] = &[
    &["github.repository=example/weather-comments"],
    &["github.repository_id=4712"],
    &["github.owner_id=43"],
    &["github.environments=[\"staging\", \"rehearsal\"]"],
];

const HARDENING: &[Change] = &[
    &["network.flow_logs=true"],
    &["network.flow_logs=false"],
    &["network.endpoints=true", "network.nat_gateways=1"],
    &["network.endpoints=false"],
    &["edge.access_logs_bucket=logs-of-the-company"],
    &["edge.access_logs_bucket=other-logs"],
    &["edge.access_logs_bucket"],
    &[
        "edge.web_acl=arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-the-company/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    ],
    &[
        "edge.web_acl=arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/stricter/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f1",
    ],
    &["edge.web_acl=none"],
    // From here on nobody looks at it.
    &["edge.web_acl"],
    // By itself it changes nothing; with a key, what has another one already would be in the way.
    &["encryption.disk_and_images=false"],
    &["encryption.kms_key_arn=arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    &["encryption.kms_key_arn=arn:aws:kms:ap-northeast-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"],
    &["encryption.kms_key_arn"],
];

/// What is there beside the stack, for these.
const OTHER_WEB_ACL: &str =
    "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/stricter/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f1";
const OTHER_KEY: &str = "arn:aws:kms:ap-northeast-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab";

/// Keys that no list can change on a stack that is in place, each with the reason and its test.
const ELSEWHERE: [(&str, &str); 8] = [
    ("app", "it is another stack: `another_name_is_another_stack`"),
    ("environment", "it is another stack: `another_name_is_another_stack`"),
    ("region", "it is another stack, whose certificate is elsewhere: `another_region_or_account_is_refused`"),
    ("account", "it describes nothing, and says who is refused: `another_region_or_account_is_refused`"),
    ("network.cidr", "AWS changes it for nobody: `another_block_of_addresses_is_refused`"),
    ("edge.certificate_arn", "its ARN is known only when it is there: `of_the_certificate_and_the_name`"),
    ("edge.domain", "it takes the certificate's place: `of_the_certificate_and_the_name`"),
    ("edge.hosted_zone", "it comes and goes with the domain: `of_the_certificate_and_the_name`"),
];

#[test]
fn every_key_has_a_case() {
    let sections = [NETWORK, EDGE, TASK, SERVICE, SCALING, KEPT, ALARMS, APP_SETTINGS, GITHUB, HARDENING];
    let changed: BTreeSet<_> = sections.into_iter().flatten().map(|change| key(change[0]).to_owned()).collect();
    let elsewhere: BTreeSet<_> = ELSEWHERE.iter().map(|(key, _)| (*key).to_owned()).collect();
    let idle: Vec<_> = elsewhere.intersection(&changed).collect();
    assert!(idle.is_empty(), "ELSEWHERE has lines that nothing needs: {idle:?}");
    let cases: BTreeSet<_> = changed.union(&elsewhere).cloned().collect();
    let all: BTreeSet<_> = Deployment::keys().into_iter().collect();
    let missing: Vec<_> = all.difference(&cases).collect();
    assert!(missing.is_empty(), "no case changes {missing:?}; add one to its section");
    let unknown: Vec<_> = cases.difference(&all).collect();
    assert!(unknown.is_empty(), "no file may have {unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn of_the_network() {
    insta::assert_snapshot!("network", Desk::deployed().await.plans(NETWORK).await);
}

#[tokio::test(start_paused = true)]
async fn of_the_edge() {
    insta::assert_snapshot!("edge", Desk::deployed().await.plans(EDGE).await);
}

#[tokio::test(start_paused = true)]
async fn of_the_task() {
    insta::assert_snapshot!("task", Desk::deployed().await.plans(TASK).await);
}

#[tokio::test(start_paused = true)]
async fn of_the_service_and_its_scaling() {
    let mut desk = Desk::deployed().await;
    insta::assert_snapshot!("service", desk.plans(SERVICE).await);
    insta::assert_snapshot!("scaling", desk.plans(SCALING).await);
}

#[tokio::test(start_paused = true)]
async fn of_what_is_kept_and_for_how_long() {
    insta::assert_snapshot!("kept", Desk::deployed().await.plans(KEPT).await);
}

#[tokio::test(start_paused = true)]
async fn of_alarms_and_dashboard() {
    insta::assert_snapshot!("alarms", Desk::deployed().await.plans(ALARMS).await);
}

#[tokio::test(start_paused = true)]
async fn of_what_is_off_by_default() {
    let mut desk = Desk::deployed().await;
    desk.cloud.world(|world| {
        for key in [OWN_KEY, OTHER_KEY] {
            world.keys.add(key, &["logs", "cloudwatch"]);
        }
        world.log_buckets.extend([BUCKET, "other-logs"].map(ToOwned::to_owned));
        world.firewalls.web_acls.extend([WEB_ACL, OTHER_WEB_ACL].map(ToOwned::to_owned));
    });
    insta::assert_snapshot!("hardening", desk.plans(HARDENING).await);
}

/// What was made with one key keeps it, so a deploy that wants another one, or one at all, does not begin.
#[tokio::test(start_paused = true)]
async fn another_key_for_disk_and_images_is_refused() {
    let desk = Desk::deployed().await;
    desk.cloud.world(|world| world.keys.add(OWN_KEY, &["logs", "cloudwatch"]));
    let key = format!("encryption.kms_key_arn={OWN_KEY}");
    let change = ["encryption.disk_and_images=true", &key];
    let said = desk.with(&change, &["deploy", "--yes"]).await;
    assert_eq!(said.exit, Exit::Refused, "{}", said.talk);
    let error = said.talk.lines().find(|line| line.starts_with("error")).unwrap();
    insta::assert_snapshot!("disk-and-images", format!("{}\n{error}", page(&change, &said.talk)));
    desk.settle().await;
}

#[tokio::test(start_paused = true)]
async fn of_what_the_service_is_told() {
    insta::assert_snapshot!("app-settings", Desk::deployed().await.plans(APP_SETTINGS).await);
}

/// The repository has a stack of its own, which an administrator applies.
#[tokio::test(start_paused = true)]
async fn of_the_repository_that_may_deploy() {
    let mut desk = Desk::deployed().await;
    desk.take(&REPOSITORY.map(|setting| setting.trim_start_matches("--set=")));
    desk.settle().await;
    assert_eq!(desk.run(&["ci-role", "--apply", "--yes"]).await.exit, Exit::Done);
    let mut plans = Vec::new();
    for change in GITHUB {
        desk.take(change);
        let said = desk.run(&["ci-role", "--apply", "--yes"]).await;
        assert_eq!(said.exit, Exit::Done, "{change:?}: {}", said.talk);
        let plan = said.talk.lines().take_while(|line| !line.trim_start().starts_with("0.0s")).collect::<Vec<_>>();
        plans.push(page(change, &plan.join("\n")));
        desk.settle().await;
    }
    let said = desk.run(&["ci-role", "--apply", "--yes"]).await;
    assert!(said.talk.contains("nothing to do"), "{}", said.talk);
    insta::assert_snapshot!("github", plans.join("\n\n"));
}

/// A network's block cannot change under what stands in it.
#[tokio::test(start_paused = true)]
async fn another_block_of_addresses_is_refused() {
    let desk = Desk::deployed().await;
    let change = ["network.cidr=10.9.0.0/16"];
    let said = desk.with(&change, &["deploy", "--yes"]).await;
    assert_eq!(said.exit, Exit::Refused, "{}", said.talk);
    let error = said.talk.lines().last().unwrap();
    insta::assert_snapshot!("network-block", format!("{}\n{error}", page(&change, &said.talk)));
    desk.settle().await;
}

/// Another certificate, and then a name whose certificate is requested, and the given one again.
#[tokio::test(start_paused = true)]
async fn of_the_certificate_and_the_name() {
    let mut desk = Desk::deployed().await;
    desk.cloud.world(|world| world.dns.add_zone("Z0123456789", "example.com", false));
    let given = desk.settings[0].clone();
    let mut plans = Vec::new();
    let other = format!("edge.certificate_arn={}", certificate(&desk.cloud).await.unwrap());
    let domain = |name: &str| vec![format!("edge.domain={name}"), "edge.hosted_zone=example.com".to_owned()];
    let steps = [vec![other], domain("forecast.example.com"), domain("tomorrow.example.com"), vec![given]];
    for settings in steps {
        desk.settings.clone_from(&settings);
        let said = desk.run(&["deploy", "--yes"]).await;
        assert_eq!(said.exit, Exit::Done, "{settings:?}: {}", said.talk);
        plans.push(page(&settings.iter().map(String::as_str).collect::<Vec<_>>(), &said.talk));
    }
    desk.settle().await;
    insta::assert_snapshot!("certificate-and-name", plans.join("\n\n"));
}

/// Another application or environment is another stack beside this one, of which nothing is touched.
#[tokio::test(start_paused = true)]
async fn another_name_is_another_stack() {
    let desk = Desk::deployed().await;
    let layout = desk.folder.path().to_str().unwrap().to_owned();
    let words = ["plan", "--exit-code", "--image-layout", &layout];
    for setting in ["app=another-service", "environment=production"] {
        let said = desk.with(&[setting], &words).await;
        assert_eq!(said.exit, Exit::Changes, "{setting}: {}", said.talk);
        let steps: Vec<_> = said.results.lines().filter(|line| !line.starts_with([' ', 'c', 't'])).collect();
        let (counts, steps) = steps.split_last().unwrap();
        assert!(steps.iter().all(|line| line.starts_with('+')), "{setting}: {}", said.results);
        // What everybody in the account shares is there already.
        assert!(counts.ends_with("to create; 6 unchanged"), "{setting}: {counts}");
    }
    desk.settle().await;
}

#[tokio::test(start_paused = true)]
async fn another_region_or_account_is_refused() {
    let desk = Desk::deployed().await;
    let said = desk.with(&["region=eu-west-1"], &["plan"]).await;
    assert_eq!(said.exit, Exit::BadInput, "{}", said.results);
    assert!(
        said.talk.contains("the certificate is in ap-northeast-1, the load balancer in eu-west-1"),
        "{}",
        said.talk
    );
    let said = desk.with(&["account=\"999999999999\""], &["plan"]).await;
    assert_eq!(said.exit, Exit::Refused, "{}", said.results);
    let error = "these credentials belong to account 123456789012, but environment staging is for account 999999999999";
    assert!(said.talk.contains(error), "{}", said.talk);
    let said = desk.with(&["account=\"123456789012\""], &["plan", "--exit-code"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.results);
}
