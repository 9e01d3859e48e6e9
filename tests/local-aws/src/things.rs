//! What a call names by a name of its own, as the ARN on which a policy must allow it.
//!
//! EC2 and EFS know things by identifiers of AWS's own and policies by tags; what a call needs there is judged by its action.

use crate::call::Call;
use crate::world::World;
use crate::{ACCOUNT, REGION};

/// The thing, if the call names one that policies name, too.
pub(crate) fn named_by(call: &Call, world: &World) -> Option<String> {
    let describes = call.operation.starts_with("Describe") || call.operation.starts_with("List");
    match call.service.as_str() {
        "logs" => {
            let name = first(call, &["logGroupName", "logGroupIdentifier", "resourceArn"])?;
            (call.operation != "DescribeLogGroups").then(|| arn("logs", "log-group:", &name, ""))
        }
        "iam" => role(call, world),
        "ecr" => {
            Some(arn("ecr", "repository/", &first(call, &["repositoryName", "repositoryNames", "resourceArn"])?, ""))
        }
        "sns" => Some(arn("sns", "", &first(call, &["TopicArn", "ResourceArn", "Name"])?, "")),
        // AWS puts six characters behind a secret's name.
        "secretsmanager" => Some(arn("secretsmanager", "secret:", &first(call, &["Name", "SecretId"])?, "-aBcDeF")),
        "monitoring" if call.operation != "DescribeAlarms" => {
            let alarm = first(call, &["AlarmName", "AlarmNames", "ResourceARN"]);
            let alarm = alarm.map(|name| arn("cloudwatch", "alarm:", &name, ""));
            let dashboard = first(call, &["DashboardName", "DashboardNames"]);
            alarm.or_else(|| Some(format!("arn:aws:cloudwatch::{ACCOUNT}:dashboard/{}", dashboard?)))
        }
        "ecs" if ["CreateCluster", "UpdateCluster", "DeleteCluster"].contains(&call.operation.as_str()) => {
            Some(arn("ecs", "cluster/", &first(call, &["cluster", "clusterName"])?, ""))
        }
        "ecs" if ["CreateService", "UpdateService", "DeleteService"].contains(&call.operation.as_str()) => {
            let cluster = first(call, &["cluster"])?;
            let cluster = cluster.rsplit('/').next().unwrap_or_default();
            Some(arn("ecs", &format!("service/{cluster}/"), &first(call, &["serviceName", "service"])?, ""))
        }
        "elasticloadbalancing" if !describes => {
            let kind = if call.operation == "CreateTargetGroup" { "targetgroup/" } else { "loadbalancer/app/" };
            let known =
                ["RuleArn", "ListenerArn", "LoadBalancerArn", "TargetGroupArn", "ResourceArns.member.1", "Name"];
            Some(arn("elasticloadbalancing", kind, &first(call, &known)?, "/0f1e2d3c4b5a6978"))
        }
        _ => None,
    }
}

/// The first of these fields that is there, or the first of its values.
fn first(call: &Call, fields: &[&str]) -> Option<String> {
    let values = fields.iter().map(|field| &call.fields[*field]);
    let texts = values.map(|value| value.as_str().or_else(|| value[0].as_str()).unwrap_or_default());
    texts.filter(|text| !text.is_empty()).map(ToOwned::to_owned).next()
}

/// An ARN stays as it is.
fn arn(service: &str, kind: &str, name: &str, end: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}{name}{end}")
}

/// A role that does not exist has no path that IAM could know, so it is judged by its name alone.
fn role(call: &Call, world: &World) -> Option<String> {
    let name = first(call, &["RoleName"])?;
    let given = first(call, &["Path"]).filter(|_| call.operation == "CreateRole");
    let path = given.or_else(|| Some(world.roles.get(&name)?.path.clone())).unwrap_or_else(|| "/".to_owned());
    Some(format!("arn:aws:iam::{ACCOUNT}:role{path}{name}"))
}
