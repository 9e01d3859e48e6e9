//! What answers on the internet.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_ec2::types::Filter;
use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer as Description, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerStateEnum,
    LoadBalancerTypeEnum, Tag,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The load balancer of our name.
#[derive(Debug)]
pub struct LoadBalancer {
    /// The name on AWS.
    pub name: String,
    /// The name in the stack.
    pub resource: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct LoadBalancerSpec {
    /// Where it has addresses, sorted.
    pub subnets: Vec<String>,
    /// Who may call it and whom it may call, sorted.
    pub security_groups: Vec<String>,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// `ipv4`, or `dualstack`, for which the subnets would need IPv6.
    pub ip_address_type: String,
    /// Attributes; those not named here are left alone.
    pub attributes: BTreeMap<String, String>,
    /// Whether it carries our tags, by which a run without hints knows it.
    pub tagged: bool,
    /// `active`; one that a killed run left behind is still on its way there.
    pub state: String,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerOutput {
    /// The ARN.
    pub arn: String,
    /// The name it answers to.
    pub dns_name: String,
    /// The zone for alias records.
    pub hosted_zone_id: String,
}

/// The attributes this tool decides. Others have defaults that we do not want to know.
const OUR_ATTRIBUTES: &[&str] = &[
    ACCESS_LOGS,
    ACCESS_LOGS_BUCKET,
    ACCESS_LOGS_PREFIX,
    DELETION_PROTECTION,
    "idle_timeout.timeout_seconds",
    "routing.http.desync_mitigation_mode",
    "routing.http.drop_invalid_header_fields.enabled",
];

/// Whether each request is written into a bucket.
pub const ACCESS_LOGS: &str = "access_logs.s3.enabled";
/// The bucket.
pub const ACCESS_LOGS_BUCKET: &str = "access_logs.s3.bucket";
/// What the names of the objects in it begin with.
pub const ACCESS_LOGS_PREFIX: &str = "access_logs.s3.prefix";

/// While this is `true`, AWS refuses to delete it.
pub const DELETION_PROTECTION: &str = "deletion_protection.enabled";

/// Finds a load balancer by name.
pub(super) async fn find(context: &Context, name: &str) -> Result<Option<Description>> {
    let ask = || async {
        let answer = context.aws.elb.describe_load_balancers().names(name).send().await;
        let answer = answer.absent_on(&["LoadBalancerNotFound"])?;
        Ok(answer.and_then(|answer| answer.load_balancers).unwrap_or_default().into_iter().next())
    };
    context.once(&format!("load balancer {name}"), ask).await
}

/// Reads the tags of a load balancer or target group, and whether they are there: somebody may have lost those of one
/// that an earlier run knew to be ours, for no two ever have the same ARN.
pub(super) async fn is_tagged(context: &Context, what: &str, arn: &str) -> Result<bool> {
    if context.believed(&super::owned(arn)).await.is_some() {
        return Ok(true);
    }
    let answer = context.aws.elb.describe_tags().resource_arns(arn).send().await.map_err(AwsError::from)?;
    let tags = answer.tag_descriptions().iter().flat_map(|description| description.tags());
    let tags = tags.map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
    let known = async || context.hint(&super::owned(arn)).await.is_some();
    super::is_marked(context.aws.owner.check(what, tags), known).await
}

/// Gives a load balancer or target group its tags back.
pub(super) async fn tag(context: &Context, arn: &str, resource: &str) -> Result<()> {
    let request = context.aws.elb.add_tags().resource_arns(arn).set_tags(Some(tags(context, resource)));
    request.send().await.map_err(AwsError::from)?;
    Ok(())
}

/// The tags of a new thing of this service.
pub(super) fn tags(context: &Context, resource: &str) -> Vec<Tag> {
    let tags = context.aws.owner.tags(resource).into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

impl LoadBalancer {
    async fn attributes(&self, context: &Context, arn: &str) -> Result<BTreeMap<String, String>> {
        let answer = context.aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await;
        let attributes = answer.map_err(AwsError::from)?.attributes.unwrap_or_default().into_iter();
        let attributes = attributes.filter_map(|attribute| Some((attribute.key?, attribute.value?)));
        let ours = attributes.filter(|(key, _)| OUR_ATTRIBUTES.contains(&key.as_str()));
        let mut ours: BTreeMap<_, _> = ours.collect();
        if ours.get(ACCESS_LOGS).is_none_or(|on| on != "true") {
            // AWS keeps the names of a bucket into which nothing is written.
            ours.retain(|key, _| ![ACCESS_LOGS_BUCKET, ACCESS_LOGS_PREFIX].contains(&key.as_str()));
        }
        Ok(ours)
    }

    async fn set_attributes(&self, context: &Context, arn: &str, spec: &LoadBalancerSpec) -> Result<()> {
        let attributes = spec.attributes.iter();
        let attributes = attributes.map(|(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build());
        let request = context.aws.elb.modify_load_balancer_attributes().load_balancer_arn(arn);
        let answer = request.set_attributes(Some(attributes.collect())).send().await.map_err(AwsError::from);
        answer.map_err(|error| explained(error, arn, spec))?;
        Ok(())
    }

    async fn active(&self, context: &Context) -> Result<()> {
        // Usually one and a half to three minutes.
        let wait = Wait::new("the load balancer to be active", Duration::from_secs(5), Duration::from_secs(600));
        let look = || async {
            let state = find(context, &self.name).await?.and_then(|found| found.state);
            Ok(match state.as_ref().and_then(|state| state.code()) {
                Some(LoadBalancerStateEnum::Active) => Poll::Ready(()),
                Some(LoadBalancerStateEnum::Failed) => {
                    let reason = state.as_ref().and_then(|state| state.reason()).unwrap_or("AWS gives no reason");
                    bail!("the load balancer failed to start: {reason}")
                }
                Some(state) => Poll::Pending(state.as_str().to_owned()),
                None => Poll::Pending("not visible yet".to_owned()),
            })
        };
        context.wait(wait, look).await
    }

    /// Its network interfaces go minutes after itself, and until then hold the network.
    async fn interfaces_gone(&self, context: &Context, arn: &str) -> Result<()> {
        let Some((_, path)) = arn.split_once(":loadbalancer/") else { return Ok(()) };
        let filter = Filter::builder().name("description").values(format!("ELB {path}")).build();
        let wait = Wait::new(
            "the load balancer's addresses to be released",
            Duration::from_secs(10),
            Duration::from_secs(900),
        );
        let look = || async {
            let request = context.aws.ec2.describe_network_interfaces().filters(filter.clone());
            let answer = request.send().await.map_err(AwsError::from)?;
            Ok(match answer.network_interfaces().len() {
                0 => Poll::Ready(()),
                count => Poll::Pending(format!("{count} network interfaces left")),
            })
        };
        context.wait(wait, look).await
    }
}

/// Elastic Load Balancing tries the bucket at once, and says only that it may not write there.
fn explained(error: AwsError, arn: &str, spec: &LoadBalancerSpec) -> anyhow::Error {
    let of = |name: &str| spec.attributes.get(name).map_or("", String::as_str);
    if !error.message.contains("Access Denied for bucket") {
        return error.into();
    }
    let account = arn.split(':').nth(4).unwrap_or_default();
    let (bucket, prefix) = (of(ACCESS_LOGS_BUCKET), of(ACCESS_LOGS_PREFIX));
    anyhow::Error::new(error).context(format!(
        "the load balancer may not write into the bucket {bucket}; add this statement to the bucket's policy, and see \
         that the bucket is in the same region and encrypted with S3's own keys (SSE-S3), then run again: {}",
        may_be_logged_to(bucket, prefix, account)
    ))
}

/// What the policy of a bucket says, so that a load balancer of an account can write there.
fn may_be_logged_to(bucket: &str, prefix: &str, account: &str) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": { "Service": "logdelivery.elasticloadbalancing.amazonaws.com" },
        "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{bucket}/{prefix}/AWSLogs/{account}/*"),
    })
}

