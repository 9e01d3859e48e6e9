//! The image that runs: in the repository already, or in a folder from which it is pushed.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use aws_sdk_ecr::types::{ImageIdentifier, LayerAvailability};
use aws_smithy_types::Blob;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{ecr_repository, ecs_service, task_definition};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// An image in a repository.
#[derive(Debug)]
pub struct Image {
    /// The family of task definitions that name it.
    pub family: String,
    /// The repository's name.
    pub repository: String,
    /// Where it comes from.
    pub source: ImageSource,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// A folder with an OCI image layout.
    Layout {
        /// The folder.
        folder: PathBuf,
        /// The digest of its manifest, known before anything is pushed.
        digest: String,
    },
    /// The repository has it already.
    Pushed {
        /// The digest of its manifest.
        digest: String,
    },
    /// A public registry has it; nobody here looks into it.
    Elsewhere {
        /// Registry, repository and digest.
        reference: String,
    },
    /// The one that the service runs now.
    Running(RunningService),
    /// It does not matter, because nothing will run.
    Unknown,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOutput {
    /// What a task definition names: repository and digest.
    pub reference: String,
}

/// The parts of a descriptor that are of use here.
#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

/// What an image is for; an image's own configuration has the same field.
#[derive(Deserialize)]
struct Platform {
    architecture: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// The service whose image is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningService {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub service: String,
    /// The family of its task definitions.
    pub family: String,
}

/// The image that runs was meant, and there is none.
#[derive(Debug, thiserror::Error)]
#[error("nothing runs yet, so say which image: --image-layout FOLDER (made by `cargo xtask image`) or --image")]
pub struct NothingRuns;

impl RunningService {
    /// The service's own task definition tells, not the newest: after a rollback that is another one.
    async fn image(&self, context: &Context) -> Result<Option<String>> {
        let (service, newest) = tokio::try_join!(
            ecs_service::find(context, &self.cluster, &self.service),
            task_definition::newest(context, &self.family)
        )?;
        let Some(runs) = service.and_then(|service| service.task_definition) else {
            return Ok(newest.as_ref().and_then(task_definition::image));
        };
        match newest.filter(|newest| newest.task_definition_arn.as_ref() == Some(&runs)) {
            Some(newest) => Ok(task_definition::image(&newest)),
            None => task_definition::image_of(context, &runs).await,
        }
    }
}

impl ImageSource {
    /// Takes the image of an OCI image layout.
    ///
    /// # Errors
    /// When the folder is not one, or holds several images.
    pub fn layout(folder: &Path) -> Result<Self> {
        let index = folder.join("index.json");
        let hint = "make an image with `cargo xtask image`";
        let text =
            std::fs::read(&index).with_context(|| format!("{}: no OCI image layout; {hint}", index.display()))?;
        let index: Index = serde_json::from_slice(&text)
            .with_context(|| format!("{}: not the index of an OCI image layout; {hint}", index.display()))?;
        let [manifest] = index.manifests.as_slice() else {
            bail!("{}: holds {} images, not one; {hint}", folder.display(), index.manifests.len());
        };
        Ok(Self::Layout { folder: folder.to_owned(), digest: manifest.digest.clone() })
    }

