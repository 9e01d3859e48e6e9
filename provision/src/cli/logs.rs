//! `provision logs`: what the service wrote.

use std::time::Duration;

use anyhow::{Context as _, Result};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::sleep;

use super::arguments::LogsArguments;
use super::document::Document;
use super::exit::Exit;
use super::session::Session;
use crate::aws::{Absent as _, Aws};
use crate::guard::Access;
use crate::names::Names;

/// How often one looks for new lines; ten calls a second are allowed to an account.
const LOOK: Duration = Duration::from_secs(2);

pub(crate) async fn run(session: &Session<'_>, arguments: &LogsArguments) -> Result<Exit> {
    session.check_account().await?;
    let aws = session.aws(Access::ReadOnly);
    let group = Names::of(&session.deployment).log_group();
    let mut tail = Tail { group, filter: arguments.filter.clone(), from: begin(arguments.since), seen: Vec::new() };
    // Whoever follows a log ends it so, and nothing is wrong then.
    let mut interrupted = session.begin_work();
    loop {
        let Some(lines) = tail.next(&aws).await? else {
            session.terminal.say(format_args!("there is no log {} yet; run `provision deploy`", tail.group));
            return Ok(Exit::Done);
        };
        for line in lines {
            session.terminal.print(&line.message);
            session.terminal.document(&line);
        }
        if !arguments.follow {
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = sleep(LOOK) => (),
            _ = interrupted.wait_for(|interrupted| *interrupted) => return Ok(Exit::Done),
        }
    }
}

/// The time so long ago, in milliseconds since 1970.
fn begin(since: Duration) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.saturating_sub(since).as_millis()).unwrap_or(i64::MAX)
}

/// A place in the log that moves on.
struct Tail {
    group: String,
    filter: Option<String>,
    from: i64,
    /// The lines of the newest moment, which is asked for again because more may come in it.
    seen: Vec<String>,
}

/// One line of the log; a command writes any number of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// When it was written, in milliseconds since 1970.
    timestamp: i64,
    /// The log stream of the task that wrote it.
    stream: String,
    /// What was written.
    message: String,
}

impl Document for Line {
    const NAME: &'static str = "provision.log-line/1";
}

impl Tail {
    async fn next(&mut self, aws: &Aws) -> Result<Option<Vec<Line>>> {
        let mut lines = Vec::new();
        let mut next = None;
        loop {
            let request = aws.logs.filter_log_events().log_group_name(&self.group).start_time(self.from);
            let request = request.set_filter_pattern(self.filter.clone()).set_next_token(next);
            let answer = request.send().await.absent_on(&["ResourceNotFoundException"]).context("reading the log")?;
            let Some(answer) = answer else { return Ok(None) };
            for event in answer.events() {
                let id = event.event_id().unwrap_or_default().to_owned();
                let at = event.timestamp().unwrap_or_default();
                if self.seen.contains(&id) {
                    continue;
                }
                if at > self.from {
                    self.from = at;
                    self.seen.clear();
                }
                self.seen.push(id);
                let message = event.message().unwrap_or_default().trim_end().to_owned();
                lines.push(Line {
                    timestamp: at,
                    stream: event.log_stream_name().unwrap_or_default().to_owned(),
                    message,
                });
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(Some(lines));
            }
        }
    }
}
