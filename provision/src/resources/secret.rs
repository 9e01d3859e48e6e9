//! The API keys, as one JSON value with one entry a key.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_sdk_secretsmanager::types::Tag;
use aws_smithy_types::DateTime;
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The tag that lists the keys of the value, so that planning never reads a secret.
const TAG_KEYS: &str = "provision:keys";

/// The secret of our name.
#[derive(Debug)]
pub struct Secret {
    /// The name on AWS.
    pub name: String,
}

/// What it should be; values are never part of it.
#[derive(Clone, Debug, Serialize)]
pub struct SecretSpec {
    /// What it is for.
    pub description: String,
    /// The keys it has, sorted. A task that names a missing key does not start.
    pub keys: Vec<String>,
    /// The key that encrypts the value, if it is not AWS's own.
    pub kms_key: Option<String>,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretOutput {
    /// The ARN, with the six characters that AWS appends.
    pub arn: String,
}

/// Whether there is a secret.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Presence {
    /// There is.
    There,
    /// There is none.
    Absent,
    /// It was deleted, can be taken back, and is gone at a moment.
    Leaving(DateTime),
}

/// The value. It has no `Debug`, so it cannot end up in a log.
#[derive(Default)]
struct Value(BTreeMap<String, String>);

impl Value {
    /// Every key, without a value.
    fn empty(spec: &SecretSpec) -> Self {
        Self(spec.keys.iter().map(|key| (key.clone(), String::new())).collect())
    }

    fn text(&self) -> Result<String> {
        serde_json::to_string(&self.0).context("a secret that is not data")
    }
}

impl Secret {
    async fn value(&self, context: &Context) -> Result<Value> {
        let answer = context.aws.secrets.get_secret_value().secret_id(&self.name).send().await;
        let text = answer.absent_on(&["ResourceNotFoundException"])?.and_then(|answer| answer.secret_string);
        let Some(text) = text else { return Ok(Value::default()) };
        // The parser's own words could quote a part of the value.
        let value = serde_json::from_str(&text).ok();
        let value = value.with_context(|| {
            format!(
                "secret {} does not hold a JSON object of texts; put one in with `provision secrets set`",
                self.name
            )
        })?;
        Ok(Value(value))
    }

    /// Sets some keys and leaves the others. Where there is no secret yet it is made as a deploy would, which then takes
    /// it up: a service that needs a key comes up with its first deploy. Tells whether it was made.
    ///
    /// # Errors
    /// When it cannot be read or written, or is somebody else's.
    pub async fn merge(&self, context: &Context, spec: &SecretSpec, new: BTreeMap<String, String>) -> Result<bool> {
        if self.read(context).await?.is_none() {
            if !self.restore_if_deleted(context).await? {
                let mut value = Value::empty(spec);
                value.0.extend(new);
                self.make(context, spec, &value).await?;
                return Ok(true);
            }
            self.complete(context, spec).await?;
        }
        let mut value = self.value(context).await?;
        value.0.extend(new);
        self.put(context, &value).await?;
        Ok(false)
    }

    async fn make(&self, context: &Context, spec: &SecretSpec, value: &Value) -> Result<SecretOutput> {
        let request = context
            .aws
            .secrets
            .create_secret()
            .name(&self.name)
            .description(&spec.description)
            .set_kms_key_id(spec.kms_key.clone())
            .secret_string(value.text()?)
            .set_tags(Some(self.tags(context, spec)));
        let created = request.send().await.map_err(AwsError::from)?;
        Ok(SecretOutput { arn: super::sent(created.arn, "the secret's ARN")? })
    }

