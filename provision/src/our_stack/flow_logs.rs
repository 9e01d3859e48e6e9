//! What connects to what, written down: the flow log of the network, its log group, and the role that writes.

use config::deployment::Deployment;
use serde_json::{Value, json};

use super::policies::{allow, policy};
use crate::names::Names;
use crate::resources::flow_log::{FlowLog, FlowLogSpec};
use crate::resources::iam_role::{IamRole, IamRoleSpec};
use crate::resources::identity::Identity;
use crate::resources::log_group::LogGroup;
use crate::resources::vpc::Vpc;
use crate::stack::{Handle, Stack};

pub(super) fn add(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    identity: Handle<Identity>,
    vpc: Handle<Vpc>,
) {
    let group = LogGroup { name: names.flow_logs(), resource: "flow-log-group".to_owned() };
    let role = IamRole { name: names.role("flow-log"), path: names.role_path(), resource: "flow-log-role".to_owned() };
    let flow_log = FlowLog { name: "flow-log".to_owned() };
    if !deployment.network.flow_logs {
        let group = stack.retire("flow-log-group", group, &());
        let role = stack.retire("flow-log-role", role, &());
        stack.retire("flow-log", flow_log, &(vpc, group, role));
        return;
    }
    let group = stack.add("flow-log-group", group, (), super::log_group_spec(deployment));
    let region = deployment.region.clone();
    let role = stack.add("flow-log-role", role, (identity, group), move |(caller, group)| {
        let write = ("write".to_owned(), may_write(&region, &caller.account, &group.arn));
        let about = "Writes down the connections in the network".to_owned();
        IamRoleSpec::new(about, trust(&region, &caller.account), [write].into())
    });
    stack.add("flow-log", flow_log, (vpc, group, role), |(vpc, group, role)| FlowLogSpec {
        vpc_id: vpc.id,
        // What was refused says who tried, and what was let through says who succeeded.
        traffic: "ALL".to_owned(),
        // The longer of the two that AWS offers: fewer lines, and each is billed.
        aggregation_seconds: 600,
        log_group: group.name,
        tagged: true,
        role_arn: role.arn,
    });
}

/// Only flow logs, and only this account's own.
fn trust(region: &str, account: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "vpc-flow-logs.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": account },
                "ArnLike": { "aws:SourceArn": format!("arn:aws:ec2:{region}:{account}:vpc-flow-log/*") },
            },
        }],
    })
}

/// The group is there, and nobody makes it again who only writes: so it can be deleted.
fn may_write(region: &str, account: &str, group: &str) -> Value {
    let streams = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
    policy(json!([
        allow(&streams, &format!("{group}:*")),
        // A list of groups has no narrower resource.
        allow(&["logs:DescribeLogGroups"], &format!("arn:aws:logs:{region}:{account}:log-group:*")),
    ]))
}
