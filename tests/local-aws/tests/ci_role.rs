//! `provision ci-role` as a whole command: shown, made, changed and removed.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use aws_sdk_ec2::error::ProvideErrorMetadata as _;
use local_aws::Cloud;
use local_aws::census::census;
use local_aws::commands::{Said, piped, typed};
use local_aws::github::{REPOSITORY, claims, token};
use provision::aws::{Aws, Owner};
use provision::cli::Exit;
use provision::guard::Access;
use serde_json::Value;

const ROLE: &str = "arn:aws:iam::123456789012:role/provision-pipeline/weather-comment-generator/staging/\
                    weather-comment-generator-staging-pipeline-ap-northeast-1";
const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
async fn run(cloud: &Cloud, words: &[&str]) -> Said {
    piped(cloud, &[&["ci-role"], &REPOSITORY[..], words].concat(), "").await
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing from:\n{text}");
    }
}

fn somebody(cloud: &Cloud) -> Aws {
    cloud.aws(Owner { app: "somebody".to_owned(), environment: "else".to_owned() }, Access::ReadWrite)
}

async fn audiences(cloud: &Cloud) -> Vec<String> {
    let iam = somebody(cloud).iam;
    let found = iam.get_open_id_connect_provider().open_id_connect_provider_arn(PROVIDER).send().await.unwrap();
    found.client_id_list.unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_repository_it_says_what_to_add_and_asks_nothing() {
    let cloud = Cloud::default();
    let said = piped(&cloud, &["ci-role", "--apply"], "").await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.talk, &["[github]", "repository = \"OWNER/NAME\"", "gh api", "environments = [\"staging\"]"]);
    assert!(cloud.calls().is_empty(), "AWS was asked");
}

