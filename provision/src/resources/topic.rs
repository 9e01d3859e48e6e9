//! A topic: what is published here reaches everybody who subscribed.

use anyhow::{Context as _, Result};
use aws_sdk_sns::types::{Subscription, Tag};
use serde::Serialize;
use serde_json::Value;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The topic of our name.
#[derive(Debug)]
pub struct Topic {
    /// The name on AWS.
    pub name: String,
    /// The name in the stack.
    pub resource: String,
    /// Who is told by mail.
    pub email: Option<String>,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct TopicSpec {
    /// Who may publish, and how.
    pub policy: Value,
    /// Who is told by mail, sorted; subscriptions of other kinds are left to whoever made them.
    pub emails: Vec<String>,
    /// The key that encrypts messages at rest. Alarms cannot use AWS's own key: they would be published to nobody.
    pub kms_key: Option<String>,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicOutput {
    /// The ARN.
    pub arn: String,
    /// The addresses that are not confirmed yet, and so are told nothing.
    pub unconfirmed: Vec<String>,
}

/// What AWS shows instead of the ARN of a subscription that nobody confirmed.
const PENDING: &str = "PendingConfirmation";

impl Topic {
    async fn arn(&self, context: &Context) -> Result<String> {
        let account = context.aws.caller().await?.account;
        Ok(arn(&context.aws.region, &account, &self.name))
    }

    async fn subscriptions(&self, context: &Context, arn: &str) -> Result<Option<Vec<Subscription>>> {
        let pages = context.aws.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator();
        let found: Result<Vec<_>, _> = pages.items().send().collect().await;
        Ok(found.absent_on(&["NotFound"])?)
    }

    async fn wanted_subscriptions(&self, context: &Context, arn: &str) -> Result<Option<Vec<Subscription>>> {
        if self.email.is_some() { self.subscriptions(context, arn).await } else { Ok(Some(Vec::new())) }
    }

    /// An address that was asked for by mistake and never confirmed cannot be removed; it expires by itself.
    fn counts(&self, subscription: &Subscription) -> bool {
        let wanted = subscription.endpoint() == self.email.as_deref();
        subscription.protocol() == Some("email") && (wanted || subscription.subscription_arn() != Some(PENDING))
    }

    /// Asked before something of it is lost, and not in every plan.
    async fn check_owner(&self, context: &Context, arn: &str) -> Result<()> {
        let answer = context.aws.sns.list_tags_for_resource().resource_arn(arn).send().await;
        let answer = answer.map_err(AwsError::from)?;
        let tags = answer.tags().iter().map(|tag| (tag.key(), tag.value()));
        Ok(context.aws.owner.check(format_args!("topic {}", self.name), tags)?)
    }

    async fn set(&self, context: &Context, arn: &str, name: &str, value: String) -> Result<()> {
        let request = context.aws.sns.set_topic_attributes().topic_arn(arn);
        request.attribute_name(name).attribute_value(value).send().await.map_err(AwsError::from)?;
        Ok(())
    }

    async fn subscribe(&self, context: &Context, arn: &str, spec: &TopicSpec) -> Result<()> {
        let found = self.subscriptions(context, arn).await?.unwrap_or_default();
        let found: Vec<_> = found.into_iter().filter(|it| self.counts(it)).collect();
        let is = |it: &Subscription, email: &String| it.endpoint() == Some(email);
        for email in spec.emails.iter().filter(|email| !found.iter().any(|it| is(it, email))) {
            let request = context.aws.sns.subscribe().topic_arn(arn).protocol("email").endpoint(email);
            request.send().await.map_err(AwsError::from)?;
            context.note(unconfirmed(email));
        }
        for unwanted in found.iter().filter(|it| !spec.emails.iter().any(|email| is(it, email))) {
            let request = context.aws.sns.unsubscribe().set_subscription_arn(unwanted.subscription_arn.clone());
            request.send().await.absent_on(&["NotFound"])?;
        }
        Ok(())
    }
}

/// The ARN of a topic.
pub fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:sns:{region}:{account}:{name}")
}

/// Says what somebody must do before a mail address is told anything.
pub fn unconfirmed(email: &str) -> String {
    format!(
        "{email} is told nothing until the link in the mail that AWS sent there is followed; it is valid for 3 days"
    )
}

impl Resource for Topic {
    const KIND: &'static str = "SNS topic";

