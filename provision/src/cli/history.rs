//! `provision history` and `rollback`: what ran before, and going back to it.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use super::arguments::RollbackArguments;
use super::consent::confirm;
use super::document::Document;
use super::exit::{BadInput, Exit};
use super::report;
use super::session::Session;
use crate::context::Context;
use crate::guard::Access;
use crate::names::Names;
use crate::record::{Entry, Outcome, Run};
use crate::resources::ecs_service;
use crate::resources::task_definition::{self, Revision};
use crate::run::{End, Locked};

/// What was deployed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct History {
    /// The number of the revision that runs; nothing when no service runs.
    running: Option<i32>,
    /// What can be run again, newest first.
    revisions: Vec<Revision>,
    /// What was done, newest first.
    runs: Vec<Past>,
}

impl Document for History {
    const NAME: &'static str = "provision.history/1";
}

/// One run of the past.
#[derive(Debug, Serialize, JsonSchema)]
struct Past {
    /// Tells runs apart.
    id: String,
    /// Who ran it.
    who: String,
    /// The verb.
    verb: String,
    /// When it began, in UTC.
    since: String,
    /// How it ended.
    outcome: Outcome,
    /// When it ended.
    ended: Option<String>,
    /// The image that it deployed.
    image: Option<String>,
    /// The task definition that ran at its end.
    task_definition: Option<String>,
    /// How many resources it changed.
    changed: usize,
}

impl From<Entry> for Past {
    fn from(entry: Entry) -> Self {
        let Run { id, who, verb, since } = entry.run;
        let Entry { outcome, ended, image, task_definition, changed, .. } = entry;
        Self { id, who, verb, since, outcome, ended, image, task_definition, changed }
    }
}

/// What runs after a rollback.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Rollback {
    /// The revision that ran before.
    from: i32,
    /// The revision that runs now.
    to: i32,
    /// Its image.
    image: String,
}

impl Document for Rollback {
    const NAME: &'static str = "provision.rollback/1";
}

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let context = Context::silent(session.aws(Access::ReadOnly));
    let ((revisions, running), runs) =
        tokio::try_join!(read(session, &context), async { session.record().runs(&context).await })?;
    text(session, &revisions, running, &runs);
    session.terminal.document(&History { running, revisions, runs: runs.into_iter().map(Past::from).collect() });
    Ok(Exit::Done)
}

fn text(session: &Session<'_>, revisions: &[Revision], running: Option<i32>, runs: &[Entry]) {
    let terminal = session.terminal;
    if revisions.is_empty() && runs.is_empty() {
        terminal.say("nothing was deployed yet; run `provision deploy`");
        return;
    }
    for Revision { number, registered, image, .. } in revisions {
        let mark = if running == Some(*number) { "runs" } else { "" };
        terminal.print(format_args!("{number:>5}  {registered:<20}  {image}  {mark}").to_string().trim_end());
    }
    if !runs.is_empty() {
        terminal.print("");
    }
    for Entry { run, outcome, changed, task_definition, .. } in runs {
        let revision = task_definition.as_deref().and_then(|arn| arn.rsplit(':').next());
        let revision = revision.map_or_else(String::new, |number| format!(", then revision {number} ran"));
        let outcome = match outcome {
            Outcome::Begun => "did not end yet, or was killed".to_owned(),
            Outcome::Done => format!("{changed} changed{revision}"),
            Outcome::Failed => format!("FAILED, {changed} changed{revision}"),
            Outcome::Interrupted => format!("interrupted, {changed} changed{revision}"),
        };
        terminal.print(format_args!("{}  {:<8}  by {}: {outcome}", run.since, run.verb, run.who));
    }
}

async fn read(session: &Session<'_>, context: &Context) -> Result<(Vec<Revision>, Option<i32>)> {
    let names = Names::of(&session.deployment);
    let revisions = task_definition::revisions(context, &session.deployment.task.family).await?;
    let service = ecs_service::find(context, &names.cluster(), &names.service()).await?;
    let running = service.and_then(|service| service.task_definition);
    let running = revisions.iter().find(|revision| Some(&revision.arn) == running.as_ref());
    Ok((revisions.clone(), running.map(|revision| revision.number)))
}

