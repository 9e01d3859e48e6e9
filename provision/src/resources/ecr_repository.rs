//! Where images are kept.

use anyhow::Result;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability, Repository, Tag,
};
use serde::Serialize;
use serde_json::Value;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The repository of our name.
#[derive(Debug)]
pub struct EcrRepository {
    /// The name on AWS.
    pub name: String,
    /// Whether it should have a certain key; the one it was made with is of no concern otherwise.
    pub has_own_key: bool,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct EcrRepositorySpec {
    /// `IMMUTABLE`: a tag means one image for ever.
    pub mutability: String,
    /// Whether images are looked through for known weaknesses.
    pub scan_on_push: bool,
    /// Which images are thrown away.
    pub lifecycle_policy: Value,
    /// The key that encrypts images, if it should be a certain one.
    pub kms_key: Option<String>,
    /// Whether it carries our tags, by which a run without hints knows it.
    pub tagged: bool,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrRepositoryOutput {
    /// The ARN.
    pub arn: String,
    /// What image references begin with.
    pub uri: String,
    /// When it was made, in seconds since 1970: tells it from another one of its name.
    pub created: i64,
}

/// Finds a repository by name.
pub(super) async fn find(context: &Context, name: &str) -> Result<Option<Repository>> {
    let ask = || async {
        let answer = context.aws.ecr.describe_repositories().repository_names(name).send().await;
        let answer = answer.absent_on(&["RepositoryNotFoundException"])?;
        Ok(answer.and_then(|answer| answer.repositories).unwrap_or_default().into_iter().next())
    };
    context.once(&format!("repository {name}"), ask).await
}

impl EcrRepository {
    /// A repository of our name without our tags is ours if an earlier run knew it, made at this very moment.
    async fn is_tagged(&self, context: &Context, arn: &str, created: i64) -> Result<bool> {
        if context.believed(&super::owned(arn)).await == Some(created.to_string()) {
            return Ok(true);
        }
        let answer = context.aws.ecr.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = answer.map_err(AwsError::from)?.tags.unwrap_or_default();
        let tags = tags.iter().map(|tag| (tag.key(), tag.value()));
        let checked = context.aws.owner.check(format_args!("repository {}", self.name), tags);
        let known = async || context.hint(&super::owned(arn)).await == Some(created.to_string());
        super::is_marked(checked, known).await
    }

    async fn lifecycle_policy(&self, context: &Context) -> Result<Value> {
        let answer = context.aws.ecr.get_lifecycle_policy().repository_name(&self.name).send().await;
        let answer = answer.absent_on(&["LifecyclePolicyNotFoundException", "RepositoryNotFoundException"])?;
        let text = answer.and_then(|answer| answer.lifecycle_policy_text);
        Ok(text.map_or(Ok(Value::Null), |text| serde_json::from_str(&text))?)
    }

    async fn put_lifecycle_policy(&self, context: &Context, spec: &EcrRepositorySpec) -> Result<()> {
        let request = context.aws.ecr.put_lifecycle_policy().repository_name(&self.name);
        let request = request.lifecycle_policy_text(spec.lifecycle_policy.to_string());
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }
}

fn tags(context: &Context) -> Result<Vec<Tag>> {
    let tags = context.aws.owner.tags("repository").into_iter();
    Ok(tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect::<Result<_, _>>()?)
}

fn scanning(on: bool) -> ImageScanningConfiguration {
    ImageScanningConfiguration::builder().scan_on_push(on).build()
}

fn encryption(key: &str) -> Result<EncryptionConfiguration> {
    Ok(EncryptionConfiguration::builder().encryption_type(EncryptionType::Kms).kms_key(key).build()?)
}

impl Resource for EcrRepository {
    const KIND: &'static str = "ECR repository";
    const IMMUTABLE: &'static [&'static str] = &["kms_key"];
    const WHEN_BLOCKED: Option<&'static str> = Some(
        "a repository keeps the key that it was made with; set encryption.disk_and_images = false to leave it as it \
         is, or delete it by hand (`aws ecr delete-repository --force`), and the next deploy makes another one with \
         the image that it deploys, and without those of before",
    );
    const HOLDS_DATA: bool = true;

    type Spec = EcrRepositorySpec;
    type Output = EcrRepositoryOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        // The policy is asked for by name, so nobody has to wait for the repository's description.
        let (found, lifecycle_policy) = tokio::try_join!(find(context, &self.name), self.lifecycle_policy(context))?;
        let Some(found) = found else { return Ok(None) };
        let arn = super::sent(found.repository_arn, "the repository's ARN")?;
        let created = found.created_at.map(|at| at.secs()).unwrap_or_default();
        let tagged = self.is_tagged(context, &arn, created).await?;
        Ok(Some(Live {
            spec: EcrRepositorySpec {
                mutability: found.image_tag_mutability.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                scan_on_push: found.image_scanning_configuration.is_some_and(|it| it.scan_on_push),
                lifecycle_policy,
                kms_key: found.encryption_configuration.and_then(|it| it.kms_key).filter(|_| self.has_own_key),
                tagged,
            },
            output: EcrRepositoryOutput {
                arn,
                uri: super::sent(found.repository_uri, "the repository's URI")?,
                created,
            },
        }))
    }

    async fn create(&self, context: &Context, spec: &EcrRepositorySpec) -> Result<EcrRepositoryOutput> {
        let request = context
            .aws
            .ecr
            .create_repository()
            .repository_name(&self.name)
            .image_tag_mutability(ImageTagMutability::from(spec.mutability.as_str()))
            .image_scanning_configuration(scanning(spec.scan_on_push))
            .set_encryption_configuration(spec.kms_key.as_deref().map(encryption).transpose()?)
            .set_tags(Some(tags(context)?));
        let created = super::sent(request.send().await.map_err(AwsError::from)?.repository, "the repository")?;
        self.put_lifecycle_policy(context, spec).await?;
        Ok(EcrRepositoryOutput {
            arn: super::sent(created.repository_arn, "the repository's ARN")?,
            uri: super::sent(created.repository_uri, "the repository's URI")?,
            created: created.created_at.map(|at| at.secs()).unwrap_or_default(),
        })
    }

    async fn update(
        &self,
        context: &Context,
        live: &Live<Self>,
        spec: &EcrRepositorySpec,
    ) -> Result<EcrRepositoryOutput> {
        let mutability = ImageTagMutability::from(spec.mutability.as_str());
        let request = context.aws.ecr.put_image_tag_mutability().repository_name(&self.name);
        request.image_tag_mutability(mutability).send().await.map_err(AwsError::from)?;
        let request = context.aws.ecr.put_image_scanning_configuration().repository_name(&self.name);
        let request = request.image_scanning_configuration(scanning(spec.scan_on_push));
        request.send().await.map_err(AwsError::from)?;
        self.put_lifecycle_policy(context, spec).await?;
        if !live.spec.tagged {
            let request = context.aws.ecr.tag_resource().resource_arn(&live.output.arn);
            request.set_tags(Some(tags(context)?)).send().await.map_err(AwsError::from)?;
        }
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        let request = context.aws.ecr.delete_repository().repository_name(&self.name).force(true);
        request.send().await.absent_on(&["RepositoryNotFoundException"])?;
        Ok(())
    }
}
