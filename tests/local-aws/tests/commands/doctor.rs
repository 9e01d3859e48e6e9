//! `provision doctor` in accounts in which one thing is wrong, and in one in which nearly everything is.

use std::time::Duration;

use aws_sdk_acm::types::ValidationMethod;
use local_aws::commands::{Said, piped};
use local_aws::policy::Policy;
use local_aws::runs::image_layout;
use local_aws::{ACCOUNT, Cloud};
use provision::cli::Exit;
use provision::permissions::{POLICY_LIMIT, Place, ROLE_LIMIT, Who};
use serde_json::{Value, json as value};
use tempfile::TempDir;

use crate::desk::{Desk, has, json};
use crate::snapshots::snapshot;

const APP: &str = "weather-comment-generator";

/// The lines about one thing.
fn lines<'a>(said: &'a Said, what: &str) -> Vec<&'a str> {
    said.results.lines().filter(|line| line[6..].starts_with(what)).collect()
}

fn policies(who: Who) -> Vec<Value> {
    let staging = config::deployment::ConfigSource::Environment("staging".to_owned());
    let deployment = config::deployment::Deployment::load(&staging, &[]).unwrap();
    let limit = if who == Who::Pipeline { ROLE_LIMIT } else { POLICY_LIMIT };
    Place::of(&deployment, ACCOUNT).policies(who, limit)
}

/// Takes a role with a policy.
fn sign_in(desk: &Desk, policy: Policy) {
    desk.cloud.world(|world| {
        world.account.take_role("/team/", "deployer");
        world.policy = Some(policy);
    });
}

#[tokio::test(start_paused = true)]
async fn an_operator_s_own_policies_are_enough_before_and_after_the_first_deploy() {
    let desk = Desk::new().await;
    sign_in(&desk, Policy::of_all(&policies(Who::Operator)));
    let enough =
        "ok    permissions        arn:aws:iam::123456789012:role/team/deployer may do all that deploy and destroy take";
    let said = desk.run(&["doctor"]).await;
    assert_eq!((said.exit, lines(&said, "permissions")), (Exit::Done, vec![enough]), "{}", said.results);
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert_eq!(lines(&desk.run(&["doctor"]).await, "permissions"), [enough]);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_may_ship_and_not_make_and_may_not_ask_the_simulator() {
    let desk = Desk::new().await;
    let mut documents = policies(Who::Pipeline);
    sign_in(&desk, Policy::of_all(&documents));
    let said = desk.run(&["doctor"]).await;
    let [line] = lines(&said, "permissions")[..] else { panic!("{}", said.results) };
    has(line, &["note", "the caller may not ask (iam:SimulatePrincipalPolicy)", "aws iam simulate-principal-policy"]);
    documents.push(value!({"Statement": [
        {"Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy", "iam:GetRole"], "Resource": "*"},
    ]}));
    sign_in(&desk, Policy::of_all(&documents));
    let said = desk.run(&["doctor"]).await;
    assert_eq!(said.exit, Exit::BadInput, "{}", said.results);
    let all = lines(&said, "permissions").join("\n");
    has(&all, &["BAD   permissions", "to make what is not there yet: ", "ecr: CreateRepository, TagResource"]);
    has(&all, &["note  permissions", "to remove anything (`provision destroy`", "to let doctor see everything"]);
    assert!(!all.contains("to deploy anything"), "{all}");
    let document = json(&desk.run(&["doctor", "--output", "json"]).await);
    let missing = |options: &Value, action: &str| {
        let findings = options["findings"].as_array().unwrap().iter();
        findings.filter_map(|it| it["missing"].as_array()).flatten().any(|it| it == action)
    };
    assert!(missing(&document, "ec2:CreateVpc"), "{document}");
    // Only what this configuration makes.
    assert!(!missing(&document, "ec2:AllocateAddress"), "{document}");
    let document = json(&desk.run(&["doctor", "--output", "json", "--set", "network.nat_gateways=1"]).await);
    assert!(missing(&document, "ec2:AllocateAddress"), "{document}");
    // What is there already needs nobody who may make it.
    desk.cloud.world(|world| world.policy = None);
    desk.deploy().await;
    sign_in(&desk, Policy::of_all(&documents));
    let said = desk.run(&["doctor"]).await;
    assert!(!lines(&said, "permissions").join("\n").contains("BAD"), "{}", said.results);
}

