//! What does not show yet although it is there, and what still reads as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::answer::Answer;
use crate::call::Call;

/// How long EC2 does not know what it has just made.
const GAP: Duration = Duration::from_secs(1);
/// How long a changed attribute reads as before.
const STALE: Duration = Duration::from_millis(400);

/// What was made and changed, and when.
#[derive(Debug, Default)]
pub struct Visibility {
    made: BTreeMap<String, Duration>,
    changed: BTreeMap<String, Duration>,
    /// Until when the tags of something do not show.
    untagged: BTreeMap<String, Duration>,
    /// The last answer to each question.
    answers: BTreeMap<String, Answer>,
}

/// What makes a thing, what lists it, and the element that holds its identifier.
const MAKES: [(&str, &str, &str); 9] = [
    ("CreateVpc", "DescribeVpcs", "vpcId"),
    ("CreateSubnet", "DescribeSubnets", "subnetId"),
    ("CreateInternetGateway", "DescribeInternetGateways", "internetGatewayId"),
    ("CreateRouteTable", "DescribeRouteTables", "routeTableId"),
    ("CreateSecurityGroup", "DescribeSecurityGroups", "groupId"),
    ("AllocateAddress", "DescribeAddresses", "allocationId"),
    ("CreateNatGateway", "DescribeNatGateways", "natGatewayId"),
    ("CreateFlowLogs", "DescribeFlowLogs", "flowLogId"),
    ("CreateVpcEndpoint", "DescribeVpcEndpoints", "vpcEndpointId"),
];

impl Visibility {
    /// Whether EC2 knows something already.
    pub fn is_visible(&self, id: &str, now: Duration) -> bool {
        self.made.get(id).is_none_or(|made| now >= *made + GAP)
    }

    pub(super) fn learn(&mut self, call: &Call, answer: &Answer, now: Duration) {
        if let Some((.., element)) = MAKES.iter().find(|(operation, ..)| *operation == call.operation) {
            // Flow logs are answered as a list of identifiers.
            let element = if call.operation == "CreateFlowLogs" { "item" } else { element };
            self.made.insert(answer.element(element).to_owned(), now);
        }
        let changed = match call.operation.as_str() {
            "ModifyVpcAttribute" => call.text("VpcId"),
            "ModifySubnetAttribute" => call.text("SubnetId"),
            _ => return,
        };
        self.changed.insert(changed.to_owned(), now);
    }

    /// Hides the tags of what an answer has just announced.
    pub(crate) fn hide_tags(&mut self, ids: Vec<String>, until: Duration) {
        self.untagged.extend(ids.into_iter().map(|id| (id, until)));
    }

    /// Somebody takes the tags from things, or gives them back.
    pub(super) fn retag(&mut self, call: &Call) -> Answer {
        for id in call.list("ResourceId") {
            if call.operation == "DeleteTags" {
                self.untagged.insert(id.to_owned(), Duration::MAX);
            } else {
                self.untagged.remove(id);
            }
        }
        let operation = &call.operation;
        Answer::xml(format!("<{operation}Response><return>true</return></{operation}Response>"))
    }

    /// Takes out of a list what was made a moment ago.
    pub(super) fn hide_new(&self, call: &Call, answer: &mut Answer, now: Duration) {
        let young = self.made.iter().filter(|(_, made)| now < **made + GAP);
        for (id, _) in young {
            answer.body = without(call, &answer.body, id);
        }
    }

    /// Takes tags out of an answer that are not known everywhere yet.
    pub(super) fn hide_untagged(&self, call: &Call, answer: &mut Answer, now: Duration) {
        for (id, _) in self.untagged.iter().filter(|(_, until)| now < **until) {
            if call.service == "ec2" {
                // What has no tags is not found by them, and shows none where it is listed.
                let filters = super::network::filters(call);
                let by_tags = filters.iter().any(|(name, _)| name.starts_with("tag:"));
                let shown = |item: &str| if by_tags { String::new() } else { without_tags(item) };
                answer.body = with_item(call, &answer.body, id, shown);
            } else if !is_of_ec2(id) && (answer.body.contains(id.as_str()) || asks_for(call, id)) {
                answer.body = without_tags(&answer.body);
            }
        }
    }

