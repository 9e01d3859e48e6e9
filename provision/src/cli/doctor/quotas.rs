//! Whether the account has room for what is still to be made.
//!
//! Limits that AWS tells with the service itself are the account's own; of the others only the default is known, and an
//! account may have been given more.

use std::fmt;

use anyhow::Result;
use aws_sdk_iam::types::SummaryKeyType;

use super::super::session::Session;
use super::Finding;
use super::resources::There;
use crate::aws::AwsError;
use crate::context::Context;
use crate::resource::Resource as _;
use crate::resources::elastic_ip::ElasticIp;
use crate::resources::file_system::FileSystem;
use crate::resources::iam_role::IamRole;
use crate::resources::internet_gateway::InternetGateway;
use crate::resources::load_balancer::LoadBalancer;
use crate::resources::target_group::TargetGroup;
use crate::resources::vpc::Vpc;

/// How many of a kind may be there.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// What AWS says of this account.
    Told(usize),
    /// What accounts have that did not ask for more.
    Default(usize),
}

/// The room for one kind.
struct Room {
    there: usize,
    limit: Limit,
}

pub(super) async fn look(session: &Session<'_>, context: &Context, there: &There) -> Vec<Finding> {
    let to_make = |kind| there.to_make.get(kind).copied().unwrap_or_default();
    let providers = providers(session, context);
    let (networks, gateways, addresses, balancers, groups, disks, roles, providers) = tokio::join!(
        room("VPCs", to_make(Vpc::KIND), networks(context)),
        room("internet gateways", to_make(InternetGateway::KIND), gateways(context)),
        room("elastic IPs", to_make(ElasticIp::KIND), addresses(context)),
        room("load balancers", to_make(LoadBalancer::KIND), balancers(context)),
        room("target groups", to_make(TargetGroup::KIND), groups(context)),
        room("file systems", to_make(FileSystem::KIND), disks(context)),
        room("roles", to_make(IamRole::KIND), roles(context)),
        providers,
    );
    let rooms = [networks, gateways, addresses, balancers, groups, disks, roles, providers];
    let mut findings: Vec<_> = rooms.into_iter().flatten().collect();
    if findings.is_empty() {
        findings.push(Finding::good("quotas", "nothing is to be made that AWS counts"));
    }
    findings.push(vcpus(session));
    findings
}

/// Asks only where something is to be made: what is there has its room.
async fn room(what: &'static str, to_make: usize, room: impl Future<Output = Result<Room>>) -> Option<Finding> {
    if to_make == 0 {
        return None;
    }
    Some(match room.await {
        Ok(room) => room.finding(what, to_make),
        Err(error) => Finding::unasked(what, &error),
    })
}

impl Room {
    fn finding(&self, what: &'static str, to_make: usize) -> Finding {
        let text = format!("{} exist, {to_make} to be made, {}", self.there, self.limit);
        if self.there + to_make <= self.limit.number() {
            return Finding::good(what, text);
        }
        let advice = "remove what nobody needs, or ask AWS for more (Service Quotas)";
        match self.limit {
            Limit::Told(_) => Finding::bad(what, format_args!("{text}; {advice}")),
            Limit::Default(_) => Finding::note(
                what,
                format_args!("{text}; unless the account was given more, AWS will refuse: {advice}"),
            ),
        }
    }
}

impl Limit {
    fn number(self) -> usize {
        match self {
            Self::Told(number) | Self::Default(number) => number,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(number) => write!(f, "{number} allowed"),
            Self::Default(number) => write!(f, "{number} allowed by default"),
        }
    }
}

async fn networks(context: &Context) -> Result<Room> {
    let pages = context.aws.ec2.describe_vpcs().into_paginator().items().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?;
    Ok(Room { there: all.len(), limit: Limit::Default(5) })
}

/// Their limit follows that of the networks.
async fn gateways(context: &Context) -> Result<Room> {
    let pages = context.aws.ec2.describe_internet_gateways().into_paginator().items().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?;
    Ok(Room { there: all.len(), limit: Limit::Default(5) })
}

async fn addresses(context: &Context) -> Result<Room> {
    let answer = context.aws.ec2.describe_addresses().send().await.map_err(AwsError::from)?;
    Ok(Room { there: answer.addresses().len(), limit: Limit::Default(5) })
}