    /// Takes an image by its reference, which must name a digest: a tag can move. Without a registry, or with ECR's in
    /// the stack's region, it is one of the given repository.
    ///
    /// # Errors
    /// When it does not, or when the task could not fetch it.
    pub fn reference(reference: &str, repository: &str, region: &str) -> Result<Self> {
        let (name, digest) = reference.rsplit_once('@').unwrap_or(("", reference));
        let is_digest = digest.strip_prefix("sha256:").is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
        });
        ensure!(is_digest, "{reference:?} does not end in @sha256:… and 64 hex digits");
        let (registry, path) = name.split_once('/').filter(|(host, _)| host.contains(['.', ':'])).unwrap_or(("", name));
        let is_private = registry.contains(".dkr.ecr.");
        if registry.is_empty() || is_private {
            let ours = (path.is_empty() || path == repository)
                && (!is_private || registry.contains(&format!(".dkr.ecr.{region}.")));
            ensure!(
                ours,
                "{name} is not the repository {repository} in {region}, and the task may fetch from no other private one; \
                 push the image there with `provision push`, or name one in a public registry with its host"
            );
            return Ok(Self::Pushed { digest: digest.to_owned() });
        }
        Ok(Self::Elsewhere { reference: reference.to_owned() })
    }

    fn digest(&self) -> Option<&str> {
        match self {
            Self::Layout { digest, .. } | Self::Pushed { digest } => Some(digest),
            Self::Running(_) | Self::Elsewhere { .. } | Self::Unknown => None,
        }
    }
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Layout { digest, .. } | Self::Pushed { digest } => digest,
            Self::Elsewhere { reference } => reference,
            Self::Running(_) => "the one that runs",
            Self::Unknown => "unknown",
        })
    }
}

/// Whether a repository has an image.
///
/// # Errors
/// When the call fails.
pub(crate) async fn exists(context: &Context, repository: &str, digest: &str) -> Result<bool> {
    let id = ImageIdentifier::builder().image_digest(digest).build();
    let request = context.aws.ecr.describe_images().repository_name(repository).image_ids(id);
    let answer = request.send().await.absent_on(&["ImageNotFoundException", "RepositoryNotFoundException"])?;
    Ok(answer.is_some_and(|answer| !answer.image_details().is_empty()))
}

/// Which processors an image in a repository is for, as far as its index tells: one without an index says it only in a
/// part that cannot be read through ECR. Nothing when there is no such image.
///
/// # Errors
/// When the call fails.
pub(crate) async fn architectures(context: &Context, repository: &str, digest: &str) -> Result<Option<Vec<String>>> {
    let id = ImageIdentifier::builder().image_digest(digest).build();
    let request = context.aws.ecr.batch_get_image().repository_name(repository).image_ids(id);
    let answer = request.send().await.absent_on(&["RepositoryNotFoundException"])?;
    let found = answer.and_then(|answer| answer.images?.into_iter().next());
    Ok(found.map(|found| {
        let index: Option<Index> = found.image_manifest.and_then(|text| serde_json::from_str(&text).ok());
        let platforms = index.into_iter().flat_map(|index| index.manifests).filter_map(|manifest| manifest.platform);
        platforms.map(|platform| platform.architecture).collect()
    }))
}

/// What a folder with an image holds.
pub(crate) struct Inspected {
    /// The processor it is for, in OCI's words: `amd64`, `arm64`.
    pub(crate) architecture: String,
    /// How large it is.
    pub(crate) bytes: usize,
}

/// Reads an image in a folder as a push would.
///
/// # Errors
/// When a part is missing or damaged.
pub(crate) fn inspect(folder: &Path, digest: &str) -> Result<Inspected> {
    let manifest = blob(folder, digest)?;
    let parts: Manifest = serde_json::from_slice(&manifest).context("the image's manifest is not an OCI manifest")?;
    let config = blob(folder, &parts.config.digest)?;
    let platform: Platform =
        serde_json::from_slice(&config).context("the image's configuration does not say which processor it is for")?;
    let mut bytes = manifest.len() + config.len();
    for layer in &parts.layers {
        bytes += blob(folder, &layer.digest)?.len();
    }
    Ok(Inspected { architecture: platform.architecture, bytes })
}

/// Reads a blob and makes sure that it is what its name says.
fn blob(folder: &Path, digest: &str) -> Result<Vec<u8>> {
    let hex = digest.strip_prefix("sha256:").with_context(|| format!("{digest:?} is not a sha256 digest"))?;
    let path = folder.join("blobs").join("sha256").join(hex);
    let bytes = std::fs::read(&path).with_context(|| format!("{}: missing from the image", path.display()))?;
    let actual = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
    ensure!(actual == hex, "{}: damaged, its digest is {actual}; build the image again", path.display());
    Ok(bytes)
}

