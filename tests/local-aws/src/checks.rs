//! What tests of options and of drift ask again and again: what a deploy would change, and whether it then has.

use std::time::Duration;

use anyhow::{Result, ensure};
use provision::aws::{Aws, Owner};
use provision::guard::Access;
use provision::plan::{Action, Goal, Plan};

use crate::Cloud;
use crate::census::{Census, census};
use crate::runs::Runs;

/// Somebody else's hands in the account.
pub fn hands(runs: &Runs) -> Aws {
    runs.cloud.aws(Owner { app: "hands".to_owned(), environment: "test".to_owned() }, Access::ReadWrite)
}

/// An account in which everything is as the environment `staging` describes it.
///
/// # Errors
/// When it does not become so.
pub async fn deployed() -> Result<Runs> {
    let runs = Runs::on(Cloud::default()).await?;
    runs.deploy().await?;
    Ok(runs)
}

/// What a deploy would change; see [`lines`].
///
/// # Errors
/// When something cannot be read.
pub async fn changes(runs: &Runs) -> Result<Vec<String>> {
    Ok(lines(&runs.plan(Goal::Present).await?))
}

/// What a plan changes, one line a resource: `~ name fields`, the same with `!` where AWS cannot do it in place, or the
/// sign of another action and the name.
pub fn lines(plan: &Plan) -> Vec<String> {
    let lines = plan.steps.iter().filter_map(|step| {
        let sign = match &step.action {
            Action::Keep | Action::Retain => return None,
            Action::Update { changes } | Action::Blocked { changes } => {
                let fields: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
                let sign = if matches!(step.action, Action::Update { .. }) { '~' } else { '!' };
                return Some(format!("{sign} {} {}", step.name, fields.join(" ")));
            }
            Action::Create { .. } => '+',
            Action::Delete => '-',
            Action::Recheck => '?',
        };
        Some(format!("{sign} {}", step.name))
    });
    lines.collect()
}

/// Deploys what was changed in the configuration or behind the tool's back, which must be exactly this; then nothing
/// is left to do.
///
/// # Errors
/// When something else is to be done, before or after.
pub async fn repaired(runs: &Runs, expected: &[&str]) -> Result<()> {
    let found = changes(runs).await?;
    ensure!(found == expected, "to do is {found:#?}, not {expected:#?}");
    converges(runs).await
}

/// Deploys, and then nothing is left to do.
///
/// # Errors
/// When something is.
pub async fn converges(runs: &Runs) -> Result<()> {
    runs.deploy().await?;
    let left = changes(runs).await?;
    ensure!(left.is_empty(), "there is still something to do: {left:#?}");
    Ok(())
}

/// Destroys everything, and compares the account with one in which nothing ever was; what a test put there beside it
/// is told apart by `but`.
///
/// # Errors
/// When something is left.
pub async fn leaves_nothing(runs: &Runs, but: &[&str]) -> Result<()> {
    runs.destroy().await?;
    // The record of runs outlives the stack.
    let count = async |runs: &Runs| -> Result<Census> {
        let mut census = settled(runs).await?;
        census.retain(|kind, _| *kind != "log groups" && !but.contains(kind));
        Ok(census)
    };
    let (left, fresh) = (count(runs).await?, count(&Runs::on(Cloud::default()).await?).await?);
    ensure!(left == fresh, "left is {left:?}, and not {fresh:?}");
    Ok(())
}

/// Counts when everything that is on its way out is gone.
async fn settled(runs: &Runs) -> Result<Census> {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    // The first call makes the account see the new time.
    census(&runs.cloud).await?;
    census(&runs.cloud).await
}
