//! The security group that AWS puts into every network: nothing of ours uses it, so it lets nothing through.

use anyhow::{Context as _, Result};
use aws_sdk_ec2::types::{Filter, IpPermission};
use serde::Serialize;

use super::{ec2_tags, security_group, security_group_rules};
use crate::aws::AwsError;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The default group of our network, which carries our tags once its rules are gone.
#[derive(Debug)]
pub struct DefaultSecurityGroup {
    /// The name in the stack.
    pub name: String,
}

/// What it should be: without rules.
#[derive(Debug, Serialize)]
pub struct DefaultSecurityGroupSpec {
    /// What may come in.
    pub ingress: Vec<String>,
    /// What may go out.
    pub egress: Vec<String>,
    /// The network, by which the group is found before it has our tags.
    #[serde(skip)]
    pub vpc_id: String,
}

impl DefaultSecurityGroup {
    async fn strip(&self, context: &Context, group_id: &str) -> Result<()> {
        let rules = security_group_rules::ids(context, group_id).await?;
        for egress in [false, true] {
            let ids = rules.iter().filter(|(_, out)| *out == egress).map(|(id, _)| id.clone());
            security_group_rules::revoke(context, group_id, egress, ids.collect()).await?;
        }
        Ok(())
    }
}

/// A rule in a few words.
fn shown(permission: &IpPermission) -> String {
    let groups = permission.user_id_group_pairs().iter().filter_map(|pair| pair.group_id.clone());
    let blocks = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip.clone());
    let more = permission.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6.clone());
    let peers: Vec<_> = groups.chain(blocks).chain(more).collect();
    let protocol = match permission.ip_protocol() {
        Some("-1") | None => "everything",
        Some(protocol) => protocol,
    };
    format!("{protocol} with {}", peers.join(", "))
}

impl Resource for DefaultSecurityGroup {
    const KIND: &'static str = "default security group";

    type Spec = DefaultSecurityGroupSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let group = security_group::find(context, &self.name).await?;
        Ok(group.map(|group| Live {
            spec: DefaultSecurityGroupSpec {
                ingress: super::sorted(group.ip_permissions().iter().map(shown)),
                egress: super::sorted(group.ip_permissions_egress().iter().map(shown)),
                vpc_id: group.vpc_id.unwrap_or_default(),
            },
            output: (),
        }))
    }

    /// It comes with the network; what is made is its emptiness, and our tags say that it was.
    async fn create(&self, context: &Context, spec: &DefaultSecurityGroupSpec) -> Result<()> {
        let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
        let request = context.aws.ec2.describe_security_groups().filters(filter("vpc-id", &spec.vpc_id));
        let answer = request.filters(filter("group-name", "default")).send().await.map_err(AwsError::from)?;
        let group = answer.security_groups().first().and_then(|group| group.group_id());
        let group = group.with_context(|| format!("network {} has no default security group", spec.vpc_id))?;
        self.strip(context, group).await?;
        let tags = ec2_tags::list(&context.aws, &self.name);
        let request = context.aws.ec2.create_tags().resources(group).set_tags(Some(tags));
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }

    async fn update(&self, context: &Context, live: &Live<Self>, _: &DefaultSecurityGroupSpec) -> Result<()> {
        // Its tags find it, as they did when it was read.
        self.create(context, &live.spec).await
    }

    /// It goes with its network, and not before.
    async fn delete(&self, _: &Context, _: &Live<Self>) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{IpRange, UserIdGroupPair};

    use super::*;

    #[test]
    fn rules_are_shown_in_a_few_words() {
        let all = IpPermission::builder().ip_protocol("-1");
        let own = all.clone().user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").build()).build();
        assert_eq!(shown(&own), "everything with sg-1");
        let out = all.ip_protocol("tcp").ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
        assert_eq!(shown(&out), "tcp with 0.0.0.0/0");
    }
}
