//! `provision history` and `rollback`: what ran before, and going back to it.

use anyhow::Result;
use aws_sdk_ecs::types::Service;
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
use crate::resources::ecs_service::{self, Rollout};
use crate::resources::image;
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

/// The revision that the service is to run.
#[derive(Clone, Copy, Debug)]
struct Running {
    number: i32,
    rollout: Rollout,
    /// The revision whose tasks still serve, if that is another one.
    serving: Option<i32>,
}

impl Running {
    fn of(service: &Service) -> Option<Self> {
        let serving = ecs_service::serving(service).and_then(|it| number_of(it.task_definition()?));
        Some(Self { number: number_of(service.task_definition()?)?, rollout: Rollout::of(service), serving })
    }

    /// How it is doing, beside its line.
    fn mark(self) -> &'static str {
        match self.rollout {
            Rollout::Completed => "runs",
            Rollout::UnderWay => "is coming up",
            Rollout::Failed => "FAILED",
        }
    }
}

/// The number at the end of a revision's ARN.
fn number_of(arn: &str) -> Option<i32> {
    arn.rsplit(':').next()?.parse().ok()
}

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let context = Context::silent(session.aws(Access::ReadOnly));
    let ((revisions, running), runs) =
        tokio::try_join!(read(session, &context), async { session.record().runs(&context).await })?;
    text(session, &revisions, running, &runs);
    let running = running.map(|running| running.number);
    session.terminal.document(&History { running, revisions, runs: runs.into_iter().map(Past::from).collect() });
    Ok(Exit::Done)
}

