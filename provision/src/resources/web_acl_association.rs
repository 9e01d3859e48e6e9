//! The firewall before the load balancer: which web ACL of AWS WAF its requests pass.

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::load_balancer;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The association of a load balancer, which has one at most. It has no tags: whoever describes one owns it.
#[derive(Debug)]
pub struct WebAclAssociation {
    /// The load balancer's name on AWS.
    pub load_balancer_name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct WebAclAssociationSpec {
    /// The ARN of the web ACL, which is somebody's and never changed here.
    pub web_acl: String,
    /// The call needs it; it is part of the key.
    #[serde(skip)]
    pub load_balancer_arn: String,
}

impl WebAclAssociation {
    /// One call for the first association and for another one: AWS puts the new web ACL in the old one's place.
    async fn put(&self, context: &Context, spec: &WebAclAssociationSpec) -> Result<()> {
        let request = context.aws.waf.associate_web_acl().resource_arn(&spec.load_balancer_arn);
        let answer = request.web_acl_arn(&spec.web_acl).send().await.map_err(AwsError::from);
        answer.with_context(|| {
            format!(
                "WAF needs {} to exist, in this region and of scope REGIONAL (`aws wafv2 list-web-acls --scope REGIONAL` \
                 shows yours), and may take minutes to hear of a new one or of a new load balancer",
                spec.web_acl
            )
        })?;
        Ok(())
    }
}

impl Resource for WebAclAssociation {
    const KIND: &'static str = "web ACL association";

    type Spec = WebAclAssociationSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let balancer = load_balancer::find(context, &self.load_balancer_name).await?;
        let Some(load_balancer_arn) = balancer.and_then(|it| it.load_balancer_arn) else { return Ok(None) };
        let answer = context.aws.waf.get_web_acl_for_resource().resource_arn(&load_balancer_arn).send().await;
        let web_acl = answer.absent_on(UNKNOWN)?.and_then(|answer| answer.web_acl);
        Ok(web_acl
            .map(|found| Live { spec: WebAclAssociationSpec { web_acl: found.arn, load_balancer_arn }, output: () }))
    }

    async fn create(&self, context: &Context, spec: &WebAclAssociationSpec) -> Result<()> {
        self.put(context, spec).await
    }

    async fn update(&self, context: &Context, _: &Live<Self>, spec: &WebAclAssociationSpec) -> Result<()> {
        self.put(context, spec).await
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.waf.disassociate_web_acl().resource_arn(&live.spec.load_balancer_arn);
        request.send().await.absent_on(UNKNOWN)?;
        Ok(())
    }
}

/// How WAF says that it knows no such load balancer.
const UNKNOWN: &[&str] = &["WAFNonexistentItemException"];