#[tokio::test(start_paused = true)]
async fn it_shows_the_role_and_both_sides_of_the_trust_without_making_anything() {
    let cloud = Cloud::default();
    let said = run(&cloud, &[]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(
        &said.results,
        &[
            &format!("role {ROLE}"),
            "repo:example/weather:environment:staging",
            "repo:example@42/weather@4711:environment:staging",
            "token.actions.githubusercontent.com:aud",
            "ecs:RegisterTaskDefinition",
            "id-token: write",
            &format!("role-to-assume: {ROLE}"),
            "environment: staging",
        ],
    );
    has(&said.talk, &["+ OIDC provider", "+ IAM role", "`provision ci-role --apply` does that"]);
    assert!(cloud.calls().iter().all(local_aws::call::Call::reads), "{:?}", cloud.calls());
    let said = run(&cloud, &["--output", "json"]).await;
    let shown: Value = serde_json::from_str(&said.results).unwrap();
    assert_eq!((shown["schema"].as_str(), shown["role"].as_str()), (Some("provision.ci-role/1"), Some(ROLE)));
    assert_eq!(shown["as_described"], false);
    let operator = shown["operator_policies"].to_string();
    assert!(operator.contains("ec2:CreateVpc") && !shown["policies"].to_string().contains("ec2:CreateVpc"));
}

#[tokio::test(start_paused = true)]
async fn it_is_made_once_and_changed_when_the_repository_changes() {
    let cloud = Cloud::default();
    let said = run(&cloud, &["--apply"]).await;
    assert_eq!(said.exit, Exit::Refused);
    has(&said.talk, &["will not let workflows of example/weather deploy staging", "--yes"]);
    let said = typed(&cloud, &[&["ci-role", "--apply"], &REPOSITORY[..]].concat(), "n\n").await;
    assert_eq!(said.exit, Exit::Refused);
    let said = run(&cloud, &["--apply", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["IAM role", "done in", "the role exists as described"]);
    assert_eq!(audiences(&cloud).await, ["sts.amazonaws.com"]);
    let before = cloud.calls().len();
    assert_eq!(run(&cloud, &["--apply", "--yes"]).await.exit, Exit::Done);
    assert!(cloud.calls()[before..].iter().all(local_aws::call::Call::reads), "it was as described already");
    let said = run(&cloud, &["--set", "github.repository=example/renamed"]).await;
    has(&said.talk, &["~ IAM role", "repo:example/renamed:environment:staging"]);
    let said = run(&cloud, &["--apply", "--yes", "--set", "github.repository=example/renamed"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["the role exists as described"]);
}

/// What a workflow with these claims hears when it wants to take the role.
async fn take_the_role(cloud: &Cloud, claims: &Value) -> Result<(), String> {
    let request = somebody(cloud).sts.assume_role_with_web_identity().role_arn(ROLE).role_session_name("workflow");
    let taken = request.web_identity_token(token(claims)).send().await;
    taken.map(drop).map_err(|error| error.message().map_or_else(|| format!("{error:?}"), ToOwned::to_owned))
}

#[tokio::test(start_paused = true)]
async fn workflows_of_the_repository_take_the_role_whichever_name_github_gives_it_and_nobody_else_does() {
    let cloud = Cloud::default();
    assert_eq!(run(&cloud, &["--apply", "--yes"]).await.exit, Exit::Done);
    let ours = (("example", 42), ("weather", 4711));
    let nobody = || Err("Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned());
    for numbered in [false, true] {
        assert_eq!(take_the_role(&cloud, &claims(ours.0, ours.1, "staging", numbered)).await, Ok(()));
        for (owner, repository, environment) in [
            (ours.0, ours.1, "production"),
            // Somebody who took the name when it was free again.
            (ours.0, ("weather", 4712), "staging"),
            (("else", 43), ours.1, "staging"),
        ] {
            let theirs = claims(owner, repository, environment, numbered);
            assert_eq!(take_the_role(&cloud, &theirs).await, nobody(), "{theirs}");
        }
    }
    let mut on_a_branch = claims(ours.0, ours.1, "staging", true);
    on_a_branch["sub"] = "repo:example@42/weather@4711:ref:refs/heads/main".into();
    let mut for_others = claims(ours.0, ours.1, "staging", true);
    for_others["aud"] = "https://github.com/example".into();
    for theirs in [on_a_branch, for_others] {
        assert_eq!(take_the_role(&cloud, &theirs).await, nobody(), "{theirs}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_widens_is_found_and_undone() {
    let cloud = Cloud::default();
    assert_eq!(run(&cloud, &["--apply", "--yes"]).await.exit, Exit::Done);
    let iam = somebody(&cloud).iam;
    let role = ROLE.rsplit('/').next().unwrap();
    let anybody = r#"{"Version":"2012-10-17","Statement":[]}"#;
    iam.update_assume_role_policy().role_name(role).policy_document(anybody).send().await.unwrap();
    iam.put_role_policy().role_name(role).policy_name("more").policy_document(anybody).send().await.unwrap();
    iam.put_role_policy().role_name(role).policy_name("deploy-1").policy_document(anybody).send().await.unwrap();
    iam.update_role().role_name(role).description("odd").send().await.unwrap();
    let said = run(&cloud, &[]).await;
    has(
        &said.talk,
        &[
            "trust.Statement:\n        - []\n        + ",
            "policies.more",
            "policies.deploy-1.Statement",
            "description: odd -> ",
        ],
    );
    assert_eq!(run(&cloud, &["--apply", "--yes"]).await.exit, Exit::Done);
    has(&run(&cloud, &[]).await.talk, &["the role exists as described"]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_others_made_is_taken_as_it_is_and_only_gets_our_audience() {
    let cloud = Cloud::default();
    let iam = somebody(&cloud).iam;
    let theirs = iam.create_open_id_connect_provider().url("https://token.actions.githubusercontent.com");
    theirs.client_id_list("https://github.com/others").send().await.unwrap();
    let said = run(&cloud, &["--apply", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["audience: none -> sts.amazonaws.com"]);
    assert_eq!(audiences(&cloud).await, ["https://github.com/others", "sts.amazonaws.com"]);
}

#[tokio::test(start_paused = true)]
async fn removing_it_leaves_nothing_but_the_provider_that_others_may_rely_on() {
    let cloud = Cloud::default();
    assert_eq!(run(&cloud, &["--apply", "--yes"]).await.exit, Exit::Done);
    assert_eq!(census(&cloud).await.unwrap()["roles"], 1);
    assert_eq!(run(&cloud, &["--remove"]).await.exit, Exit::Refused);
    let said = run(&cloud, &["--remove", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert_eq!(census(&cloud).await.unwrap()["roles"], 0);
    assert_eq!(audiences(&cloud).await, ["sts.amazonaws.com"]);
}