    /// The answer to the same question as it was before, while a change has not arrived everywhere.
    pub(super) fn stale(&self, call: &Call, answer: &Answer, now: Duration) -> Option<Answer> {
        let mut fresh = self.changed.iter().filter(|(_, changed)| now < **changed + STALE);
        let concerned = fresh.any(|(id, _)| answer.body.contains(id.as_str()));
        concerned.then(|| self.before(call)).flatten()
    }

    /// The last answer to the same question.
    pub(crate) fn before(&self, call: &Call) -> Option<Answer> {
        self.answers.get(&question(call)).cloned()
    }

    /// Remembers an answer.
    pub(crate) fn remember(&mut self, call: &Call, answer: &Answer) {
        self.answers.insert(question(call), answer.clone());
    }
}

fn question(call: &Call) -> String {
    format!("{}/{}/{}", call.service, call.operation, call.fields)
}

fn asks_for(call: &Call, id: &str) -> bool {
    call.fields.as_object().is_some_and(|fields| fields.values().any(|value| value.as_str() == Some(id)))
}

/// Whether it is something of EC2, which others mention and which says nothing of their own tags.
fn is_of_ec2(id: &str) -> bool {
    let kinds = ["eipalloc-", "fl-", "igw-", "nat-", "rtb-", "sg-", "subnet-", "vpc-", "vpce-"];
    kinds.iter().any(|kind| id.starts_with(kind))
}

/// The identifiers that an answer to a creation announces.
pub(crate) fn announced(answer: &Answer) -> Vec<String> {
    let xml = ["LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn", "RoleName", "TopicArn"];
    let xml = xml.iter().chain(MAKES.iter().map(|(.., element)| element));
    let mut ids: Vec<_> = xml.map(|element| answer.element(element).to_owned()).collect();
    let value = answer.value();
    let json = [
        "/FileSystemId",
        "/AccessPointId",
        "/ARN",
        "/repository/repositoryArn",
        "/cluster/clusterArn",
        "/service/serviceArn",
        "/taskDefinition/taskDefinitionArn",
        "/CertificateArn",
    ];
    ids.extend(json.iter().filter_map(|path| Some(value.pointer(path)?.as_str()?.to_owned())));
    ids.retain(|id| !id.is_empty());
    ids
}

/// Takes a thing out of the list of its kind.
fn without(call: &Call, body: &str, id: &str) -> String {
    with_item(call, body, id, |_| String::new())
}

/// Shows a thing otherwise in the list of its kind.
fn with_item(call: &Call, body: &str, id: &str, shown: impl Fn(&str) -> String) -> String {
    let Some((.., element)) = MAKES.iter().find(|(_, lists, _)| call.is("ec2", lists)) else { return body.to_owned() };
    let open = format!("<{element}>");
    let mut kept = String::new();
    let mut rest = body;
    while let Some(start) = rest.find("<item>") {
        let end = start + item_length(&rest[start..]);
        let item = &rest[start..end];
        kept.push_str(&rest[..start]);
        // The first identifier of its kind is its own; what it mentions comes after.
        let own = item.split_once(&open).and_then(|(_, after)| after.split('<').next());
        if own == Some(id) {
            kept.push_str(&shown(item));
        } else {
            kept.push_str(item);
        }
        rest = &rest[end..];
    }
    kept + rest
}

/// How long the item is that a text begins with, and that may hold others.
pub(super) fn item_length(body: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let open = body[at..].find("<item>");
        let Some(close) = body[at..].find("</item>") else { return body.len() };
        if open.is_some_and(|open| open < close) {
            depth += 1;
            at += open.unwrap_or_default() + "<item>".len();
        } else {
            depth -= 1;
            at += close + "</item>".len();
            if depth == 0 {
                return at;
            }
        }
    }
}

/// Takes all tags out of an answer, in whatever way it is written.
fn without_tags(body: &str) -> String {
    if body.trim_start().starts_with('{') {
        let Ok(mut value) = serde_json::from_str(body) else { return body.to_owned() };
        strip(&mut value);
        return value.to_string();
    }
    let mut body = body.to_owned();
    for element in ["Tags", "tagSet"] {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        while let Some(start) = body.find(&open) {
            let Some(length) = body[start..].find(&close) else { break };
            body.replace_range(start..start + length + close.len(), "");
        }
    }
    body
}

fn strip(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|key, _| !key.eq_ignore_ascii_case("tags"));
            fields.values_mut().for_each(strip);
        }
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(strip),
        _ => (),
    }
}
