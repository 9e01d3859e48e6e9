//! The shared disk's door in one subnet.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_ec2::types::{Filter, NetworkInterface};
use aws_sdk_efs::types::{LifeCycleState, MountTargetDescription};
use serde::Serialize;

use super::{ec2_tags, file_system, subnet};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// How long the name of a new mount target may not resolve although it is available. A task that
/// starts earlier dies with "Failed to resolve", which reads like a broken network.
const DNS: Duration = Duration::from_secs(90);

/// The mount target of a file system in a subnet.
#[derive(Debug)]
pub struct MountTarget {
    /// The creation token of the file system.
    pub file_system_token: String,
    /// The subnet's name in the stack.
    pub subnet_tag: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct MountTargetSpec {
    /// The file system.
    pub file_system_id: String,
    /// The subnet.
    pub subnet_id: String,
    /// Who may mount.
    pub security_groups: Vec<String>,
    /// `available`; one that a killed run left behind is still on its way there.
    pub state: String,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountTargetOutput {
    /// The identifier.
    pub id: String,
}

impl MountTarget {
    /// Mount targets carry no tags, so they are found by what they connect.
    async fn find(&self, context: &Context) -> Result<Option<MountTargetDescription>> {
        let (file_system, subnets) =
            tokio::try_join!(file_system::find(context, &self.file_system_token), subnet::ours(context))?;
        let subnet = subnets.into_iter().find(|subnet| ec2_tags::name_it(subnet.tags(), &self.subnet_tag));
        let subnet = subnet.and_then(|subnet| subnet.subnet_id);
        let (Some(file_system), Some(subnet)) = (file_system, subnet) else { return Ok(None) };
        let id = file_system.file_system_id;
        let ask = || async {
            let answer = context.aws.efs.describe_mount_targets().file_system_id(&id).send().await;
            Ok(answer.absent_on(&["FileSystemNotFound"])?.and_then(|answer| answer.mount_targets).unwrap_or_default())
        };
        let targets = context.once(&format!("mount targets of {id}"), ask).await?;
        Ok(targets.into_iter().find(|target| target.subnet_id == subnet))
    }

    /// A mount target's groups are those of its network interface, and the interfaces of a whole network come with one
    /// question, side by side with the one for the mount targets.
    async fn interfaces(&self, context: &Context) -> Result<Vec<NetworkInterface>> {
        let ask = || async {
            let subnets = subnet::ours(context).await?;
            let networks: BTreeSet<_> = subnets.into_iter().filter_map(|subnet| subnet.vpc_id).collect();
            // AWS refuses a filter without values.
            if networks.is_empty() {
                return Ok(Vec::new());
            }
            let filter = Filter::builder().name("vpc-id").set_values(Some(networks.into_iter().collect())).build();
            let answer = context.aws.ec2.describe_network_interfaces().filters(filter).send().await;
            Ok(answer.map_err(AwsError::from)?.network_interfaces.unwrap_or_default())
        };
        context.once("interfaces of our networks", ask).await
    }

    async fn security_groups(
        &self,
        context: &Context,
        target: &MountTargetDescription,
        interfaces: Vec<NetworkInterface>,
    ) -> Result<Vec<String>> {
        let ours = interfaces.into_iter().find(|it| it.network_interface_id == target.network_interface_id);
        let groups = ours.and_then(|it| it.groups).unwrap_or_default();
        if !groups.is_empty() {
            return Ok(super::sorted(groups.into_iter().filter_map(|group| group.group_id)));
        }
        let id = &target.mount_target_id;
        let answer = context.aws.efs.describe_mount_target_security_groups().mount_target_id(id).send().await;
        Ok(super::sorted(answer.map_err(AwsError::from)?.security_groups.into_iter()))
    }

    async fn available(&self, context: &Context) -> Result<()> {
        // Usually one to two minutes; Terraform had to raise its limit to 30.
        let wait = Wait::new("the mount target to be available", Duration::from_secs(4), Duration::from_secs(1800));
        let look = || async {
            Ok(match self.find(context).await? {
                Some(target) if target.life_cycle_state == LifeCycleState::Available => Poll::Ready(()),
                Some(target) if target.life_cycle_state == LifeCycleState::Error => {
                    bail!(
                        "mount target {} is in error; delete it in the console and deploy again",
                        target.mount_target_id
                    )
                }
                Some(target) => Poll::Pending(target.life_cycle_state.as_str().to_owned()),
                None => Poll::Pending("not visible yet".to_owned()),
            })
        };
        context.wait(wait, look).await
    }
}

impl Resource for MountTarget {
    const KIND: &'static str = "EFS mount target";
    const IMMUTABLE: &'static [&'static str] = &["file_system_id", "subnet_id"];
    const TRANSIENT: &'static [&'static str] = &["state"];

    type Spec = MountTargetSpec;
    type Output = MountTargetOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let gone = [LifeCycleState::Deleting, LifeCycleState::Deleted];
        let (target, interfaces) = tokio::try_join!(self.find(context), self.interfaces(context))?;
        let target = target.filter(|target| !gone.contains(&target.life_cycle_state));
        let Some(target) = target else { return Ok(None) };
        let security_groups = self.security_groups(context, &target, interfaces).await?;
        Ok(Some(Live {
            spec: MountTargetSpec {
                file_system_id: target.file_system_id,
                subnet_id: target.subnet_id,
                security_groups,
                state: target.life_cycle_state.as_str().to_owned(),
            },
            output: MountTargetOutput { id: target.mount_target_id },
        }))
    }

    async fn create(&self, context: &Context, spec: &MountTargetSpec) -> Result<MountTargetOutput> {
        let request = context
            .aws
            .efs
            .create_mount_target()
            .file_system_id(&spec.file_system_id)
            .subnet_id(&spec.subnet_id)
            .set_security_groups(Some(spec.security_groups.clone()));
        let created = request.send().await.map_err(AwsError::from)?;
        self.available(context).await?;
        context.settle("the disk's name", context.aws.pace.scale(DNS)).await;
        Ok(MountTargetOutput { id: created.mount_target_id })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &MountTargetSpec) -> Result<MountTargetOutput> {
        self.available(context).await?;
        if live.spec.state != spec.state {
            context.settle("the disk's name", context.aws.pace.scale(DNS)).await;
        }
        if live.spec.security_groups == spec.security_groups {
            return Ok(live.output.clone());
        }
        let request = context.aws.efs.modify_mount_target_security_groups().mount_target_id(&live.output.id);
        let request = request.set_security_groups(Some(spec.security_groups.clone()));
        request.send().await.map_err(AwsError::from)?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.efs.delete_mount_target().mount_target_id(&live.output.id);
        request.send().await.absent_on(&["MountTargetNotFound"])?;
        // Until it is really gone, its file system, subnet and group cannot go either.
        let wait = Wait::new("the mount target to be gone", Duration::from_secs(4), Duration::from_secs(600));
        let look = || async {
            Ok(match self.find(context).await? {
                Some(target) => Poll::Pending(target.life_cycle_state.as_str().to_owned()),
                None => Poll::Ready(()),
            })
        };
        context.wait(wait, look).await
    }
}