    type Spec = TopicSpec;
    type Output = TopicOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let arn = self.arn(context).await?;
        let attributes = context.aws.sns.get_topic_attributes().topic_arn(&arn).send();
        let (attributes, subscriptions) = tokio::join!(attributes, self.wanted_subscriptions(context, &arn));
        let (Some(attributes), Some(mut subscriptions)) = (attributes.absent_on(&["NotFound"])?, subscriptions?) else {
            return Ok(None);
        };
        let attribute = |name: &str| attributes.attributes().and_then(|all| all.get(name)).cloned();
        // Without an address of ours nobody needs the list, unless the topic says that there is somebody on it.
        if self.email.is_none() && attribute("SubscriptionsConfirmed").is_some_and(|count| count != "0") {
            subscriptions = self.subscriptions(context, &arn).await?.unwrap_or_default();
        }
        let policy = attribute("Policy").unwrap_or_else(|| "null".to_owned());
        let ours = || subscriptions.iter().filter(|it| self.counts(it));
        let emails = |of: &Subscription| of.endpoint.clone();
        let pending = ours().filter(|it| it.subscription_arn() == Some(PENDING)).filter_map(emails);
        Ok(Some(Live {
            output: TopicOutput { arn, unconfirmed: super::sorted(pending) },
            spec: TopicSpec {
                policy: serde_json::from_str(&policy).context("the topic's policy is not JSON")?,
                emails: super::sorted(ours().filter_map(emails)),
                kms_key: attribute("KmsMasterKeyId").filter(|key| !key.is_empty()),
            },
        }))
    }

    async fn create(&self, context: &Context, spec: &TopicSpec) -> Result<TopicOutput> {
        let tags = context.aws.owner.tags(&self.resource).into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = context.aws.sns.create_topic().name(&self.name).set_tags(Some(tags.collect::<Result<_, _>>()?));
        let created = request.send().await.map_err(AwsError::from)?;
        let arn = super::sent(created.topic_arn, "the topic's ARN")?;
        self.set(context, &arn, "Policy", spec.policy.to_string()).await?;
        if let Some(key) = &spec.kms_key {
            self.set(context, &arn, "KmsMasterKeyId", key.clone()).await?;
        }
        self.subscribe(context, &arn, spec).await?;
        Ok(TopicOutput { arn, unconfirmed: spec.emails.clone() })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &TopicSpec) -> Result<TopicOutput> {
        let arn = &live.output.arn;
        self.check_owner(context, arn).await?;
        if live.spec.policy != spec.policy {
            self.set(context, arn, "Policy", spec.policy.to_string()).await?;
        }
        if live.spec.kms_key != spec.kms_key {
            self.set(context, arn, "KmsMasterKeyId", spec.kms_key.clone().unwrap_or_default()).await?;
        }
        if live.spec.emails != spec.emails {
            self.subscribe(context, arn, spec).await?;
        }
        let new = spec.emails.iter().filter(|email| !live.spec.emails.contains(email));
        let unconfirmed = live.output.unconfirmed.iter().filter(|email| spec.emails.contains(email)).chain(new);
        Ok(TopicOutput { arn: arn.clone(), unconfirmed: super::sorted(unconfirmed.cloned()) })
    }

    /// Its subscriptions go with it.
    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        self.check_owner(context, &live.output.arn).await?;
        context.aws.sns.delete_topic().topic_arn(&live.output.arn).send().await.absent_on(&["NotFound"])?;
        Ok(())
    }
}