fn output(found: &Description) -> Result<LoadBalancerOutput> {
    Ok(LoadBalancerOutput {
        arn: super::sent(found.load_balancer_arn.clone(), "the load balancer's ARN")?,
        dns_name: super::sent(found.dns_name.clone(), "the load balancer's name")?,
        hosted_zone_id: found.canonical_hosted_zone_id.clone().unwrap_or_default(),
    })
}

impl Resource for LoadBalancer {
    const KIND: &'static str = "load balancer";
    const IMMUTABLE: &'static [&'static str] = &["scheme"];
    const TRANSIENT: &'static [&'static str] = &["state"];

    type Spec = LoadBalancerSpec;
    type Output = LoadBalancerOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = find(context, &self.name).await? else { return Ok(None) };
        let output = output(&found)?;
        let what = format!("load balancer {}", self.name);
        let (tagged, attributes) =
            tokio::try_join!(is_tagged(context, &what, &output.arn), self.attributes(context, &output.arn))?;
        let state = found.state.as_ref().and_then(|state| state.code());
        // A zone without capacity does not keep the others from working.
        let state = state.filter(|state| **state != LoadBalancerStateEnum::ActiveImpaired);
        let state = state.map_or("active", |state| state.as_str()).to_owned();
        let subnets = found.availability_zones().iter().filter_map(|zone| zone.subnet_id.clone());
        Ok(Some(Live {
            spec: LoadBalancerSpec {
                subnets: super::sorted(subnets),
                security_groups: super::sorted(found.security_groups.clone().unwrap_or_default().into_iter()),
                scheme: found.scheme.as_ref().map(|scheme| scheme.as_str().to_owned()).unwrap_or_default(),
                ip_address_type: found.ip_address_type.as_ref().map_or("ipv4", |it| it.as_str()).to_owned(),
                attributes,
                tagged,
                state,
            },
            output,
        }))
    }

    async fn create(&self, context: &Context, spec: &LoadBalancerSpec) -> Result<LoadBalancerOutput> {
        let request = context
            .aws
            .elb
            .create_load_balancer()
            .name(&self.name)
            .r#type(LoadBalancerTypeEnum::Application)
            .scheme(LoadBalancerSchemeEnum::from(spec.scheme.as_str()))
            .set_subnets(Some(spec.subnets.clone()))
            .set_security_groups(Some(spec.security_groups.clone()))
            .ip_address_type(IpAddressType::from(spec.ip_address_type.as_str()))
            .set_tags(Some(tags(context, &self.resource)));
        let answer = request.send().await.map_err(AwsError::from)?;
        let created = super::sent(answer.load_balancers.unwrap_or_default().into_iter().next(), "the load balancer")?;
        let output = output(&created)?;
        self.set_attributes(context, &output.arn, spec).await?;
        self.active(context).await?;
        Ok(output)
    }

    async fn update(
        &self,
        context: &Context,
        live: &Live<Self>,
        spec: &LoadBalancerSpec,
    ) -> Result<LoadBalancerOutput> {
        let arn = &live.output.arn;
        if live.spec.subnets != spec.subnets {
            let request = context.aws.elb.set_subnets().load_balancer_arn(arn);
            request.set_subnets(Some(spec.subnets.clone())).send().await.map_err(AwsError::from)?;
        }
        if live.spec.security_groups != spec.security_groups {
            let request = context.aws.elb.set_security_groups().load_balancer_arn(arn);
            let request = request.set_security_groups(Some(spec.security_groups.clone()));
            request.send().await.map_err(AwsError::from)?;
        }
        if live.spec.ip_address_type != spec.ip_address_type {
            let request = context.aws.elb.set_ip_address_type().load_balancer_arn(arn);
            let request = request.ip_address_type(IpAddressType::from(spec.ip_address_type.as_str()));
            request.send().await.map_err(AwsError::from)?;
        }
        if !live.spec.tagged {
            tag(context, arn, &self.resource).await?;
        }
        if live.spec.attributes != spec.attributes {
            self.set_attributes(context, arn, spec).await?;
        }
        self.active(context).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        if live.spec.attributes.get(DELETION_PROTECTION).is_some_and(|value| value == "true") {
            context.note("lifting its protection from deletion");
            let off = LoadBalancerAttribute::builder().key(DELETION_PROTECTION).value("false").build();
            let request = context.aws.elb.modify_load_balancer_attributes().load_balancer_arn(&live.output.arn);
            request.attributes(off).send().await.absent_on(&["LoadBalancerNotFound"])?;
        }
        let request = context.aws.elb.delete_load_balancer().load_balancer_arn(&live.output.arn);
        request.send().await.absent_on(&["LoadBalancerNotFound"])?;
        let wait = Wait::new("the load balancer to be gone", Duration::from_secs(5), Duration::from_secs(600));
        let look = || async {
            Ok(match find(context, &self.name).await? {
                Some(_) => Poll::Pending("still listed".to_owned()),
                None => Poll::Ready(()),
            })
        };
        context.wait(wait, look).await?;
        self.interfaces_gone(context, &live.output.arn).await
    }
}
