//! Target groups that were replaced: what cannot change in place is made anew under another name, and the old one goes
//! when nothing sends requests to it any more.

use anyhow::Result;
use serde::Serialize;

use super::load_balancer::is_tagged;
use super::target_group;
use crate::aws::{Absent as _, NotOurs};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// All target groups of ours but those that are described.
#[derive(Debug)]
pub struct OldTargetGroups {
    /// What the names of ours begin with, and which one of them stays.
    pub groups: Vec<(String, String)>,
}

/// What is left.
#[derive(Debug, Serialize)]
pub struct OldTargetGroupsSpec {
    /// Their names, sorted.
    pub names: Vec<String>,
    #[serde(skip)]
    arns: Vec<String>,
}

impl OldTargetGroups {
    fn is_old(&self, name: &str) -> bool {
        self.groups.iter().any(|(begin, _)| name.starts_with(begin))
            && self.groups.iter().all(|(_, stays)| stays != name)
    }
}

impl Resource for OldTargetGroups {
    const KIND: &'static str = "old target groups";

    type Spec = OldTargetGroupsSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let (mut names, mut arns) = (Vec::new(), Vec::new());
        for group in target_group::all(context).await? {
            let (Some(name), Some(arn)) = (group.target_group_name, group.target_group_arn) else { continue };
            // A name like ours without our tags is somebody else's, and in nobody's way.
            if !self.is_old(&name) {
                continue;
            }
            match is_tagged(context, &name, &arn).await {
                Ok(_) => {
                    names.push(name);
                    arns.push(arn);
                }
                Err(error) if error.is::<NotOurs>() => (),
                Err(error) => return Err(error),
            }
        }
        names.sort_unstable();
        let spec = OldTargetGroupsSpec { names, arns };
        Ok((!spec.arns.is_empty()).then_some(Live { spec, output: () }))
    }

    async fn create(&self, _: &Context, _: &OldTargetGroupsSpec) -> Result<()> {
        Err(super::never_changes(Self::KIND))
    }

    async fn update(&self, _: &Context, _: &Live<Self>, _: &OldTargetGroupsSpec) -> Result<()> {
        Err(super::never_changes(Self::KIND))
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        for arn in &live.spec.arns {
            let request = context.aws.elb.delete_target_group().target_group_arn(arn);
            request.send().await.absent_on(&["TargetGroupNotFound"])?;
        }
        Ok(())
    }
}