pub(crate) async fn rollback(session: &Session<'_>, arguments: &RollbackArguments) -> Result<Exit> {
    session.check_account().await?;
    let names = Names::of(&session.deployment);
    let (revisions, running) = read(session, &Context::silent(session.aws(Access::ReadOnly))).await?;
    let Some(running) = running else {
        return Err(BadInput(
            "no service runs, so there is nothing to go back from; run `provision deploy`".to_owned(),
        )
        .into());
    };
    let runs = session.record().runs(&Context::silent(session.reader())).await?;
    let target = match arguments.to {
        Some(number) => revisions.iter().find(|revision| revision.number == number),
        None => one_before(&revisions, running, &runs),
    };
    let Some(target) = target else {
        let known: Vec<_> = revisions.iter().map(|revision| revision.number.to_string()).collect();
        let what = arguments.to.map_or_else(
            || format!("there is nothing before revision {running}"),
            |to| format!("there is no revision {to}"),
        );
        return Err(BadInput(format!("{what}; `provision history` lists {}", known.join(", "))).into());
    };
    // A run that was killed holds the lock still, and may not have seen its revision come up.
    let unfinished = runs.first().is_some_and(|newest| newest.outcome == Outcome::Begun);
    if target.number == running && !unfinished {
        session.terminal.say(format_args!("revision {running} runs already"));
        session.terminal.document(&Rollback { from: running, to: running, image: target.image.clone() });
        return Ok(Exit::Done);
    }
    confirm(
        session,
        arguments.yes,
        &format!("go back from revision {running} to {} ({})", target.number, target.image),
    )?;
    let record = session.record();
    let entry = Entry::begun(Run::begin("rollback", &session.who()), Some(target.image.clone()));
    let aws = session.aws(Access::ReadWrite);
    let go_back = async |interrupted: watch::Receiver<bool>, context: Context| {
        let locked = Locked { record: &record, tell: &context, interrupted };
        let switch = async |_| ecs_service::switch(&context, &names.cluster(), &names.service(), &target.arn).await;
        let end = |result: &Result<()>| {
            let how = if result.is_ok() { Outcome::Done } else { Outcome::Failed };
            let task_definition = result.is_ok().then(|| target.arn.clone());
            End::Remember(Box::new(Entry { changed: 1, task_definition, ..entry.clone() }.ended(how)))
        };
        locked.run(entry.clone(), None, switch, end).await?
    };
    report::interruptibly(session, async |interrupted| {
        report::alone(session, aws, async |context| go_back(interrupted, context).await).await
    })
    .await?;
    session.terminal.say(format_args!(
        "revision {} runs; the next deploy brings the newest again, so mend it first",
        target.number
    ));
    session.terminal.document(&Rollback { from: running, to: target.number, image: target.image.clone() });
    Ok(Exit::Done)
}

/// The last revision before the running one that is known to have come up; of runs that nobody remembers any more,
/// simply the last one.
fn one_before<'a>(revisions: &'a [Revision], running: i32, runs: &[Entry]) -> Option<&'a Revision> {
    let came_up = |revision: &&Revision| runs.iter().any(|run| run.task_definition.as_ref() == Some(&revision.arn));
    let mut before = revisions.iter().filter(|revision| revision.number < running);
    before.clone().find(came_up).or_else(|| before.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(number: i32) -> Revision {
        Revision { number, arn: format!("app:{number}"), image: String::new(), registered: String::new() }
    }

    fn ran(number: i32) -> Entry {
        let entry = Entry::begun(Run::begin("deploy", "me"), None);
        Entry { task_definition: Some(revision(number).arn), ..entry.ended(Outcome::Done) }
    }

    #[test]
    fn a_revision_that_did_not_come_up_is_passed_over() {
        let revisions = [4, 3, 2, 1].map(revision);
        let number = |runs: &[Entry]| one_before(&revisions, 4, runs).map(|revision| revision.number);
        assert_eq!(number(&[ran(4), ran(1)]), Some(1));
        assert_eq!(number(&[ran(4), ran(3), ran(1)]), Some(3));
        assert_eq!(number(&[]), Some(3));
        assert!(one_before(&revisions, 1, &[ran(4)]).is_none());
    }
}