impl Image {
    async fn repository_uri(&self, context: &Context) -> Result<Option<String>> {
        Ok(ecr_repository::find(context, &self.repository).await?.and_then(|found| found.repository_uri))
    }

    /// Whether the repository has it; somebody may have deleted it although a task definition names it.
    async fn missing(&self, context: &Context, digests: Vec<String>) -> Result<Vec<String>> {
        let request = context.aws.ecr.batch_check_layer_availability().repository_name(&self.repository);
        let answer = request.set_layer_digests(Some(digests.clone())).send().await.map_err(AwsError::from)?;
        let there = |digest: &String| {
            answer.layers().iter().any(|layer| {
                layer.layer_digest() == Some(digest)
                    && layer.layer_availability() == Some(&LayerAvailability::Available)
            })
        };
        Ok(digests.into_iter().filter(|digest| !there(digest)).collect())
    }

    /// ECR's own upload, not the registry protocol: the same credentials, retries and errors as
    /// every other call, and none of the traps of ECR's chunked uploads.
    async fn upload(&self, context: &Context, folder: &Path, digest: &str) -> Result<()> {
        let ecr = &context.aws.ecr;
        let bytes = blob(folder, digest)?;
        context.note(format_args!("pushing {digest} ({} kB)", bytes.len() / 1000));
        let begun =
            ecr.initiate_layer_upload().repository_name(&self.repository).send().await.map_err(AwsError::from)?;
        let id = super::sent(begun.upload_id, "an upload id")?;
        let part_size = begun.part_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(PART_SIZE).max(1);
        let mut first = 0;
        for part in bytes.chunks(part_size) {
            let last = first + i64::try_from(part.len())? - 1;
            let request = ecr.upload_layer_part().repository_name(&self.repository).upload_id(&id);
            let request = request.part_first_byte(first).part_last_byte(last).layer_part_blob(Blob::new(part));
            request.send().await.map_err(AwsError::from)?;
            first = last + 1;
        }
        let request = ecr.complete_layer_upload().repository_name(&self.repository).upload_id(&id);
        request.layer_digests(digest).send().await.absent_on(&["LayerAlreadyExistsException"])?;
        Ok(())
    }

    async fn push(&self, context: &Context, folder: &Path, digest: &str) -> Result<()> {
        let bytes = blob(folder, digest)?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).context("the image's manifest is not an OCI manifest")?;
        let mut digests: Vec<_> = manifest.layers.iter().map(|layer| layer.digest.clone()).collect();
        digests.push(manifest.config.digest.clone());
        for missing in self.missing(context, digests).await? {
            self.upload(context, folder, &missing).await?;
        }
        let tag = digest.trim_start_matches("sha256:").get(..12).unwrap_or(digest);
        let request = context
            .aws
            .ecr
            .put_image()
            .repository_name(&self.repository)
            .image_manifest(String::from_utf8(bytes).context("the image's manifest is not text")?)
            .image_manifest_media_type(OCI_MANIFEST)
            // The same image, the same tag: a second push of it changes nothing.
            .image_tag(tag);
        request.send().await.absent_on(&["ImageAlreadyExistsException", "ImageTagAlreadyExistsException"])?;
        Ok(())
    }
}

/// The name of the hint with the image that was in its repository at the end of the newest run.
pub(crate) const HINT: &str = "image in its repository";

