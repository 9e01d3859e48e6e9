//! The service's way into the shared disk: one folder, one user.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_efs::types::{AccessPointDescription, CreationInfo, LifeCycleState, PosixUser, RootDirectory, Tag};
use serde::Serialize;

use super::file_system;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The access point of a file system to a path.
#[derive(Debug)]
pub struct AccessPoint {
    /// The creation token of the file system.
    pub file_system_token: String,
    /// The name in the stack.
    pub name: String,
    /// The folder it leads to.
    pub path: String,
}

/// What it should be; AWS changes none of it.
#[derive(Debug, Serialize)]
pub struct AccessPointSpec {
    /// The file system.
    pub file_system_id: String,
    /// The folder it leads to.
    pub path: String,
    /// The user that everyone becomes; without one, everyone stays who they are.
    pub uid: Option<i64>,
    /// The group that everyone becomes.
    pub gid: Option<i64>,
    /// Whose folder it is, if it has to be made.
    pub owner: Option<i64>,
    /// The permissions that the folder is created with; without them a missing folder fails the mount.
    pub permissions: String,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPointOutput {
    /// The identifier.
    pub id: String,
    /// The ARN, for policies.
    pub arn: String,
}

impl AccessPoint {
    async fn find(&self, context: &Context) -> Result<Option<AccessPointDescription>> {
        let Some(file_system) = file_system::find(context, &self.file_system_token).await? else { return Ok(None) };
        let answer = context.aws.efs.describe_access_points().file_system_id(file_system.file_system_id).send().await;
        let points = answer.absent_on(&["FileSystemNotFound"])?.and_then(|answer| answer.access_points);
        let gone = [LifeCycleState::Deleting, LifeCycleState::Deleted];
        Ok(points.unwrap_or_default().into_iter().find(|point| {
            let path = point.root_directory.as_ref().and_then(|root| root.path());
            path == Some(&self.path) && !point.life_cycle_state.as_ref().is_some_and(|state| gone.contains(state))
        }))
    }
}

impl Resource for AccessPoint {
    const KIND: &'static str = "EFS access point";
    const IMMUTABLE: &'static [&'static str] = &["file_system_id", "path", "uid", "gid", "owner", "permissions"];

    type Spec = AccessPointSpec;
    type Output = AccessPointOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(point) = self.find(context).await? else { return Ok(None) };
        let root = super::sent(point.root_directory, "the access point's folder")?;
        Ok(Some(Live {
            spec: AccessPointSpec {
                file_system_id: super::sent(point.file_system_id, "the access point's file system")?,
                path: root.path.unwrap_or_default(),
                uid: point.posix_user.as_ref().map(|user| user.uid),
                gid: point.posix_user.as_ref().map(|user| user.gid),
                owner: root.creation_info.as_ref().map(|info| info.owner_uid),
                permissions: root.creation_info.map(|info| info.permissions).unwrap_or_default(),
            },
            output: AccessPointOutput {
                id: super::sent(point.access_point_id, "the access point's id")?,
                arn: super::sent(point.access_point_arn, "the access point's ARN")?,
            },
        }))
    }

    async fn create(&self, context: &Context, spec: &AccessPointSpec) -> Result<AccessPointOutput> {
        let info = CreationInfo::builder().set_owner_uid(spec.owner).set_owner_gid(spec.owner);
        let info = info.permissions(&spec.permissions).build()?;
        let root = RootDirectory::builder().path(&spec.path).creation_info(info).build();
        let tags = context.aws.owner.tags(&self.name).into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = context
            .aws
            .efs
            .create_access_point()
            // The same file system and path: the same token, so a repeated call makes no second one.
            .client_token(format!("{}{}", spec.file_system_id, spec.path))
            .file_system_id(&spec.file_system_id)
            .posix_user(PosixUser::builder().set_uid(spec.uid).set_gid(spec.gid).build()?)
            .root_directory(root)
            .set_tags(Some(tags.collect::<Result<_, _>>()?));
        let created = request.send().await.map_err(AwsError::from)?;
        let wait = Wait::new("the access point to be available", Duration::from_secs(2), Duration::from_secs(120));
        let look = || async {
            let state = self.find(context).await?.and_then(|point| point.life_cycle_state);
            Ok(match state {
                Some(LifeCycleState::Available) => Poll::Ready(()),
                Some(state) => Poll::Pending(state.as_str().to_owned()),
                None => Poll::Pending("not visible yet".to_owned()),
            })
        };
        context.wait(wait, look).await?;
        Ok(AccessPointOutput {
            id: super::sent(created.access_point_id, "the access point's id")?,
            arn: super::sent(created.access_point_arn, "the access point's ARN")?,
        })
    }

    async fn update(&self, _: &Context, _: &Live<Self>, _: &AccessPointSpec) -> Result<AccessPointOutput> {
        Err(super::never_changes(Self::KIND))
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.efs.delete_access_point().access_point_id(&live.output.id);
        request.send().await.absent_on(&["AccessPointNotFound"])?;
        Ok(())
    }
}
