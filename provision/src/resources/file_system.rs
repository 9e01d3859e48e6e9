//! The shared disk.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_efs::types::{
    BackupPolicy, FileSystemDescription, LifeCycleState, LifecyclePolicy, PerformanceMode, Status, Tag, ThroughputMode,
    TransitionToIaRules,
};
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The file system that was created with our token.
#[derive(Debug)]
pub struct FileSystem {
    /// The creation token, which AWS keeps and never gives twice.
    pub token: String,
    /// The name in the stack.
    pub name: String,
    /// Whether it should have a certain key; the one it was made with is of no concern otherwise.
    pub has_own_key: bool,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct FileSystemSpec {
    /// Whether it is encrypted at rest.
    pub encrypted: bool,
    /// The key that does it, if it should be a certain one.
    pub kms_key: Option<String>,
    /// `generalPurpose` or `maxIO`.
    pub performance_mode: String,
    /// `bursting`, `elastic` or `provisioned`.
    pub throughput_mode: String,
    /// When an unused file moves to infrequent access, as `AFTER_30_DAYS`.
    pub transition_to_ia: Option<String>,
    /// Whether AWS Backup keeps copies; through the API it is off unless asked for.
    pub backup: bool,
    /// `available`; one that a killed run left behind is still on its way there.
    pub state: String,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystemOutput {
    /// The identifier.
    pub id: String,
    /// The ARN, for policies.
    pub arn: String,
}

/// Finds a file system by its creation token; one that is being deleted counts as gone.
pub(super) async fn find(context: &Context, token: &str) -> Result<Option<FileSystemDescription>> {
    let ask = || async {
        let answer = context.aws.efs.describe_file_systems().creation_token(token).send().await;
        let answer = answer.absent_on(&["FileSystemNotFound"])?;
        Ok(answer.and_then(|answer| answer.file_systems).unwrap_or_default().into_iter().next())
    };
    let found: Option<FileSystemDescription> = context.once(&format!("file system {token}"), ask).await?;
    let gone = [LifeCycleState::Deleting, LifeCycleState::Deleted];
    Ok(found.filter(|found| !gone.contains(&found.life_cycle_state)))
}

impl FileSystem {
    async fn transition_to_ia(&self, context: &Context, id: &str) -> Result<Option<String>> {
        let answer = context.aws.efs.describe_lifecycle_configuration().file_system_id(id).send().await;
        let policies = answer.map_err(AwsError::from)?.lifecycle_policies.unwrap_or_default();
        Ok(policies.into_iter().find_map(|policy| Some(policy.transition_to_ia?.as_str().to_owned())))
    }

    async fn backup(&self, context: &Context, id: &str) -> Result<bool> {
        let answer = context.aws.efs.describe_backup_policy().file_system_id(id).send().await;
        let policy = answer.absent_on(&["PolicyNotFound"])?.and_then(|answer| answer.backup_policy);
        let on = [Status::Enabled, Status::Enabling];
        Ok(policy.is_some_and(|policy| on.contains(&policy.status)))
    }

    /// Sets what differs from what is there, one after another: AWS refuses a change while another is in progress.
    async fn configure(
        &self,
        context: &Context,
        id: &str,
        live: Option<&FileSystemSpec>,
        spec: &FileSystemSpec,
    ) -> Result<()> {
        if live.is_none_or(|live| live.transition_to_ia != spec.transition_to_ia) {
            let policies = spec.transition_to_ia.iter().map(|after| {
                LifecyclePolicy::builder().transition_to_ia(TransitionToIaRules::from(after.as_str())).build()
            });
            let request = context.aws.efs.put_lifecycle_configuration().file_system_id(id);
            let request = request.set_lifecycle_policies(Some(policies.collect()));
            in_turn(context, || async { Ok(request.clone().send().await.map(drop)?) }).await?;
        }
        if live.is_none_or(|live| live.backup != spec.backup) {
            let status = if spec.backup { Status::Enabled } else { Status::Disabled };
            let policy = BackupPolicy::builder().status(status).build()?;
            let request = context.aws.efs.put_backup_policy().file_system_id(id).backup_policy(policy);
            in_turn(context, || async { Ok(request.clone().send().await.map(drop)?) }).await?;
        }
        Ok(())
    }

    async fn available(&self, context: &Context) -> Result<()> {
        // Usually 5 to 20 seconds.
        let wait = Wait::new("the file system to be available", Duration::from_secs(2), Duration::from_secs(600));
        let look = || async {
            Ok(match find(context, &self.token).await? {
                Some(found) if found.life_cycle_state == LifeCycleState::Available => Poll::Ready(()),
                Some(found) if found.life_cycle_state == LifeCycleState::Error => {
                    bail!("the file system {} is in error; AWS support can tell why", found.file_system_id)
                }
                Some(found) => Poll::Pending(found.life_cycle_state.as_str().to_owned()),
                None => Poll::Pending("not visible yet".to_owned()),
            })
        };
        context.wait(wait, look).await
    }
}

/// Changes a setting as soon as the change before it is done.
pub(super) async fn in_turn<F>(context: &Context, change: impl Fn() -> F + Send + Sync) -> Result<()>
where
    F: Future<Output = Result<(), AwsError>> + Send,
{
    let wait = Wait::new("the file system to take the next change", Duration::from_secs(1), Duration::from_secs(120));
    let attempt = || async {
        match change().await {
            Ok(()) => Ok(Poll::Ready(())),
            Err(error) if error.is("IncorrectFileSystemLifeCycleState") => Ok(Poll::Pending(error.message)),
            Err(error) => Err(error.into()),
        }
    };
    context.wait(wait, attempt).await
}

impl Resource for FileSystem {
    const KIND: &'static str = "EFS file system";
    const IMMUTABLE: &'static [&'static str] = &["encrypted", "kms_key", "performance_mode"];
    const WHEN_BLOCKED: Option<&'static str> = Some(
        "a file system keeps the key that it was made with; set encryption.disk_and_images = false to leave it as it \
         is, or `provision destroy --delete-data` and deploy again, which loses what is on it: caches, and the history \
         of results",
    );
    const TRANSIENT: &'static [&'static str] = &["state"];
    const HOLDS_DATA: bool = true;

    type Spec = FileSystemSpec;
    type Output = FileSystemOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = find(context, &self.token).await? else { return Ok(None) };
        let tags = found.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        context.aws.owner.check(format_args!("file system {}", found.file_system_id), tags)?;
        let id = found.file_system_id;
        let (transition_to_ia, backup) =
            tokio::try_join!(self.transition_to_ia(context, &id), self.backup(context, &id))?;
        // While a change is being made it can be used like before.
        let state = match found.life_cycle_state {
            LifeCycleState::Updating => LifeCycleState::Available.as_str().to_owned(),
            state => state.as_str().to_owned(),
        };
        let throughput_mode = found.throughput_mode.unwrap_or(ThroughputMode::Bursting);
        Ok(Some(Live {
            spec: FileSystemSpec {
                encrypted: found.encrypted.unwrap_or_default(),
                // Of one that has AWS's own key, AWS answers that key's ARN, which looks like any other.
                kms_key: found.kms_key_id.filter(|_| self.has_own_key),
                performance_mode: found.performance_mode.as_str().to_owned(),
                throughput_mode: throughput_mode.as_str().to_owned(),
                transition_to_ia,
                backup,
                state,
            },
            output: FileSystemOutput { id, arn: super::sent(found.file_system_arn, "the file system's ARN")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &FileSystemSpec) -> Result<FileSystemOutput> {
        let tags = context.aws.owner.tags(&self.name).into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = context
            .aws
            .efs
            .create_file_system()
            .creation_token(&self.token)
            .encrypted(spec.encrypted)
            .set_kms_key_id(spec.kms_key.clone())
            .performance_mode(PerformanceMode::from(spec.performance_mode.as_str()))
            .throughput_mode(ThroughputMode::from(spec.throughput_mode.as_str()))
            .set_tags(Some(tags.collect::<Result<_, _>>()?));
        let created = request.send().await.map_err(AwsError::from)?;
        self.available(context).await?;
        self.configure(context, &created.file_system_id, None, spec).await?;
        let arn = super::sent(created.file_system_arn, "the file system's ARN")?;
        Ok(FileSystemOutput { id: created.file_system_id, arn })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &FileSystemSpec) -> Result<FileSystemOutput> {
        self.available(context).await?;
        if live.spec.throughput_mode != spec.throughput_mode {
            let request = context.aws.efs.update_file_system().file_system_id(&live.output.id);
            let mode = ThroughputMode::from(spec.throughput_mode.as_str());
            request.throughput_mode(mode).send().await.map_err(AwsError::from)?;
            self.available(context).await?;
        }
        self.configure(context, &live.output.id, Some(&live.spec), spec).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.efs.delete_file_system().file_system_id(&live.output.id);
        request.send().await.absent_on(&["FileSystemNotFound"])?;
        let wait = Wait::new("the file system to be gone", Duration::from_secs(2), Duration::from_secs(300));
        let look = || async {
            Ok(match find(context, &self.token).await? {
                Some(_) => Poll::Pending("deleting".to_owned()),
                None => Poll::Ready(()),
            })
        };
        context.wait(wait, look).await
    }
}
