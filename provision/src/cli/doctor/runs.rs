//! Whether somebody is at work, or died at it.

use anyhow::Result;

use super::super::session::Session;
use super::Finding;
use crate::context::Context;
use crate::record::Outcome;

const WHAT: &str = "runs";

pub(super) async fn look(session: &Session<'_>, context: &Context) -> Vec<Finding> {
    vec![Finding::of(WHAT, run(session, context).await)]
}

async fn run(session: &Session<'_>, context: &Context) -> Result<Finding> {
    let record = session.record();
    let (holder, runs) = tokio::try_join!(record.holder(context), record.runs(context))?;
    if let Some(holder) = holder {
        return Ok(Finding::note(
            WHAT,
            format_args!(
                "{holder} holds the lock: it is at work, or it was killed; a deploy waits a minute to see which, and \
                 `provision unlock` takes the lock from one that is known to be dead"
            ),
        ));
    }
    Ok(match runs.first() {
        None => Finding::good(WHAT, "nothing was deployed yet, and nobody is at work"),
        Some(last) if last.outcome == Outcome::Done => {
            Finding::good(WHAT, "nobody is at work, and the last run was finished")
        }
        Some(last) => {
            let how = match last.outcome {
                Outcome::Failed => "failed",
                Outcome::Interrupted => "was interrupted",
                _ => "did not come to its end",
            };
            let run = &last.run;
            let text = format!("the last one, a {} by {} since {}, {how}", run.verb, run.who, run.since);
            Finding::note(WHAT, format_args!("{text}; the next deploy goes on from what exists"))
        }
    })
}
