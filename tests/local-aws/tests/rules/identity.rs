//! Roles, their policies, and what a caller may do.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use local_aws::github::{claims, token};
use local_aws::policy::Policy;
use serde_json::json;

use crate::account::{Account, TRUST};
use crate::harness::{Said, probes, said};

const GITHUB: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

async fn create(it: &Account, name: &str, trust: &str, description: &str) -> Said {
    let request = it.aws.iam.create_role().role_name(name).assume_role_policy_document(trust);
    said(request.description(description).send().await)
}

probes! {
    policy_documents: "MalformedPolicyDocument", "Invalid principal in policy", async |it: Account| {
        let nobody = json!({"AWS": "arn:aws:iam::123456789012:role/nobody"});
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": nobody, "Action": "sts:AssumeRole"},
        ]});
        create(&it, "r", &trust.to_string(), "").await
    };
    trust_that_is_no_json of policy_documents: "MalformedPolicyDocument", "This policy contains invalid Json",
        async |it: Account| create(&it, "r", "{", "").await;
    policy_without_a_statement of policy_documents: "MalformedPolicyDocument", "Syntax errors in policy.",
        async |it: Account| {
            it.role("r", TRUST).await;
            let request = it.aws.iam.put_role_policy().role_name("r").policy_name("p");
            said(request.policy_document(r#"{"Version":"2012-10-17"}"#).send().await)
        };
    long_trust of policy_sizes: "LimitExceeded", "ACLSizePerRole: 2048", async |it: Account| {
        let trust = TRUST.replace("ecs-tasks", &"x".repeat(2000));
        create(&it, "r", &trust, "").await
    };
    policy_sizes: "LimitExceeded", "10240", async |it: Account| {
        it.role("r", TRUST).await;
        let resource = format!("arn:aws:s3:::{}", "x".repeat(10_300));
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource},
        ]});
        let request = it.aws.iam.put_role_policy().role_name("r").policy_name("p");
        said(request.policy_document(policy.to_string()).send().await)
    };
    role_names: "EntityAlreadyExists", "already exists", async |it: Account| {
        it.role("Same", TRUST).await;
        create(&it, "same", TRUST, "").await
    };
    role_descriptions: "ValidationError", "description", async |it: Account| create(&it, "r", TRUST, "a — b").await;
    github_subject: "MalformedPolicyDocument", "token.actions.githubusercontent.com:sub", async |it: Account| {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
        }]});
        create(&it, "r", &trust.to_string(), "").await
    };
    github_subject_taken_away of github_subject: "MalformedPolicyDocument", "must evaluate the condition key",
        async |it: Account| {
            it.role("r", TRUST).await;
            let trust = TRUST.replace(r#""Service":"ecs-tasks.amazonaws.com""#, &format!(r#""Federated":"{GITHUB}""#));
            said(it.aws.iam.update_assume_role_policy().role_name("r").policy_document(trust).send().await)
        };
    web_identity: "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", async |it: Account| {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": GITHUB}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": "repo:example/weather:environment:staging",
            }},
        }]});
        it.role("pipeline", &trust.to_string()).await;
        let take = async |numbered| {
            let token = token(&claims(("example", 42), ("weather", 4711), "staging", numbered));
            let request = it.aws.sts.assume_role_with_web_identity().role_arn("arn:aws:iam::123456789012:role/pipeline");
            said(request.role_session_name("workflow").web_identity_token(token).send().await)
        };
        assert_eq!(take(false).await, None, "the repository as the trust names it");
        take(true).await
    };
    authorisation: "UnauthorizedOperation", "not authorized to perform: ec2:CreateVpc", async |it: Account| {
        let policy = json!({"Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:CreateTags"]}]});
        it.cloud.world(|world| world.policy = Some(Policy::of(&policy)));
        said(it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send().await)
    };
    a_thing_of_another_name of authorisation: "AccessDeniedException", "not authorized to perform: logs:DeleteLogGroup",
        async |it: Account| {
            let ours = "arn:aws:logs:ap-northeast-1:123456789012:log-group:/ours";
            let policy = json!({"Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": [ours]}]});
            it.cloud.world(|world| world.policy = Some(Policy::of(&policy)));
            let delete = async |name| said(it.aws.logs.delete_log_group().log_group_name(name).send().await);
            let (code, _) = delete("/ours").await.unwrap();
            assert_eq!(code, "ResourceNotFoundException", "this one may be looked for");
            delete("/theirs").await
        };
    the_path_of_an_absent_role of authorisation: "AccessDenied", "not authorized to perform: iam:GetRole",
        async |it: Account| {
            let ours = "arn:aws:iam::123456789012:role/ours/*";
            let policy = json!({"Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": ours}]});
            it.cloud.world(|world| world.policy = Some(Policy::of(&policy)));
            said(it.aws.iam.get_role().role_name("of-no-path").send().await)
        };
    tags_of_a_creation of authorisation: "UnauthorizedOperation", "not authorized to perform: ec2:CreateTags",
        async |it: Account| {
            let policy = json!({"Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:CreateVpc"]}]});
            it.cloud.world(|world| world.policy = Some(Policy::of(&policy)));
            let tags = TagSpecification::builder().resource_type(ResourceType::Vpc);
            let tags = tags.tags(Tag::builder().key("k").value("v").build()).build();
            said(it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").tag_specifications(tags).send().await)
        };
    roles_that_are_passed_on of authorisation: "AccessDeniedException", "not authorized to perform: iam:PassRole",
        async |it: Account| {
            let task = it.task().await;
            let policy = json!({"Statement": [{"Effect": "Allow", "Action": "ecs:*"}]});
            it.cloud.world(|world| world.policy = Some(Policy::of(&policy)));
            said(task.send().await)
        };
}
