//! A role with its own policies.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use aws_sdk_iam::types::{Role, Tag};
use futures::future::try_join_all;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::policy_document::{canonical, in_one_form};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The role of our name.
#[derive(Debug)]
pub struct IamRole {
    /// The name on AWS.
    pub name: String,
    /// The path, by which all our roles can be listed.
    pub path: String,
    /// The name in the stack.
    pub resource: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct IamRoleSpec {
    /// What it is for; AWS takes only Latin-1 here.
    pub description: String,
    /// Who may become it.
    #[serde(serialize_with = "in_one_form")]
    pub trust: Value,
    /// What it may do, by policy name.
    #[serde(serialize_with = "each_in_one_form")]
    pub policies: BTreeMap<String, Value>,
    /// The ARNs of policies that are not its own, sorted; this tool never attaches any.
    pub attached: Vec<String>,
}

impl IamRoleSpec {
    /// A role with nothing but its own policies.
    pub fn new(description: String, trust: Value, policies: BTreeMap<String, Value>) -> Self {
        Self { description, trust, policies, attached: Vec::new() }
    }
}

/// The name of the hint that no policy was attached to a role at the end of the newest run.
pub(crate) fn nothing_attached(role: &str) -> String {
    format!("nothing attached to {role}")
}

fn each_in_one_form<S: Serializer>(policies: &BTreeMap<String, Value>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(policies.iter().map(|(name, policy)| (name, canonical(policy.clone()))))
}

fn differ(one: &Value, other: &Value) -> bool {
    canonical(one.clone()) != canonical(other.clone())
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IamRoleOutput {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
}

impl IamRole {
    /// All roles of the environment come with one question. Their path holds the tool's name, the application and the
    /// environment, and so proves whose they are.
    async fn find(&self, context: &Context) -> Result<Option<Role>> {
        let ask = || async {
            let pages = context.aws.iam.list_roles().path_prefix(&self.path).into_paginator().items().send();
            Ok(pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?)
        };
        let ours = context.once(&format!("roles in {}", self.path), ask).await?;
        if let Some(role) = ours.into_iter().find(|role| role.role_name() == self.name) {
            return Ok(Some(role));
        }
        // Names are unique over all paths, so somebody else's role would be in the way.
        let answer = context.aws.iam.get_role().role_name(&self.name).send().await;
        let Some(role) = answer.absent_on(&["NoSuchEntity"])?.and_then(|answer| answer.role) else { return Ok(None) };
        let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
        context.aws.owner.check(format_args!("role {}", self.name), tags)?;
        Ok(Some(role))
    }

    async fn policies(&self, context: &Context) -> Result<BTreeMap<String, Value>> {
        let answer = context.aws.iam.list_role_policies().role_name(&self.name).send().await;
        let names = answer.absent_on(&["NoSuchEntity"])?.map(|answer| answer.policy_names).unwrap_or_default();
        let read = names.into_iter().map(|name| async move {
            let answer = context.aws.iam.get_role_policy().role_name(&self.name).policy_name(&name).send().await;
            let policy = answer.absent_on(&["NoSuchEntity"])?;
            anyhow::Ok(policy.map(|policy| anyhow::Ok((name, document(&policy.policy_document)?))).transpose()?)
        });
        Ok(try_join_all(read).await?.into_iter().flatten().collect())
    }

    async fn attached(&self, context: &Context) -> Result<Vec<String>> {
        if context.believed(&nothing_attached(&self.name)).await.is_some() {
            return Ok(Vec::new());
        }
        let answer = context.aws.iam.list_attached_role_policies().role_name(&self.name).send().await;
        let attached = answer.absent_on(&["NoSuchEntity"])?.and_then(|answer| answer.attached_policies);
        Ok(super::sorted(attached.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn)))
    }

    async fn detach(&self, context: &Context, policies: &[String]) -> Result<()> {
        for policy in policies {
            let request = context.aws.iam.detach_role_policy().role_name(&self.name).policy_arn(policy);
            request.send().await.absent_on(&["NoSuchEntity"])?;
        }
        Ok(())
    }

    async fn put_policies(&self, context: &Context, live: &BTreeMap<String, Value>, spec: &IamRoleSpec) -> Result<()> {
        let is_new = |name: &str, policy: &Value| live.get(name).is_none_or(|there| differ(there, policy));
        for (name, policy) in spec.policies.iter().filter(|(name, policy)| is_new(name, policy)) {
            let request = context.aws.iam.put_role_policy().role_name(&self.name).policy_name(name);
            request.policy_document(policy.to_string()).send().await.map_err(AwsError::from)?;
        }
        for name in live.keys().filter(|name| !spec.policies.contains_key(*name)) {
            self.delete_policy(context, name).await?;
        }
        Ok(())
    }

    async fn delete_policy(&self, context: &Context, name: &str) -> Result<()> {
        let request = context.aws.iam.delete_role_policy().role_name(&self.name).policy_name(name);
        request.send().await.absent_on(&["NoSuchEntity"])?;
        Ok(())
    }
}

/// Policies come back URL-encoded, and differ in nothing else once they are parsed.
fn document(text: &str) -> Result<Value> {
    let decoded = percent_decode(text).context("a policy that is not text")?;
    serde_json::from_str(&decoded).context("a policy that is not JSON")
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

impl Resource for IamRole {
    const KIND: &'static str = "IAM role";

    type Spec = IamRoleSpec;
    type Output = IamRoleOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let (role, policies, attached) =
            tokio::try_join!(self.find(context), self.policies(context), self.attached(context))?;
        let Some(role) = role else { return Ok(None) };
        let trust = document(role.assume_role_policy_document().unwrap_or("{}"))?;
        let spec = IamRoleSpec::new(role.description.clone().unwrap_or_default(), trust, policies);
        Ok(Some(Live {
            spec: IamRoleSpec { attached, ..spec },
            output: IamRoleOutput { arn: role.arn, name: role.role_name },
        }))
    }

    async fn create(&self, context: &Context, spec: &IamRoleSpec) -> Result<IamRoleOutput> {
        let tags = context.aws.owner.tags(&self.resource).into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = context
            .aws
            .iam
            .create_role()
            .role_name(&self.name)
            .path(&self.path)
            .description(&spec.description)
            .assume_role_policy_document(spec.trust.to_string())
            .set_tags(Some(tags.collect::<Result<_, _>>()?));
        let answer = request.send().await.map_err(AwsError::from)?;
        let role = super::sent(answer.role, "the role")?;
        self.put_policies(context, &BTreeMap::new(), spec).await?;
        Ok(IamRoleOutput { arn: role.arn, name: role.role_name })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &IamRoleSpec) -> Result<IamRoleOutput> {
        if live.spec.description != spec.description {
            let request = context.aws.iam.update_role().role_name(&self.name).description(&spec.description);
            request.send().await.map_err(AwsError::from)?;
        }
        if differ(&live.spec.trust, &spec.trust) {
            let request = context.aws.iam.update_assume_role_policy().role_name(&self.name);
            request.policy_document(spec.trust.to_string()).send().await.map_err(AwsError::from)?;
        }
        self.put_policies(context, &live.spec.policies, spec).await?;
        self.detach(context, &live.spec.attached).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        // AWS refuses to delete a role that still has policies, its own or others.
        self.detach(context, &live.spec.attached).await?;
        for name in live.spec.policies.keys() {
            self.delete_policy(context, name).await?;
        }
        context.aws.iam.delete_role().role_name(&self.name).send().await.absent_on(&["NoSuchEntity"])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_reads_back_as_it_was_sent() {
        let sent = serde_json::json!({"Statement": [{"Action": ["a:B"], "Resource": "arn:aws:x:::y/*"}]});
        let returned = "%7B%22Statement%22%3A%5B%7B%22Resource%22%3A%22arn%3Aaws%3Ax%3A%3A%3Ay/%2A%22%2C%20%22Action%22%3A%5B%22a%3AB%22%5D%7D%5D%7D";
        assert_eq!(document(returned).unwrap(), sent);
        assert!(document("%7").is_err());
    }
}