async fn balancers(context: &Context) -> Result<Room> {
    let listed = async {
        let pages = context.aws.elb.describe_load_balancers().into_paginator().items().send();
        Ok(pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?)
    };
    let (all, limit) = tokio::try_join!(listed, told(context, "application-load-balancers", 50))?;
    let applications = all.iter().filter(|it| it.r#type().is_none_or(|kind| kind.as_str() == "application")).count();
    Ok(Room { there: applications, limit })
}

async fn groups(context: &Context) -> Result<Room> {
    let listed = async {
        let pages = context.aws.elb.describe_target_groups().into_paginator().items().send();
        Ok(pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?)
    };
    let (all, limit) = tokio::try_join!(listed, told(context, "target-groups", 3000))?;
    Ok(Room { there: all.len(), limit })
}

/// What load balancing says of the account.
async fn told(context: &Context, name: &str, default: usize) -> Result<Limit> {
    let answer = context.aws.elb.describe_account_limits().send().await.map_err(AwsError::from)?;
    let found = answer.limits().iter().find(|limit| limit.name() == Some(name));
    let number = found.and_then(|limit| limit.max()?.parse().ok());
    Ok(number.map_or(Limit::Default(default), Limit::Told))
}

async fn disks(context: &Context) -> Result<Room> {
    let pages = context.aws.efs.describe_file_systems().into_paginator().items().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?;
    Ok(Room { there: all.len(), limit: Limit::Default(1000) })
}

async fn roles(context: &Context) -> Result<Room> {
    let answer = context.aws.iam.get_account_summary().send().await.map_err(AwsError::from)?;
    let summary = answer.summary_map.unwrap_or_default();
    let number = |key| summary.get(&key).and_then(|number| usize::try_from(*number).ok());
    let limit = number(SummaryKeyType::RolesQuota).map_or(Limit::Default(1000), Limit::Told);
    Ok(Room { there: number(SummaryKeyType::Roles).unwrap_or_default(), limit })
}

/// Workflows need the account to trust GitHub, which is made with their role.
async fn providers(session: &Session<'_>, context: &Context) -> Option<Finding> {
    const WHAT: &str = "OIDC providers";
    session.deployment.github.as_ref()?;
    let listed = context.aws.iam.list_open_id_connect_providers().send().await.map_err(AwsError::from);
    let listed = match listed {
        Ok(answer) => answer.open_id_connect_provider_list.unwrap_or_default(),
        Err(error) => return Some(Finding::unasked(WHAT, &error.into())),
    };
    let is_github = |arn: &str| arn.ends_with(&format!("/{}", crate::our_stack::pipeline::HOST));
    if listed.iter().filter_map(|it| it.arn()).any(is_github) {
        return None;
    }
    Some(Room { there: listed.len(), limit: Limit::Default(100) }.finding(WHAT, 1))
}

/// How many vCPUs on Fargate many new accounts may use at once.
const FARGATE: f64 = 6.0;

/// Nothing tells the limit but Service Quotas, so only the sum can be shown.
fn vcpus(session: &Session<'_>) -> Finding {
    const WHAT: &str = "Fargate vCPUs";
    let deployment = &session.deployment;
    let vcpus = f64::from(deployment.task.cpu) / 1024.0;
    let percent = deployment.service.maximum_percent;
    let replacing = |tasks: i32| f64::from(tasks * percent / 100) * vcpus;
    let (least, most) =
        (replacing(deployment.service.desired_count.max(deployment.scaling.min)), replacing(deployment.scaling.max));
    let text = format!(
        "a deploy needs {least} at once (tasks of {vcpus}, service.maximum_percent {percent}), and {most} at \
         scaling.max {}; many new accounts have {FARGATE}",
        deployment.scaling.max
    );
    if most <= FARGATE {
        return Finding::good(WHAT, text);
    }
    let advice =
        "ask AWS for more (Service Quotas, Fargate On-Demand vCPU resource count), or lower scaling.max or task.cpu";
    Finding::note(WHAT, format_args!("{text}; if yours has, {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(there: usize, to_make: usize, limit: Limit) -> super::super::Verdict {
        Room { there, limit }.finding("things", to_make).verdict
    }

    #[test]
    fn what_is_full_is_bad_only_where_the_limit_is_the_account_s_own() {
        use super::super::Verdict;
        assert_eq!(verdict(48, 2, Limit::Told(50)), Verdict::Good);
        assert_eq!(verdict(49, 2, Limit::Told(50)), Verdict::Bad);
        assert_eq!(verdict(5, 1, Limit::Default(5)), Verdict::Note);
    }
}
