//! What a call needs to be allowed, and how each service says that it is not.

use serde_json::Value;

use crate::answer::Refusal;
use crate::call::Call;

/// An IAM policy. What calls need is judged by actions, and by the thing where a call names one; IAM's simulator is asked about
/// circumstances, too.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    things: Vec<String>,
    /// Keys, each with the patterns of which one must fit.
    conditions: Vec<(String, Vec<String>)>,
}

impl Policy {
    /// Reads a policy document.
    pub fn of(document: &Value) -> Self {
        Self::of_all(std::slice::from_ref(document))
    }

    /// Reads several documents that belong together.
    pub fn of_all(documents: &[Value]) -> Self {
        let statements = documents.iter().flat_map(|document| document["Statement"].as_array().into_iter().flatten());
        Self { statements: statements.map(Statement::of).collect() }
    }

    /// Whether it allows an action, on something.
    pub fn allows(&self, action: &str) -> bool {
        self.judges(|statement| statement.is_about_action(action))
    }

    /// Whether it allows an action on a thing, under some circumstances.
    pub(crate) fn allows_named(&self, action: &str, thing: &str) -> bool {
        self.judges(|statement| statement.is_about_action(action) && statement.is_about_thing(thing))
    }

    fn judges(&self, is_about: impl Fn(&Statement) -> bool) -> bool {
        let any = |allows: bool| self.statements.iter().any(|it| it.allows == allows && is_about(it));
        any(true) && !any(false)
    }

    /// Whether it allows an action on a thing under some circumstances.
    pub fn allows_on(&self, action: &str, thing: &str, circumstances: &[(String, String)]) -> bool {
        self.judges(|statement| statement.is_about(action, thing, circumstances))
    }
}

impl Statement {
    fn of(statement: &Value) -> Self {
        let conditions = statement["Condition"].as_object().into_iter().flatten();
        let conditions = conditions.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
        Self {
            allows: statement["Effect"] == "Allow",
            actions: list(&statement["Action"]),
            things: list(&statement["Resource"]),
            conditions: conditions.map(|(key, values)| (key.clone(), list(values))).collect(),
        }
    }

    fn is_about_action(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| fits(pattern, action))
    }

    /// A statement that names no thing is a test's, and about all of them.
    fn is_about_thing(&self, thing: &str) -> bool {
        self.things.is_empty() || self.things.iter().any(|pattern| fits(pattern, thing))
    }

    fn is_about(&self, action: &str, thing: &str, circumstances: &[(String, String)]) -> bool {
        let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| fits(pattern, text));
        let holds = |(key, patterns): &(String, Vec<String>)| {
            circumstances.iter().any(|(known, value)| known == key && any(patterns, value))
        };
        self.is_about_action(action) && self.is_about_thing(thing) && self.conditions.iter().all(holds)
    }
}

/// One text, or several.
pub(crate) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(texts) => texts.iter().filter_map(|it| it.as_str().map(ToOwned::to_owned)).collect(),
        text => text.as_str().map(ToOwned::to_owned).into_iter().collect(),
    }
}

/// Whether a text fits a pattern with `*` for any characters and `?` for one.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => is_prefix(pattern, text) == Some(text.len()),
        Some((before, after)) => {
            let Some(length) = is_prefix(before, text) else { return false };
            let rest = &text[length..];
            (0..=rest.len()).any(|skipped| rest.is_char_boundary(skipped) && fits(after, &rest[skipped..]))
        }
    }
}

/// The length of a text's beginning that fits a pattern without `*`.
fn is_prefix(pattern: &str, text: &str) -> Option<usize> {
    let mut length = 0;
    let mut rest = text.chars();
    for wanted in pattern.chars() {
        let found = rest.next().filter(|found| wanted == '?' || *found == wanted)?;
        length += found.len_utf8();
    }
    Some(length)
}

/// The service as policies call it.
pub(crate) fn service(call: &Call) -> &str {
    if call.service == "monitoring" { "cloudwatch" } else { &call.service }
}

/// Every action that a call takes: its own, tagging, passing roles on, and what AWS does in the caller's name.
pub(crate) fn actions(call: &Call) -> Vec<String> {
    let service = service(call);
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
    // Load balancing has a say of its own in what stands before its load balancers.
    if call.service == "wafv2" {
        let needed: &[&str] = match call.operation.as_str() {
            "AssociateWebACL" => &["elasticloadbalancing:CreateWebACLAssociation"],
            "DisassociateWebACL" => &["elasticloadbalancing:DeleteWebACLAssociation"],
            _ => &["elasticloadbalancing:GetLoadBalancerWebACL", "wafv2:GetWebACL"],
        };
        actions.extend(needed.iter().map(ToString::to_string));
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
    fn the_simulator_looks_at_things_and_circumstances_too() {
        let tagged = |value: &str| [("aws:ResourceTag/app".to_owned(), value.to_owned())];
        let policy = Policy::of(&json!({"Statement": [{
            "Effect": "Allow", "Action": "ec2:DeleteVpc", "Resource": ["arn:aws:ec2:r:1:vpc/vpc-??"],
            "Condition": {"StringEquals": {"aws:ResourceTag/app": ["wcg", "other"]}},
        }]}));
        assert!(policy.allows_on("ec2:DeleteVpc", "arn:aws:ec2:r:1:vpc/vpc-12", &tagged("wcg")));
        assert!(!policy.allows_on("ec2:DeleteVpc", "arn:aws:ec2:r:1:vpc/vpc-123", &tagged("wcg")));
        assert!(!policy.allows_on("ec2:DeleteVpc", "arn:aws:ec2:r:1:vpc/vpc-12", &tagged("else")));
        assert!(!policy.allows_on("ec2:DeleteVpc", "arn:aws:ec2:r:1:vpc/vpc-12", &[]));
    }

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
