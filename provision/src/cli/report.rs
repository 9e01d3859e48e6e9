//! Tells what happens while a plan is carried out: lines that stand alone, a live view, or JSON, as it is wanted.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::watch;
use tokio::time::{Instant, interval};

use super::event::What;
use super::exit::Exit;
use super::github::Level;
use super::live::Live;
use super::session::Session;
use super::summary::Summary;
use super::voice::Voice;
use crate::aws::Aws;
use crate::context::Context;
use crate::event::Event;
use crate::paint::{Paint, Tone};
use crate::run::Planned;
use crate::stack::{NodeId, Stack};

/// How often the live view is drawn.
const DRAW: Duration = Duration::from_millis(200);

/// Tells what happens until the executor is done.
pub(super) async fn follow(voice: &Voice<'_>, stack: &Stack, steps: usize, mut events: UnboundedReceiver<Event>) {
    let began = Instant::now();
    let lively = voice.is_lively();
    let mut lines = Lines { stack, began, started: BTreeMap::new(), paint: voice.paint_of_talk() };
    let mut live = Live::new(stack, steps, began);
    let mut draw = interval(DRAW);
    voice.open_group("What happens");
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = draw.tick(), if lively => {
                voice.draw(|paint, room| live.lines(Instant::now(), paint, room));
                continue;
            }
        };
        let Some(event) = event else { break };
        live.learn(&event, Instant::now());
        tell(voice, &mut lines, &event, lively);
    }
    if lively {
        voice.draw(|_, _| Vec::new());
    }
    voice.close_group();
}

fn tell(voice: &Voice<'_>, lines: &mut Lines<'_>, event: &Event, lively: bool) {
    if !voice.is_for_people() {
        voice.event(What::of(lines.stack, event));
        return;
    }
    let line = lines.of(event);
    // What only says that something goes on is in the live view.
    let passing = matches!(event, Event::Started { .. } | Event::Note { .. });
    if let Some(line) = line.filter(|_| !(lively && passing)) {
        voice.say(line);
    }
    if let Event::Failed { node, error } = event {
        let title = format!("{} {} failed", lines.stack.kind(*node), lines.stack.name(*node));
        voice.annotate(Level::Error, &title, format_args!("{error:#}"));
    }
}

/// Does work that can be interrupted, and says what that means if it comes to it.
pub(super) async fn interruptibly<T>(session: &Session<'_>, work: impl AsyncFnOnce(watch::Receiver<bool>) -> T) -> T {
    let mut interrupted = session.begin_work();
    let work = Box::pin(work(interrupted.clone()));
    let hear = async {
        // A run that nobody can interrupt has nothing to hear.
        if interrupted.wait_for(|interrupted| *interrupted).await.is_ok() {
            session.terminal.say(
                "interrupted: finishing what runs, starting nothing new; once more to leave at once, then the next run \
                 looks at what is there and goes on",
            );
        }
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        done = work => done,
        never = hear => match never {},
    }
}

/// Says, while somebody only looks, that somebody else may be at work.
pub(super) fn warn_of_unfinished(session: &Session<'_>, planned: &Planned) {
    if let Some(run) = &planned.unfinished {
        let text = format!("{run} has not ended: it is at work, or it was killed");
        session.terminal.say(format_args!("note: {text}"));
        session.terminal.annotate(Level::Warning, "another run", text);
    }
}

/// Ends a run: with words for people, a document for programs, a summary for GitHub, and the exit code.
pub(super) fn conclude(session: &Session<'_>, summary: &Summary) -> Exit {
    let text = summary.text(session.terminal.paint_of_talk());
    if !text.is_empty() {
        session.terminal.say(text);
    }
    session.terminal.document(summary);
    let plain = summary.text(Paint::Plain);
    if summary.is_complete() && !plain.is_empty() {
        session.terminal.annotate(Level::Notice, "provision", plain);
    }
    session.summarise(&summary.markdown());
    if summary.is_complete() { Exit::Done } else { Exit::Failed }
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
    paint: Paint,
}

impl Lines<'_> {
    fn of(&mut self, event: &Event) -> Option<String> {
        let (node, tone, text) = match event {
            Event::Started { node } => {
                self.started.insert(*node, Instant::now());
                (node, None, "started".to_owned())
            }
            Event::Note { node, text } => (node, None, text.clone()),
            Event::Retrying { node, text } => (node, Some(Tone::Change), format!("trying again: {text}")),
            Event::Finished { changed: false, .. } => return None,
            Event::Finished { node, .. } => (node, Some(Tone::Good), format!("done in {}", self.took(*node))),
            // The whole story is told at the end, where nothing scrolls it away.
            Event::Failed { node, error } => (node, Some(Tone::Bad), format!("FAILED: {}", first_line(error))),
            Event::Skipped { node, because: Some(need) } => (node, Some(Tone::Bad), self.skipped(*need)),
            // What an interruption leaves is listed at the end, too.
            Event::Skipped { because: None, .. } => return None,
        };
        let text = tone.map_or_else(|| text.clone(), |tone| self.paint.on(tone, &text));
        let at = self.began.elapsed().as_secs_f64();
        Some(format!("{at:7.1}s  {:<22} {:<20} {text}", self.stack.kind(*node), self.stack.name(*node)))
    }

    fn took(&self, node: NodeId) -> String {
        let started = self.started.get(&node).copied().unwrap_or(self.began);
        format!("{:.1} s", started.elapsed().as_secs_f64())
    }

    fn skipped(&self, need: NodeId) -> String {
        format!("skipped: it needs {} {}", self.stack.kind(need), self.stack.name(need))
    }
}

/// What went wrong, without the name of the resource, which stands before it.
fn first_line(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
    let text = if causes.is_empty() { error.to_string() } else { causes.join(": ") };
    text.lines().next().unwrap_or_default().to_owned()
}
