//! Who may do what: the roles of the task, and the role of a pipeline.

use config::deployment::Github;
use local_aws::checks::lines;
use local_aws::commands::piped;
use local_aws::github::REPOSITORY;
use provision::cli::Exit;
use provision::context::Context;
use provision::guard::Access;
use provision::our_stack::pipeline;
use provision::plan::{Goal, observe};
use serde_json::json;

use crate::account::Account;
use crate::case::{Case, repaired};

/// Lets a role do everything, by a policy that is not its own.
async fn let_do_everything(account: &Account, role: &str) {
    let everything = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    ]});
    let request = account.aws.iam.create_policy().policy_name(format!("everything-for-{role}"));
    let made = request.policy_document(everything.to_string()).send().await.unwrap();
    let request = account.aws.iam.attach_role_policy().role_name(account.names.role(role));
    request.set_policy_arn(made.policy.unwrap().arn).send().await.unwrap();
}

fn nothing() -> String {
    json!({"Version": "2012-10-17", "Statement": []}).to_string()
}

pub(crate) const ROLES: &[Case] = &[
    Case::new(&["~ task-role description"], |it| {
        Box::pin(async move {
            it.aws.iam.update_role().role_name(it.names.role("task")).description("odd").send().await.unwrap();
        })
    }),
    Case::new(
        &["~ task-role trust.Statement.Principal.AWS trust.Statement.Principal.Service trust.Statement.Condition"],
        |it| {
            Box::pin(async move {
                let anybody = json!({"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
                ]});
                let request = it.aws.iam.update_assume_role_policy().role_name(it.names.role("task"));
                request.policy_document(anybody.to_string()).send().await.unwrap();
            })
        },
    ),
    Case::new(&["~ task-role policies.disk.Statement"], |it| {
        Box::pin(async move {
            let request = it.aws.iam.put_role_policy().role_name(it.names.role("task")).policy_name("disk");
            request.policy_document(nothing()).send().await.unwrap();
        })
    }),
    Case::new(&["~ task-role policies.more"], |it| {
        Box::pin(async move {
            let request = it.aws.iam.put_role_policy().role_name(it.names.role("task")).policy_name("more");
            request.policy_document(nothing()).send().await.unwrap();
        })
    }),
    Case::new(&["~ execution-role policies.start"], |it| {
        Box::pin(async move {
            let request = it.aws.iam.delete_role_policy().role_name(it.names.role("execution"));
            request.policy_name("start").send().await.unwrap();
        })
    }),
    Case::new(&["~ task-role attached"], |it| Box::pin(async move { let_do_everything(it, "task").await })),
    Case::new(&["+ task-role", "? cache-policy", "? task", "? service"], |it| {
        Box::pin(async move {
            let role = it.names.role("task");
            it.aws.iam.delete_role_policy().role_name(&role).policy_name("disk").send().await.unwrap();
            it.aws.iam.delete_role().role_name(role).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_roles_is_changed_back() {
    repaired(&Account::deployed().await, ROLES).await;
}

/// The same policy in other words: AWS gives policies back in another order, and lists of one as single values.
#[tokio::test(start_paused = true)]
async fn a_policy_in_other_words_is_the_same_policy() {
    let account = Account::deployed().await;
    let role = account.names.role("task");
    let read = account.aws.iam.get_role_policy().role_name(&role).policy_name("disk").send().await.unwrap();
    let text = percent_encoding::percent_decode_str(&read.policy_document).decode_utf8().unwrap().into_owned();
    let mut policy: serde_json::Value = serde_json::from_str(&text).unwrap();
    policy["Statement"] = policy["Statement"][0].take();
    policy["Statement"]["Action"].as_array_mut().unwrap().reverse();
    let resource = policy["Statement"]["Resource"].take();
    policy["Statement"]["Resource"] = json!([resource]);
    let request = account.aws.iam.put_role_policy().role_name(role).policy_name("disk");
    request.policy_document(policy.to_string()).send().await.unwrap();
    assert_eq!(local_aws::checks::changes(&account.runs).await.unwrap(), Vec::<String>::new());
}

/// A role that has more than its own policies goes all the same.
#[tokio::test(start_paused = true)]
async fn destroy_takes_a_role_with_whatever_was_attached_to_it() {
    let account = Account::deployed().await;
    let_do_everything(&account, "task").await;
    account.runs.destroy().await.unwrap();
}

/// The same as the configuration reads it.
pub(crate) fn github() -> Github {
    Github {
        repository: "example/weather".to_owned(),
        repository_id: 4711,
        owner_id: 42,
        environments: vec!["staging".to_owned()],
    }
}

pub(crate) async fn apply(account: &Account) {
    let words = [&["ci-role", "--apply", "--yes"], &REPOSITORY[..]].concat();
    let said = piped(&account.runs.cloud, &words, "").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
}

/// Cases of the pipeline's own stack, whose plans are those of `provision ci-role`.
pub(crate) const PIPELINE: &[Case] = &[
    Case::new(&["~ github audience"], |it| {
        Box::pin(async move {
            let request = it.aws.iam.remove_client_id_from_open_id_connect_provider();
            let request = request.open_id_connect_provider_arn(PROVIDER).client_id("sts.amazonaws.com");
            request.send().await.unwrap();
        })
    }),
    Case::new(&["+ github", "? pipeline-role"], |it| {
        Box::pin(async move {
            let request = it.aws.iam.delete_open_id_connect_provider().open_id_connect_provider_arn(PROVIDER);
            request.send().await.unwrap();
        })
    }),
    Case::new(&["~ pipeline-role trust.Statement.Condition.StringLike trust.Statement.Condition.StringEquals"], |it| {
        Box::pin(async move {
            let open = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action":
                "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": PROVIDER}, "Condition": {"StringLike":
                {"token.actions.githubusercontent.com:sub": "repo:example/*"}}}]});
            let request = it.aws.iam.update_assume_role_policy().role_name(it.names.role("pipeline"));
            request.policy_document(open.to_string()).send().await.unwrap();
        })
    }),
    Case::new(&["~ pipeline-role attached"], |it| Box::pin(async move { let_do_everything(it, "pipeline").await })),
];

const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

/// What `provision ci-role` would do.
async fn plan(account: &Account) -> Vec<String> {
    let stack = pipeline::stack(&account.runs.deployment, &github());
    let aws = account.runs.cloud.aws(account.runs.owner(), Access::ReadOnly);
    let world = observe(&stack, &Context::silent(aws)).await.unwrap();
    lines(&provision::plan::plan(&stack, &world, Goal::Present).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_pipeline_is_changed_back() {
    let account = Account::empty().await;
    apply(&account).await;
    for case in PIPELINE {
        case.happens(&account).await;
        assert_eq!(plan(&account).await, case.finds);
        apply(&account).await;
    }
    assert_eq!(plan(&account).await, Vec::<String>::new());
}