#[tokio::test(start_paused = true)]
async fn whom_the_simulator_does_not_know_is_a_note() {
    let desk = Desk::new().await;
    for (caller, part) in [
        (format!("arn:aws:iam::{ACCOUNT}:root"), "the root user may do everything"),
        (format!("arn:aws:sts::{ACCOUNT}:federated-user/alice"), "not federated sessions"),
        (format!("arn:aws:sts::{ACCOUNT}:assumed-role/elsewhere/alice"), "its path is not known"),
    ] {
        desk.cloud.world(|world| world.account.caller = caller);
        let said = desk.run(&["doctor"]).await;
        assert_eq!(said.exit, Exit::Done, "{}", said.results);
        let [line] = lines(&said, "permissions")[..] else { panic!("{}", said.results) };
        has(line, &["note", part]);
    }
}

#[tokio::test(start_paused = true)]
async fn another_account_than_the_configured_one_is_told_by_doctor_and_touched_by_nobody() {
    let desk = Desk::deployed().await;
    let wrong = "account=\"999999999999\"";
    let part = "these credentials belong to account 123456789012, but environment staging is for account 999999999999";
    let said = desk.run(&["doctor", "--set", wrong]).await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.results, &["BAD   account", part, "choose another AWS_PROFILE", "not looked at before that is mended"]);
    let before = desk.cloud.calls().len();
    let layout = desk.layout().to_str().unwrap();
    for words in [
        &["plan"][..],
        &["deploy", "--yes"],
        &["destroy", "--yes"],
        &["rollback", "--yes"],
        &["unlock", "--yes"],
        &["push", "--image-layout", layout],
        &["secrets", "set", "WXTECH_API_KEY"],
        &["secrets", "list"],
        &["status"],
        &["outputs"],
        &["history"],
        &["logs"],
    ] {
        let said = desk.with_input(&[words, &["--set", wrong]].concat(), "value").await;
        assert_eq!(said.exit, Exit::Refused, "{words:?}: {}", said.talk);
        has(&said.talk, &[part]);
    }
    assert!(desk.cloud.calls()[before..].iter().all(local_aws::call::Call::reads));
    let said = desk.run(&["doctor", "--set", &format!("account=\"{ACCOUNT}\"")]).await;
    has(&said.results, &["ok    account", "as `account` says"]);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_is_over_is_named_as_that_by_whatever_word() {
    let desk = Desk::deployed().await;
    desk.cloud.world(|world| world.account.sign_in_is_over = true);
    for words in [&["doctor"][..], &["status"], &["destroy", "--yes"]] {
        let said = desk.run(words).await;
        assert_eq!(said.exit, Exit::BadInput, "{words:?}: {}", said.talk);
        let text = format!("{}{}", said.results, said.talk);
        has(&text, &["the sign-in has expired: sign in again", "which continues"]);
        assert!(!text.contains("timedatectl"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_is_named_as_that() {
    let desk = Desk::new().await;
    desk.cloud.world(|world| world.account.clock_is_wrong = true);
    let said = desk.run(&["doctor"]).await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.results, &["BAD   account", "the clock of this machine is wrong by minutes", "timedatectl set-ntp true"]);
    assert!(!said.results.contains("sign in"), "{}", said.results);
    let said = desk.run(&["plan", "--image-layout", desk.layout().to_str().unwrap()]).await;
    has(&said.talk, &["the clock of this machine is wrong by minutes"]);
}

#[tokio::test(start_paused = true)]
async fn an_image_is_compared_with_the_processor_of_the_tasks_and_looked_for_in_the_repository() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap().to_owned();
    let image = async |words: &[&str]| {
        let said = desk.run(&[&["doctor"], words].concat()).await;
        lines(&said, "image").join("\n")
    };
    has(&image(&[]).await, &["note", "nothing runs yet", "--image-layout FOLDER"]);
    has(&image(&["--image-layout", &layout]).await, &["ok  ", "complete and undamaged", "for amd64"]);
    let arm = ["--set", "task.architecture=ARM64"];
    let wrong = ["for amd64, but task.architecture is ARM64, which is arm64", "build it for that"];
    has(&image(&[&["--image-layout", &layout], &arm[..]].concat()).await, &[&["BAD "], &wrong[..]].concat());
    let digest = image_layout(desk.layout(), "the first program").unwrap().to_string();
    let pushed = format!("{APP}/staging@{digest}");
    has(&image(&["--image", &pushed]).await, &["BAD ", "has no sha256:", "provision push"]);
    assert_eq!(desk.deploy().await.exit, Exit::Done);
    has(&image(&["--image", &pushed]).await, &["note", "is in the repository", "only known where it was built"]);
    has(&image(&[]).await, &["ok  ", "the service runs sha256:", "for amd64 as task.architecture X86_64 asks"]);
    has(&image(&arm).await, &[&["BAD "], &wrong[..]].concat());
    let ecr = desk.somebody().ecr;
    let repository = format!("{APP}/staging");
    let ids = ecr.list_images().repository_name(&repository).send().await.unwrap().image_ids;
    ecr.batch_delete_image().repository_name(&repository).set_image_ids(ids).send().await.unwrap();
    has(&image(&[]).await, &["BAD ", "no longer in the repository"]);
    let blob = std::fs::read_dir(desk.layout().join("blobs/sha256")).unwrap().find_map(|file| {
        let path = file.unwrap().path();
        (std::fs::read(&path).unwrap() == b"the first program").then_some(path)
    });
    std::fs::write(blob.unwrap(), "other bytes").unwrap();
    has(&image(&["--image-layout", &layout]).await, &["BAD ", "damaged", "build the image again"]);
}

#[tokio::test(start_paused = true)]
async fn keys_that_the_service_needs_must_have_a_value() {
    let desk = Desk::new().await;
    let needy = ["doctor", "--set", "app_settings.weather_source=wxtech", "--set", "app_settings.llm_providers=openai"];
    let keys = async || lines(&desk.run(&needy).await, "API keys").join("\n");
    has(
        &keys().await,
        &["BAD   API keys           WXTECH_API_KEY has no value", "run `provision secrets set WXTECH_API_KEY`"],
    );
    desk.deploy().await;
    let said = desk.run(&needy).await;
    assert_eq!(said.exit, Exit::BadInput);
    let all = lines(&said, "API keys").join("\n");
    has(
        &all,
        &["OPENAI_API_KEY has no value, and app_settings.llm_providers names openai", "so the service will not start"],
    );
    has(&all, &["run `provision secrets set WXTECH_API_KEY`"]);
    for key in ["WXTECH_API_KEY", "OPENAI_API_KEY"] {
        desk.with_input(&["secrets", "set", key], "a-value").await;
    }
    let said = desk.run(&needy).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.results);
    has(&said.results, &["ok    API keys           OPENAI_API_KEY, WXTECH_API_KEY set"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_or_failed_is_mentioned() {
    let desk = Desk::new().await;
    has(&desk.run(&["doctor"]).await.results, &["ok    runs               nothing was deployed yet"]);
    desk.deploy_and_be_killed().await;
    let said = desk.run(&["doctor"]).await;
    has(&said.results, &["note  runs", "a deploy by user/moto since", "holds the lock", "`provision unlock`"]);
    desk.run(&["unlock", "--yes"]).await;
    has(&desk.run(&["doctor"]).await.results, &["note  runs", "did not come to its end", "goes on from what exists"]);
    assert_eq!(desk.deploy().await.exit, Exit::Done);
    has(&desk.run(&["doctor"]).await.results, &["ok    runs", "nobody is at work"]);
}

#[tokio::test(start_paused = true)]
async fn what_exists_needs_no_room_and_what_is_to_be_made_does() {
    let desk = Desk::new().await;
    let ec2 = desk.somebody().ec2;
    for _ in 0..5 {
        ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
        ec2.allocate_address().send().await.unwrap();
    }
    desk.cloud.world(|world| world.account.most_load_balancers = 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let said = desk.run(&["doctor", "--set", "network.nat_gateways=1"]).await;
    has(&said.results, &["note  VPCs", "5 exist, 1 to be made, 5 allowed by default", "note  elastic IPs"]);
    has(&said.results, &["BAD   load balancers     0 exist, 1 to be made, 0 allowed", "ok    target groups"]);
    assert!(lines(&desk.run(&["doctor"]).await, "elastic IPs").is_empty());
    desk.cloud.world(|world| world.account.most_load_balancers = 1);
    assert_eq!(desk.deploy().await.exit, Exit::Done);
    let said = desk.run(&["doctor"]).await;
    has(&said.results, &["ok    quotas             nothing is to be made that AWS counts"]);
    let many = desk.run(&["doctor", "--set", "scaling.max=2"]).await;
    has(&many.results, &["ok    Fargate vCPUs      a deploy needs 2 at once"]);
}

#[tokio::test(start_paused = true)]
async fn certificates_are_looked_at_for_what_they_are_worth() {
    let desk = Desk::new().await;
    desk.cloud.world(|world| world.certificates.end_in(20));
    let said = desk.run(&["doctor"]).await;
    assert_eq!(said.exit, Exit::Done);
    has(&said.results, &["note  certificate        that of weather.example.com ends at", "still in DNS"]);
    let certificate = async |arn: &str| {
        let said = piped(&desk.cloud, &["doctor", "--set", &format!("edge.certificate_arn={arn}")], "").await;
        lines(&said, "certificate").join("\n")
    };
    has(&certificate(&format!("{}0", desk.certificate)).await, &["BAD ", "does not exist in this account and region"]);
    let acm = aws_sdk_acm::Client::new(&desk.cloud.sdk_config());
    let request = acm.request_certificate().domain_name("a.example.com").validation_method(ValidationMethod::Dns);
    let pending = request.send().await.unwrap().certificate_arn.unwrap();
    has(&certificate(&pending).await, &["BAD ", "is not issued yet", "publish the record in DNS"]);
    desk.cloud.world(|world| world.certificates.fail("a.example.com", "CAA_ERROR"));
    has(&certificate(&pending).await, &["BAD ", "is FAILED, and stays so; request another one"]);
    let said = piped(&desk.cloud, &["doctor"], "").await;
    has(&said.results, &["BAD   certificate        none is configured"]);
}

/// Everything that can be wrong at the same time.
async fn spoilt() -> Desk {
    let desk = Desk::new().await;
    let aws = desk.somebody();
    for _ in 0..5 {
        aws.ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
    }
    let log = format!("/{APP}/staging/service");
    aws.logs.create_log_group().log_group_name(log).send().await.unwrap();
    aws.ecr.create_repository().repository_name(format!("{APP}/staging")).send().await.unwrap();
    let secret = format!("{APP}/staging/api-keys");
    aws.secrets.create_secret().name(&secret).secret_string("{}").send().await.unwrap();
    aws.secrets.delete_secret().secret_id(secret).recovery_window_in_days(7).send().await.unwrap();
    desk.cloud.world(|world| {
        world.certificates.end_in(0);
        world.account.most_load_balancers = 0;
        world.account.most_roles = 1;
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let few = value!({"Statement": [
        {"Effect": "Allow", "Action": ["*:Describe*", "*:List*", "*:Get*", "ecr:BatchGetImage", "iam:SimulatePrincipalPolicy"], "Resource": "*"},
        {"Effect": "Deny", "Action": ["elasticfilesystem:DescribeFileSystems"], "Resource": "*"},
    ]});
    sign_in(&desk, Policy::of(&few));
    desk
}

#[tokio::test(start_paused = true)]
async fn nearly_everything_is_bad_and_all_of_it_is_told_at_once() {
    let desk = spoilt().await;
    let digest = format!("{APP}/staging@sha256:{}", "0".repeat(64));
    let words = ["doctor", "--image", &digest, "--set", "app_settings.weather_source=wxtech"];
    snapshot(&desk, "doctor-of-a-spoilt-account", &words, Exit::BadInput).await;
}

#[tokio::test(start_paused = true)]
async fn the_findings_are_a_document_too() {
    let desk = Desk::new().await;
    let document = json(&desk.run(&["doctor", "--output", "json"]).await);
    let findings = document["findings"].as_array().unwrap();
    let verdicts: Vec<_> = findings.iter().map(|finding| finding["verdict"].as_str().unwrap()).collect();
    assert!(verdicts.contains(&"good") && verdicts.contains(&"note") && !verdicts.contains(&"bad"), "{document}");
    let said = piped(&Cloud::default(), &["doctor", "--image-layout", "/nonexistent"], "").await;
    assert_eq!(said.exit, Exit::BadInput);
    let folder = TempDir::new().unwrap();
    image_layout(folder.path(), "a program").unwrap();
    let said = desk.run(&["doctor", "--color", "always", "--image-layout", folder.path().to_str().unwrap()]).await;
    has(&said.results, &["\u{1b}[32mok  \u{1b}[0m  account"]);
}
