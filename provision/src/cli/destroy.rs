//! `provision destroy`: removes what deploy made, dependents first.

use std::collections::BTreeMap;

use crate::context::Look;
use crate::plan::Goal;
use anyhow::Result;

use super::arguments::DestroyArguments;
use super::consent::confirm_removal;
use super::deploy::carry_out;
use super::exit::Exit;
use super::plan::announce;
use super::report;
use super::session::Session;
use super::summary::{Summary, Told};

pub(crate) async fn run(session: &Session<'_>, arguments: &DestroyArguments) -> Result<Exit> {
    let ours = session.stack_to_find();
    let goal = Goal::Absent { delete_data: arguments.delete_data };
    let planned = session.prepare(&ours, goal, Look::Afresh).await?;
    let cost = announce(session, &ours, &planned).cost;
    let outcome = if planned.is_done() {
        None
    } else {
        let what = format!("destroy {} in {}", session.deployment.environment, session.deployment.region);
        confirm_removal(session, arguments.yes, arguments.confirm.as_deref(), &what)?;
        Some(carry_out(session, "destroy", &ours, &planned, None).await?)
    };
    let told = Told {
        verb: "destroy",
        stack: &ours.stack,
        plan: &planned.plan,
        outcome: outcome.as_ref(),
        cost,
        outputs: BTreeMap::new(),
    };
    let done = report::conclude(session, &Summary::of(session, told));
    if done == Exit::Done && outcome.is_some() && arguments.delete_data {
        session.terminal.say(BACKUPS);
    }
    if done == Exit::Done && outcome.is_some() && session.deployment.github.is_some() {
        session.terminal.say("if the pipeline has a role, it stays; `provision ci-role --remove` removes it");
    }
    Ok(done)
}

/// EFS's automatic backups belong to AWS Backup, in a vault that other file systems of the account share.
const BACKUPS: &str = "AWS Backup keeps its daily copies of the disk for 35 days, and they cost until then; to be rid of them at once, delete \
                       their recovery points in the vault aws/efs/automatic-backup-vault";
