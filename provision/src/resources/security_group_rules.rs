//! The rules of one security group, as a set: what is missing is added, what is too much is revoked.

use anyhow::Result;
use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, SecurityGroupRule, UserIdGroupPair};
use serde::Serialize;

use super::security_group;
use crate::aws::Absent as _;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The rules of the group with our tags.
#[derive(Debug)]
pub struct SecurityGroupRules {
    /// The group's name in the stack.
    pub name: String,
}

/// What they should be.
#[derive(Debug, Serialize)]
pub struct SecurityGroupRulesSpec {
    /// The group.
    pub group_id: String,
    /// What may come in, sorted.
    pub ingress: Vec<Rule>,
    /// What may go out, sorted.
    pub egress: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Rule {
    /// `tcp`, or `-1` for everything.
    pub protocol: String,
    /// The first port.
    pub from_port: i32,
    /// The last port.
    pub to_port: i32,
    /// Who is at the other end.
    pub peer: Peer,
    /// What it is for, in ASCII.
    pub description: String,
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// A block of addresses.
    Cidr(String),
    /// Everything in a security group.
    Group(String),
    /// Something this tool never asks for, such as IPv6 or a prefix list.
    Other,
}

/// A rule as it is on AWS.
#[derive(Clone, Debug)]
struct LiveRule {
    id: String,
    rule: Rule,
    egress: bool,
}

impl SecurityGroupRules {
    /// The rules with their identifiers.
    async fn rules(&self, context: &Context, group_id: &str) -> Result<Vec<LiveRule>> {
        let filter = Filter::builder().name("group-id").values(group_id).build();
        let answer = context.aws.ec2.describe_security_group_rules().filters(filter).send().await;
        let answer = answer.absent_on(&["InvalidGroup.NotFound"])?;
        let rules = answer.and_then(|answer| answer.security_group_rules).unwrap_or_default();
        Ok(rules.iter().map(LiveRule::of).collect())
    }

    async fn bring_about(&self, context: &Context, spec: &SecurityGroupRulesSpec) -> Result<()> {
        let live = self.rules(context, &spec.group_id).await?;
        for (wanted, egress) in [(&spec.ingress, false), (&spec.egress, true)] {
            let live: Vec<_> = live.iter().filter(|live| live.egress == egress).collect();
            let surplus = live.iter().filter(|live| !wanted.contains(&live.rule)).map(|live| live.id.clone());
            // First, because AWS takes the same ports and peer for the same rule, whatever the description.
            revoke(context, &spec.group_id, egress, surplus.collect()).await?;
            let missing = wanted.iter().filter(|rule| !live.iter().any(|live| live.rule == **rule));
            authorize(context, &spec.group_id, egress, missing.map(permission).collect()).await?;
        }
        Ok(())
    }
}

/// Already there is as good as added: the answer to an earlier attempt may have been lost.
async fn authorize(context: &Context, group_id: &str, egress: bool, permissions: Vec<IpPermission>) -> Result<()> {
    let ec2 = &context.aws.ec2;
    for permission in permissions {
        if egress {
            let request = ec2.authorize_security_group_egress().group_id(group_id).ip_permissions(permission);
            request.send().await.absent_on(&["InvalidPermission.Duplicate"])?;
        } else {
            let request = ec2.authorize_security_group_ingress().group_id(group_id).ip_permissions(permission);
            request.send().await.absent_on(&["InvalidPermission.Duplicate"])?;
        }
    }
    Ok(())
}

/// The identifiers of the rules of any group, each with whether it is about what goes out.
pub(super) async fn ids(context: &Context, group_id: &str) -> Result<Vec<(String, bool)>> {
    let filter = Filter::builder().name("group-id").values(group_id).build();
    let answer = context.aws.ec2.describe_security_group_rules().filters(filter).send().await;
    let rules = answer.absent_on(&["InvalidGroup.NotFound"])?.and_then(|answer| answer.security_group_rules);
    let rules = rules.unwrap_or_default().into_iter();
    Ok(rules.filter_map(|rule| Some((rule.security_group_rule_id?, rule.is_egress.unwrap_or_default()))).collect())
}

/// Takes rules away; already gone is as good.
pub(super) async fn revoke(context: &Context, group_id: &str, egress: bool, ids: Vec<String>) -> Result<()> {
    const GONE: &[&str] = &["InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"];
    if ids.is_empty() {
        return Ok(());
    }
    let ec2 = &context.aws.ec2;
    if egress {
        let request = ec2.revoke_security_group_egress().group_id(group_id).set_security_group_rule_ids(Some(ids));
        request.send().await.absent_on(GONE)?;
    } else {
        let request = ec2.revoke_security_group_ingress().group_id(group_id).set_security_group_rule_ids(Some(ids));
        request.send().await.absent_on(GONE)?;
    }
    Ok(())
}

impl LiveRule {
    fn of(rule: &SecurityGroupRule) -> Self {
        let peer = match (rule.cidr_ipv4(), rule.referenced_group_info().and_then(|group| group.group_id())) {
            (Some(cidr), _) => Peer::Cidr(cidr.to_owned()),
            (None, Some(group)) => Peer::Group(group.to_owned()),
            (None, None) => Peer::Other,
        };
        Self {
            id: rule.security_group_rule_id.clone().unwrap_or_default(),
            egress: rule.is_egress.unwrap_or_default(),
            rule: Rule {
                protocol: rule.ip_protocol.clone().unwrap_or_default(),
                from_port: rule.from_port.unwrap_or(-1),
                to_port: rule.to_port.unwrap_or(-1),
                peer,
                description: rule.description.clone().unwrap_or_default(),
            },
        }
    }
}

/// AWS lists several peers of the same ports together.
fn rules_of(permission: &IpPermission) -> Vec<Rule> {
    let cidrs = permission.ip_ranges().iter();
    let cidrs = cidrs.map(|it| (Peer::Cidr(it.cidr_ip().unwrap_or_default().to_owned()), it.description()));
    let groups = permission.user_id_group_pairs().iter();
    let groups = groups.map(|it| (Peer::Group(it.group_id().unwrap_or_default().to_owned()), it.description()));
    let others = permission.ipv6_ranges().len() + permission.prefix_list_ids().len();
    let others = std::iter::repeat_n((Peer::Other, None), others);
    let rule = |(peer, description): (Peer, Option<&str>)| Rule {
        protocol: permission.ip_protocol().unwrap_or_default().to_owned(),
        from_port: permission.from_port().unwrap_or(-1),
        to_port: permission.to_port().unwrap_or(-1),
        peer,
        description: description.unwrap_or_default().to_owned(),
    };
    cidrs.chain(groups).chain(others).map(rule).collect()
}

fn permission(rule: &Rule) -> IpPermission {
    let permission =
        IpPermission::builder().ip_protocol(&rule.protocol).from_port(rule.from_port).to_port(rule.to_port);
    let description = &rule.description;
    match &rule.peer {
        Peer::Cidr(cidr) => permission.ip_ranges(IpRange::builder().cidr_ip(cidr).description(description).build()),
        Peer::Group(group) => {
            permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(group).description(description).build())
        }
        Peer::Other => permission,
    }
    .build()
}