fn text(session: &Session<'_>, revisions: &[Revision], running: Option<Running>, runs: &[Entry]) {
    let terminal = session.terminal;
    if revisions.is_empty() && runs.is_empty() {
        terminal.say("nothing was deployed yet; run `provision deploy`");
        return;
    }
    for Revision { number, registered, image, .. } in revisions {
        let mark = running.filter(|running| running.number == *number).map_or("", Running::mark);
        terminal.print(format_args!("{number:>5}  {registered:<20}  {image}  {mark}").to_string().trim_end());
    }
    if !runs.is_empty() {
        terminal.print("");
    }
    for Entry { run, outcome, changed, task_definition, .. } in runs {
        let revision = task_definition.as_deref().and_then(number_of);
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

async fn read(session: &Session<'_>, context: &Context) -> Result<(Vec<Revision>, Option<Running>)> {
    let names = Names::of(&session.deployment);
    let revisions = task_definition::revisions(context, &names.task_family()).await?;
    let service = ecs_service::find(context, &names.cluster(), &names.service()).await?;
    Ok((revisions, service.as_ref().and_then(Running::of)))
}

/// Where to go back to.
struct Target {
    revision: Revision,
    /// AWS deploys no inactive revision, so its content is registered once more.
    is_inactive: bool,
}

pub(crate) async fn rollback(session: &Session<'_>, arguments: &RollbackArguments) -> Result<Exit> {
    session.check_account().await?;
    let names = Names::of(&session.deployment);
    let family = names.task_family();
    let context = Context::silent(session.aws(Access::ReadOnly));
    let record = session.record();
    let ((revisions, running), runs, holder) =
        tokio::try_join!(read(session, &context), record.runs(&context), record.holder(&context))?;
    let Some(running) = running else {
        return Err(BadInput(
            "no service runs, so there is nothing to go back from; run `provision deploy`".to_owned(),
        )
        .into());
    };
    let Target { revision: target, is_inactive } = match arguments.to {
        Some(number) => named(session, &context, number, &revisions).await?,
        None => before(running, &revisions, &runs)?,
    };
    // A run that was killed holds the lock still, and may not have seen its revision come up.
    let unfinished = holder.is_some() || runs.first().is_some_and(|newest| newest.outcome == Outcome::Begun);
    if target.number == running.number && running.rollout == Rollout::Completed && !unfinished {
        session.terminal.say(format_args!("revision {} runs already", target.number));
        let image = target.image.clone();
        session.terminal.document(&Rollback { from: running.number, to: target.number, image });
        return Ok(Exit::Done);
    }
    check_image(session, &context, &target).await?;
    let anew = if is_inactive { ", registered once more because it is inactive" } else { "" };
    let question = format!("go back from revision {} to {} ({}{anew})", running.number, target.number, target.image);
    confirm(session, arguments.yes, &question)?;
    let entry = Entry::begun(Run::begin("rollback", &session.who()), Some(target.image.clone()));
    let aws = session.aws(Access::ReadWrite);
    let go_back = async |interrupted: watch::Receiver<bool>, context: Context| {
        let locked = Locked { record: &record, tell: &context, interrupted };
        let back = async |_| {
            let arn = match is_inactive {
                true => task_definition::register_again(&context, &family, &target.arn).await?,
                false => target.arn.clone(),
            };
            ecs_service::go_back(&context, &names.cluster(), &names.service(), &arn).await?;
            anyhow::Ok(arn)
        };
        let end = |result: &Result<String>| {
            let how = if result.is_ok() { Outcome::Done } else { Outcome::Failed };
            let task_definition = result.as_ref().ok().cloned();
            End::Remember(Box::new(Entry { changed: 1, task_definition, ..entry.clone() }.ended(how)))
        };
        locked.run(entry.clone(), None, back, end).await?
    };
    let arn = report::interruptibly(session, async |interrupted| {
        report::alone(session, aws, async |context| go_back(interrupted, context).await).await
    })
    .await?;
    let to = number_of(&arn).unwrap_or(target.number);
    let again = if is_inactive { format!(", which is {} once more", target.number) } else { String::new() };
    session
        .terminal
        .say(format_args!("revision {to} runs{again}; the next deploy brings the newest again, so mend it first"));
    session.terminal.document(&Rollback { from: running.number, to, image: target.image });
    Ok(Exit::Done)
}

/// The revision of a number.
async fn named(session: &Session<'_>, context: &Context, number: i32, revisions: &[Revision]) -> Result<Target> {
    if let Some(revision) = revisions.iter().find(|revision| revision.number == number) {
        return Ok(Target { revision: revision.clone(), is_inactive: false });
    }
    let family = Names::of(&session.deployment).task_family();
    let Some(revision) = task_definition::inactive(context, &family, number).await? else {
        let what = format!("there is no revision {number}; `provision history` lists {}", numbers(revisions));
        return Err(BadInput(what).into());
    };
    Ok(Target { revision, is_inactive: true })
}

/// An image may have expired since its revision ran; ECS would find that out task by task.
async fn check_image(session: &Session<'_>, context: &Context, target: &Revision) -> Result<()> {
    let repository = Names::of(&session.deployment).repository();
    // Another registry is not asked.
    let Some((_, digest)) = target.image.rsplit_once(&format!("/{repository}@")) else { return Ok(()) };
    if image::exists(context, &repository, digest).await? {
        return Ok(());
    }
    Err(BadInput(format!(
        "the image of revision {}, {}, is no longer in the repository, so it cannot run again; build that version and \
         give it to `provision deploy` with --image-layout, or choose another revision with --to",
        target.number, target.image
    ))
    .into())
}

/// What ran before: what still serves, or else the newest revision with which a run came to its end, or else one of
/// which nothing is remembered.
fn before(running: Running, revisions: &[Revision], runs: &[Entry]) -> Result<Target> {
    let of_it = |revision: &Revision, run: &&Entry| run.task_definition.as_deref() == Some(revision.arn.as_str());
    let came_up =
        |revision: &Revision| runs.iter().filter(|run| of_it(revision, run)).any(|run| run.outcome == Outcome::Done);
    let failed = |revision: &Revision, run: &Entry| run.tried.as_deref() == Some(revision.arn.as_str());
    let is_unknown = |revision: &Revision| !runs.iter().any(|run| of_it(revision, &run) || failed(revision, run));
    let is_earlier = |revision: &Revision| revision.number < running.number;
    // A way back can fail, too: then the newest revision is one that came up once.
    let is_back = |it: &Revision| it.number == running.number && running.rollout == Rollout::Failed;
    let serves = |it: &&Revision| Some(it.number) == running.serving;
    let target = revisions.iter().find(serves);
    let target = target.or_else(|| revisions.iter().find(|it| (is_earlier(it) || is_back(it)) && came_up(it)));
    let target = target.or_else(|| revisions.iter().find(|it| is_earlier(it) && is_unknown(it)));
    if let Some(target) = target {
        return Ok(Target { revision: target.clone(), is_inactive: false });
    }
    let (number, known) = (running.number, numbers(revisions));
    let what = if running.rollout == Rollout::Completed {
        format!("there is nothing before revision {number} that came up; `provision history` lists {known}")
    } else {
        format!(
            "no revision ever came up, so there is nothing to go back to from revision {number}; mend what keeps it from \
             coming up (`provision status` says what) and run `provision deploy` again, or remove everything with \
             `provision destroy`"
        )
    };
    Err(BadInput(what).into())
}

fn numbers(revisions: &[Revision]) -> String {
    let numbers: Vec<_> = revisions.iter().map(|revision| revision.number.to_string()).collect();
    numbers.join(", ")
}
