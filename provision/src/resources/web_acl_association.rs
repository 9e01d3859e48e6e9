//! The firewall before the load balancer: which web ACL of AWS WAF its requests pass.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::load_balancer;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The association of a load balancer, which has one at most.
///
/// It has no tags: whoever describes it owns it. It counts as there with its load balancer, so that a web ACL where there
/// is to be none is seen in every plan.
#[derive(Debug)]
pub struct WebAclAssociation {
    /// The load balancer's name on AWS.
    pub load_balancer_name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct WebAclAssociationSpec {
    /// The ARN of the web ACL, which is somebody's and never changed here; nothing, if there is to be none.
    pub web_acl: Option<String>,
    /// The call needs it; it is part of the key.
    #[serde(skip)]
    pub load_balancer_arn: String,
}

impl WebAclAssociation {
    /// Brings it there, and waits until WAF tells so: for a moment it may tell what was before, and that would look like
    /// drift, or hide it.
    async fn bring(&self, context: &Context, spec: &WebAclAssociationSpec) -> Result<()> {
        match &spec.web_acl {
            Some(web_acl) => put(context, &spec.load_balancer_arn, web_acl).await?,
            None => take_off(context, &spec.load_balancer_arn).await?,
        }
        let wait = Wait::new("WAF to tell of the change", Duration::from_secs(1), Duration::from_secs(60));
        let look = || async {
            let shown = shown(context, &spec.load_balancer_arn).await?;
            Ok(if shown == spec.web_acl { Poll::Ready(()) } else { Poll::Pending("what was before".to_owned()) })
        };
        context.wait(wait, look).await
    }
}

/// The web ACL before a load balancer.
async fn shown(context: &Context, load_balancer_arn: &str) -> Result<Option<String>> {
    let answer = context.aws.waf.get_web_acl_for_resource().resource_arn(load_balancer_arn).send().await;
    Ok(answer.absent_on(UNKNOWN)?.and_then(|answer| answer.web_acl).map(|found| found.arn))
}

/// One call for the first association and for another one: AWS puts the new web ACL in the old one's place.
async fn put(context: &Context, load_balancer_arn: &str, web_acl: &str) -> Result<()> {
    let request = context.aws.waf.associate_web_acl().resource_arn(load_balancer_arn).web_acl_arn(web_acl);
    let answer = request.send().await.map_err(AwsError::from);
    answer.with_context(|| {
        format!(
            "WAF needs {web_acl} to exist, in this region and of scope REGIONAL (`aws wafv2 list-web-acls --scope REGIONAL` \
             shows yours), and may take minutes to hear of a new one or of a new load balancer"
        )
    })?;
    Ok(())
}

impl Resource for WebAclAssociation {
    const KIND: &'static str = "web ACL association";

    type Spec = WebAclAssociationSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let balancer = load_balancer::find(context, &self.load_balancer_name).await?;
        let Some(load_balancer_arn) = balancer.and_then(|it| it.load_balancer_arn) else { return Ok(None) };
        let web_acl = shown(context, &load_balancer_arn).await?;
        Ok(Some(Live { spec: WebAclAssociationSpec { web_acl, load_balancer_arn }, output: () }))
    }

    async fn create(&self, context: &Context, spec: &WebAclAssociationSpec) -> Result<()> {
        self.bring(context, spec).await
    }

    async fn update(&self, context: &Context, _: &Live<Self>, spec: &WebAclAssociationSpec) -> Result<()> {
        self.bring(context, spec).await
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        if live.spec.web_acl.is_none() {
            return Ok(());
        }
        take_off(context, &live.spec.load_balancer_arn).await
    }
}

async fn take_off(context: &Context, load_balancer_arn: &str) -> Result<()> {
    let request = context.aws.waf.disassociate_web_acl().resource_arn(load_balancer_arn);
    request.send().await.absent_on(UNKNOWN)?;
    Ok(())
}

/// How WAF says that it knows no such load balancer.
const UNKNOWN: &[&str] = &["WAFNonexistentItemException"];