impl Resource for SecurityGroupRules {
    const KIND: &'static str = "security group rules";
    const IMMUTABLE: &'static [&'static str] = &["group_id"];

    type Spec = SecurityGroupRulesSpec;
    type Output = ();

    /// Rules exist as soon as their group does: AWS gives every new group one.
    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(group) = security_group::find(context, &self.name).await? else { return Ok(None) };
        let group_id = super::sent(group.group_id.clone(), "the group's id")?;
        // The group's description holds its rules; only to revoke one, its own identifier has to be asked for.
        let of = |permissions: &[IpPermission]| {
            let mut rules: Vec<_> = permissions.iter().flat_map(rules_of).collect();
            rules.sort();
            rules
        };
        let (ingress, egress) = (of(group.ip_permissions()), of(group.ip_permissions_egress()));
        Ok(Some(Live { spec: SecurityGroupRulesSpec { group_id, ingress, egress }, output: () }))
    }

    async fn create(&self, context: &Context, spec: &SecurityGroupRulesSpec) -> Result<()> {
        self.bring_about(context, spec).await
    }

    async fn update(&self, context: &Context, _live: &Live<Self>, spec: &SecurityGroupRulesSpec) -> Result<()> {
        self.bring_about(context, spec).await
    }

    /// Without rules no group refers to another, and each can be deleted.
    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let nothing =
            SecurityGroupRulesSpec { group_id: live.spec.group_id.clone(), ingress: Vec::new(), egress: Vec::new() };
        self.bring_about(context, &nothing).await
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::ReferencedSecurityGroup;

    use super::*;

    #[test]
    fn a_rule_reads_back_as_it_was_asked_for() {
        let asked = Rule {
            protocol: "tcp".to_owned(),
            from_port: 2049,
            to_port: 2049,
            peer: Peer::Group("sg-2".to_owned()),
            description: "NFS from the service".to_owned(),
        };
        let sent = permission(&asked);
        assert_eq!(rules_of(&sent), std::slice::from_ref(&asked));
        let read = SecurityGroupRule::builder()
            .security_group_rule_id("sgr-1")
            .is_egress(false)
            .ip_protocol("tcp")
            .from_port(2049)
            .to_port(2049)
            .referenced_group_info(ReferencedSecurityGroup::builder().group_id("sg-2").user_id("1").build())
            .description("NFS from the service")
            .build();
        assert_eq!(LiveRule::of(&read).rule, asked);
    }

    #[test]
    fn the_rule_that_aws_gives_every_new_group_is_recognised_as_surplus() {
        let default = SecurityGroupRule::builder()
            .security_group_rule_id("sgr-1")
            .is_egress(true)
            .ip_protocol("-1")
            .from_port(-1)
            .to_port(-1)
            .cidr_ipv4("0.0.0.0/0")
            .build();
        let rule = LiveRule::of(&default).rule;
        assert_eq!((rule.protocol.as_str(), rule.peer), ("-1", Peer::Cidr("0.0.0.0/0".to_owned())));
    }
}
