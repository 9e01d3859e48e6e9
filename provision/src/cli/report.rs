//! Turns events into lines that stand alone, on terminals and in logs alike.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::Result;

use super::session::Session;
use super::terminal::Terminal;
use crate::aws::Aws;
use crate::context::Context;
use crate::event::Event;
use crate::execute::Outcome;
use crate::plan::Plan;
use crate::run::Planned;
use crate::stack::{NodeId, Stack};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::Instant;

/// Prints what happens until the executor is done.
pub(crate) async fn follow(terminal: &Terminal, stack: &Stack, mut events: UnboundedReceiver<Event>) {
    let mut lines = Lines { stack, began: Instant::now(), started: BTreeMap::new() };
    while let Some(event) = events.recv().await {
        if let Some(line) = lines.of(&event) {
            terminal.say(line);
        }
    }
}

/// Says, if it comes to that, what an interruption means; never ends, because the work goes on.
pub(super) async fn interruption(session: &Session<'_>) -> Infallible {
    let mut interrupted = session.interrupted.clone();
    // A run that nobody can interrupt has nothing to say here.
    if interrupted.wait_for(|interrupted| *interrupted).await.is_ok() {
        session.terminal.say("interrupted: finishing what runs, starting nothing new; once more to leave at once");
    }
    std::future::pending().await
}

/// Says, while somebody only looks, that somebody else may be at work.
pub(super) fn warn_of_unfinished(session: &Session<'_>, planned: &Planned) {
    if let Some(run) = &planned.unfinished {
        session.terminal.say(format_args!(
            "note: a {} by {} since {} has not ended: it is at work, or it was killed",
            run.verb, run.who, run.since
        ));
    }
}

/// Does one piece of work outside any plan, and tells what it says meanwhile.
pub(super) async fn alone<T>(
    session: &Session<'_>,
    aws: Aws,
    work: impl AsyncFnOnce(Context) -> Result<T>,
) -> Result<T> {
    let (notes, mut story) = mpsc::unbounded_channel();
    // The story ends when the work drops its context.
    let work = work(Context::telling(aws, move |text| drop(notes.send(text))));
    let tell = async {
        while let Some(line) = story.recv().await {
            session.terminal.say(line);
        }
    };
    tokio::join!(work, tell).0
}

struct Lines<'a> {
    stack: &'a Stack,
    began: Instant,
    started: BTreeMap<NodeId, Instant>,
}

impl Lines<'_> {
    fn of(&mut self, event: &Event) -> Option<String> {
        let (node, text) = match event {
            Event::Started { node } => {
                self.started.insert(*node, Instant::now());
                (node, "started".to_owned())
            }
            Event::Note { node, text } => (node, text.clone()),
            Event::Retrying { node, text } => (node, format!("trying again: {text}")),
            Event::Finished { changed: false, .. } => return None,
            Event::Finished { node, .. } => (node, format!("done in {}", self.took(*node))),
            Event::Failed { node, error } => (node, format!("FAILED: {error:#}")),
            Event::Skipped { node, because } => (node, self.skipped(*because)),
        };
        let at = self.began.elapsed().as_secs_f64();
        Some(format!("{at:7.1}s  {:<22} {:<18} {text}", self.stack.kind(*node), self.stack.name(*node)))
    }

    fn took(&self, node: NodeId) -> String {
        let started = self.started.get(&node).copied().unwrap_or(self.began);
        format!("{:.1} s", started.elapsed().as_secs_f64())
    }

    fn skipped(&self, because: Option<NodeId>) -> String {
        match because {
            Some(need) => format!("skipped: it needs {} {}", self.stack.kind(need), self.stack.name(need)),
            None => "not started: interrupted".to_owned(),
        }
    }
}

/// The closing words of a run that did not finish.
pub(crate) fn unfinished(stack: &Stack, plan: &Plan, outcome: &Outcome) -> String {
    let done = outcome.changed.len();
    let mut text = format!(
        "{done} of {} changes done, {} failed, {} not started",
        plan.steps.len() - plan.counts().keep,
        outcome.failed.len(),
        outcome.skipped.len()
    );
    for (node, error) in &outcome.failed {
        add(&mut text, format_args!("\n  {} {}: {error:#}", stack.kind(*node), stack.name(*node)));
    }
    text.push_str("\nrun the same command again to continue; what is done stays done");
    text
}

/// Appends to a text, which cannot fail.
fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    std::fmt::Write::write_fmt(text, more).expect("a text takes all that memory holds");
}