    /// The keys that have a value.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn keys_with_values(&self, context: &Context) -> Result<Vec<String>> {
        let value = self.value(context).await?;
        Ok(value.0.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, _)| key).collect())
    }

    async fn put(&self, context: &Context, value: &Value) -> Result<()> {
        let request = context.aws.secrets.put_secret_value().secret_id(&self.name).secret_string(value.text()?);
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }

    fn tags(&self, context: &Context, spec: &SecretSpec) -> Vec<Tag> {
        let mut tags = context.aws.owner.tags("api-keys");
        // A comma is no character for a tag.
        tags.insert(TAG_KEYS.to_owned(), spec.keys.join(" "));
        tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    /// Whether there is one of our name.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) async fn presence(&self, context: &Context) -> Result<Presence> {
        let answer = context.aws.secrets.describe_secret().secret_id(&self.name).send().await;
        Ok(match answer.absent_on(&["ResourceNotFoundException"])? {
            None => Presence::Absent,
            Some(found) => found.deleted_date.map_or(Presence::There, Presence::Leaving),
        })
    }

    /// A name in its recovery window can neither be used nor created again; the old one comes back.
    async fn restore_if_deleted(&self, context: &Context) -> Result<bool> {
        if !matches!(self.presence(context).await?, Presence::Leaving(_)) {
            return Ok(false);
        }
        context.note("taking it back from its recovery window");
        context.aws.secrets.restore_secret().secret_id(&self.name).send().await.map_err(AwsError::from)?;
        Ok(true)
    }

    /// Adds keys that are not there yet, empty; what is there stays.
    async fn complete(&self, context: &Context, spec: &SecretSpec) -> Result<()> {
        let mut value = self.value(context).await?;
        let before = value.0.len();
        for key in &spec.keys {
            value.0.entry(key.clone()).or_default();
        }
        if value.0.len() != before {
            self.put(context, &value).await?;
        }
        let secrets = &context.aws.secrets;
        let request = secrets.tag_resource().secret_id(&self.name).set_tags(Some(self.tags(context, spec)));
        request.send().await.map_err(AwsError::from)?;
        let request = secrets.update_secret().secret_id(&self.name).description(&spec.description);
        // An empty one stands for AWS's own.
        let request = request.kms_key_id(spec.kms_key.as_deref().unwrap_or_default());
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }
}

impl Resource for Secret {
    const KIND: &'static str = "secret";
    const HOLDS_DATA: bool = true;

    type Spec = SecretSpec;
    type Output = SecretOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let answer = context.aws.secrets.describe_secret().secret_id(&self.name).send().await;
        let found = answer.absent_on(&["ResourceNotFoundException"])?;
        let Some(found) = found.filter(|found| found.deleted_date.is_none()) else { return Ok(None) };
        let tags = || found.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value()?)));
        context.aws.owner.check(format_args!("secret {}", self.name), tags())?;
        let keys = tags().find(|(key, _)| *key == TAG_KEYS).map(|(_, keys)| keys).unwrap_or_default();
        Ok(Some(Live {
            spec: SecretSpec {
                description: found.description.clone().unwrap_or_default(),
                keys: super::sorted(keys.split_whitespace().map(ToOwned::to_owned)),
                kms_key: found.kms_key_id.clone(),
            },
            output: SecretOutput { arn: super::sent(found.arn.clone(), "the secret's ARN")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &SecretSpec) -> Result<SecretOutput> {
        if self.restore_if_deleted(context).await? {
            self.complete(context, spec).await?;
            let live = super::sent(self.read(context).await?, "the restored secret")?;
            return Ok(live.output);
        }
        self.make(context, spec, &Value::empty(spec)).await
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &SecretSpec) -> Result<SecretOutput> {
        self.complete(context, spec).await?;
        Ok(live.output.clone())
    }

    /// Only reached when data is to go: then at once, so that the name is free again.
    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        let request = context.aws.secrets.delete_secret().secret_id(&self.name).force_delete_without_recovery(true);
        request.send().await.absent_on(&["ResourceNotFoundException"])?;
        let wait = Wait::new("the secret to be gone", Duration::from_secs(2), Duration::from_secs(120));
        let look = || async {
            let answer = context.aws.secrets.describe_secret().secret_id(&self.name).send().await;
            Ok(match answer.absent_on(&["ResourceNotFoundException"])? {
                Some(_) => Poll::Pending("deleting".to_owned()),
                None => Poll::Ready(()),
            })
        };
        context.wait(wait, look).await
    }
}