/// What ECR asks for where it does not say otherwise.
const PART_SIZE: usize = 10 * 1024 * 1024;
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Resource for Image {
    const KIND: &'static str = "image";
    // It goes with its repository; other task definitions may still name it.
    const SHARED: bool = true;

    type Spec = ();
    type Output = ImageOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        if let ImageSource::Running(service) = &self.source {
            let reference = service.image(context).await?.ok_or(NothingRuns)?;
            // Another registry is not asked.
            let ours = format!("/{}@", self.repository);
            let there = match reference.rsplit_once(&ours) {
                Some(_) if context.believed(HINT).await.as_ref() == Some(&reference) => true,
                Some((_, digest)) => exists(context, &self.repository, digest).await?,
                None => true,
            };
            // Tasks that run go on, but no other one would start.
            ensure!(
                there,
                "the image that runs, {reference}, is no longer in its repository, so no task could start; \
                 deploy one with --image-layout FOLDER (made by `cargo xtask image`)"
            );
            return Ok(Some(Live { spec: (), output: ImageOutput { reference } }));
        }
        if let ImageSource::Elsewhere { reference } = &self.source {
            return Ok(Some(Live { spec: (), output: ImageOutput { reference: reference.clone() } }));
        }
        let Some(digest) = self.source.digest() else { return Ok(None) };
        let believed = context.believed(HINT).await;
        if let Some(reference) = believed.filter(|it| it.ends_with(&format!("/{}@{digest}", self.repository))) {
            return Ok(Some(Live { spec: (), output: ImageOutput { reference } }));
        }
        let there = exists(context, &self.repository, digest);
        let (there, uri) = tokio::try_join!(there, self.repository_uri(context))?;
        let Some(uri) = uri.filter(|_| there) else { return Ok(None) };
        Ok(Some(Live { spec: (), output: ImageOutput { reference: format!("{uri}@{digest}") } }))
    }

    async fn create(&self, context: &Context, (): &()) -> Result<ImageOutput> {
        let ImageSource::Layout { folder, digest } = &self.source else {
            bail!(
                "repository {} has no image {}; push it, or deploy from a folder with --image-layout",
                self.repository,
                self.source
            );
        };
        self.push(context, folder, digest).await?;
        let uri = super::sent(self.repository_uri(context).await?, "the repository's URI")?;
        Ok(ImageOutput { reference: format!("{uri}@{digest}") })
    }

    async fn update(&self, _context: &Context, live: &Live<Self>, (): &()) -> Result<ImageOutput> {
        Ok(live.output.clone())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reference_by_digest_names_an_image() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let refused =
            |reference: &str| ImageSource::reference(reference, "app/staging", "eu-west-1").unwrap_err().to_string();
        assert!(refused("app:latest").contains("does not end in @sha256"));
        assert!(refused(&format!("app@{}", digest.replace('a', "g"))).contains("64 hex digits"));
        for name in ["", "app/staging@", "1.dkr.ecr.eu-west-1.amazonaws.com/app/staging@"] {
            let source = ImageSource::reference(&format!("{name}{digest}"), "app/staging", "eu-west-1").unwrap();
            assert_eq!(source, ImageSource::Pushed { digest: digest.clone() }, "{name}");
        }
    }

    #[test]
    fn another_repository_is_taken_as_it_is_if_it_is_public_and_refused_if_not() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let of = |name: &str| ImageSource::reference(&format!("{name}@{digest}"), "app/staging", "eu-west-1");
        let public = "public.ecr.aws/somebody/app";
        assert_eq!(of(public).unwrap(), ImageSource::Elsewhere { reference: format!("{public}@{digest}") });
        for private in
            ["other/app", "1.dkr.ecr.eu-west-1.amazonaws.com/other", "1.dkr.ecr.us-east-1.amazonaws.com/app/staging"]
        {
            let error = of(private).unwrap_err().to_string();
            assert!(error.contains("is not the repository app/staging in eu-west-1"), "{private}: {error}");
        }
    }

    #[test]
    fn a_folder_without_an_image_is_refused_with_the_way_to_make_one() {
        let error = ImageSource::layout(Path::new("no/such/folder")).unwrap_err();
        assert!(error.to_string().contains("cargo xtask image"), "{error}");
    }
}
