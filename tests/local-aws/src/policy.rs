//! What a call needs to be allowed, and how each service says that it is not.

use serde_json::Value;

use crate::answer::Refusal;
use crate::call::Call;

/// An IAM policy, as far as actions go: which things it is about is not looked at.
#[derive(Clone, Debug)]
pub struct Policy {
    allowed: Vec<String>,
    denied: Vec<String>,
}

impl Policy {
    /// Reads a policy document.
    pub fn of(document: &Value) -> Self {
        let (mut allowed, mut denied) = (Vec::new(), Vec::new());
        for statement in document["Statement"].as_array().into_iter().flatten() {
            let list = if statement["Effect"] == "Allow" { &mut allowed } else { &mut denied };
            match &statement["Action"] {
                Value::Array(actions) => {
                    list.extend(actions.iter().filter_map(|it| it.as_str().map(ToOwned::to_owned)));
                }
                action => list.extend(action.as_str().map(ToOwned::to_owned)),
            }
        }
        Self { allowed, denied }
    }

    /// Whether it allows an action.
    pub fn allows(&self, action: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, action));
        any(&self.allowed) && !any(&self.denied)
    }
}

/// Whether an action fits a pattern with `*` for any characters.
fn fits(pattern: &str, action: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == action,
        Some((before, after)) => {
            let Some(rest) = action.strip_prefix(before) else { return false };
            (0..=rest.len()).any(|skipped| rest.is_char_boundary(skipped) && fits(after, &rest[skipped..]))
        }
    }
}

/// Every action that a call takes: its own, tagging, passing roles on, and what AWS does in the caller's name.
pub(crate) fn actions(call: &Call) -> Vec<String> {
    let service = if call.service == "monitoring" { "cloudwatch" } else { &call.service };
    let mut actions = vec![format!("{service}:{}", call.operation)];
    if tags(call) {
        let tagging = match service {
            "ec2" => "CreateTags",
            "elasticloadbalancing" => "AddTags",
            "iam" if call.operation == "CreateOpenIDConnectProvider" => "TagOpenIDConnectProvider",
            "iam" => "TagRole",
            "acm" => "AddTagsToCertificate",
            _ => "TagResource",
        };
        actions.push(format!("{service}:{tagging}"));
    }
    let roles = ["executionRoleArn", "taskRoleArn"];
    if call.is("ecs", "RegisterTaskDefinition") && roles.iter().any(|role| !call.text(role).is_empty()) {
        actions.push("iam:PassRole".to_owned());
    }
    if call.is("ec2", "CreateFlowLogs") && !call.text("DeliverLogsPermissionArn").is_empty() {
        actions.push("iam:PassRole".to_owned());
    }
    if call.is("ec2", "CreateVpcEndpoint") && call.text("PrivateDnsEnabled") == "true" {
        actions.push("route53:AssociateVPCWithHostedZone".to_owned());
    }
    if call.is("elasticfilesystem", "CreateMountTarget") {
        let needed = ["DescribeSubnets", "DescribeNetworkInterfaces", "CreateNetworkInterface"];
        actions.extend(needed.map(|operation| format!("ec2:{operation}")));
    }
    // Who calls is told to everybody, whatever their policy says.
    actions.retain(|action| action != "sts:GetCallerIdentity");
    actions
}

/// Whether a creation comes with tags.
pub(crate) fn tags(call: &Call) -> bool {
    let creates =
        ["Create", "Register", "Request", "Allocate", "Put"].iter().any(|verb| call.operation.starts_with(verb));
    let Some(fields) = call.fields.as_object().filter(|_| creates && call.operation != "CreateTags") else {
        return false;
    };
    let tags = |key: &str, value: &Value| {
        let flat = ["Tags.member.1.", "TagSpecification.1.Tag.1."].iter().any(|list| key.starts_with(list));
        flat || (key.eq_ignore_ascii_case("tags") && !value.is_null())
    };
    fields.iter().any(|(key, value)| tags(key, value))
}

/// How a service refuses an action.
pub(crate) fn denial(call: &Call, action: &str) -> Refusal {
    let caller = format!("arn:aws:iam::{}:user/simulated", crate::ACCOUNT);
    let message = format!(
        "User: {caller} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    );
    let (status, code) = match call.service.as_str() {
        "ec2" => (403, "UnauthorizedOperation"),
        "iam" | "elasticloadbalancing" | "sts" | "monitoring" | "route53" => (403, "AccessDenied"),
        "sns" => (403, "AuthorizationError"),
        "elasticfilesystem" => (403, "AccessDeniedException"),
        _ => (400, "AccessDeniedException"),
    };
    Refusal { status, ..Refusal::new(code, message) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_allow_and_denials_win() {
        let policy = Policy::of(&json!({"Statement": [
            {"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:*Vpc", "ecs:CreateCluster"]},
            {"Effect": "Deny", "Action": "ec2:DeleteVpc"},
        ]}));
        for (action, allowed) in [
            ("ec2:DescribeVpcs", true),
            ("ec2:CreateVpc", true),
            ("ec2:DeleteVpc", false),
            ("ecs:CreateCluster", true),
            ("ecs:CreateClusters", false),
        ] {
            assert_eq!(policy.allows(action), allowed, "{action}");
        }
    }
}
