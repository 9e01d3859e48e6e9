//! What is going on right now, as a few lines that are drawn again and again below the story.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::event::Event;
use crate::paint::{Paint, Tone};
use crate::stack::{NodeId, Stack};
use crate::wait::human;

/// Longer lines are cut, so that few terminals wrap them.
const WIDTH: usize = 110;

/// Everything that runs, each with what it waits for.
pub(super) struct Live<'a> {
    stack: &'a Stack,
    began: Instant,
    total: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<NodeId, Row>,
}

struct Row {
    since: Instant,
    /// What it does or waits for, and since when.
    now: (String, Instant),
}

impl<'a> Live<'a> {
    pub(super) fn new(stack: &'a Stack, total: usize, began: Instant) -> Self {
        Self { stack, began, total, done: 0, failed: 0, running: BTreeMap::new() }
    }

    /// Learns what happened.
    pub(super) fn learn(&mut self, event: &Event, at: Instant) {
        match event {
            Event::Started { node } => {
                self.running.insert(*node, Row { since: at, now: ("at work".to_owned(), at) });
            }
            Event::Note { node, text } | Event::Retrying { node, text } => {
                if let Some(row) = self.running.get_mut(node) {
                    row.now = (text.clone(), at);
                }
            }
            Event::Finished { node, .. } => {
                self.running.remove(node);
                self.done += 1;
            }
            Event::Failed { node, .. } => {
                self.running.remove(node);
                self.failed += 1;
            }
            Event::Skipped { .. } => self.failed += 1,
        }
    }

    /// How it looks now.
    pub(super) fn lines(&self, now: Instant, paint: Paint) -> Vec<String> {
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed or skipped", self.failed) };
        let head = format!(
            "{} of {} done{failed}, {} running, {}",
            self.done,
            self.total,
            self.running.len(),
            seconds(self.began, now)
        );
        let mut lines = vec![paint.on(Tone::Change, cut(&head))];
        lines.extend(self.running.iter().map(|(node, row)| {
            let (kind, name) = (self.stack.kind(*node), self.stack.name(*node));
            let (text, since) = &row.now;
            let text = text.lines().next().unwrap_or_default();
            let times = if *since == row.since {
                seconds(row.since, now)
            } else {
                format!("{}, this for {}", seconds(row.since, now), seconds(*since, now))
            };
            cut(&format!("  {kind:<22} {name:<20} {text} ({times})"))
        }));
        lines
    }
}

fn seconds(since: Instant, now: Instant) -> String {
    let whole = now.saturating_duration_since(since).as_secs();
    if whole == 0 { "0 s".to_owned() } else { human(std::time::Duration::from_secs(whole)) }
}

/// The middle of a long line goes: its end says for how long.
fn cut(line: &str) -> String {
    let length = line.chars().count();
    if length <= WIDTH {
        return line.to_owned();
    }
    const END: usize = 40;
    let begin: String = line.chars().take(WIDTH - END - 1).collect();
    let end: String = line.chars().skip(length - END).collect();
    format!("{begin}…{end}")
}

/// What draws the lines on standard error.
pub(super) fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.with_style(ProgressStyle::with_template("{msg}").expect("the template is right"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use config::deployment::{ConfigSource, Deployment};

    use super::*;
    use crate::our_stack::OurStack;
    use crate::resources::image::ImageSource;

    fn ours() -> OurStack {
        let deployment = Deployment::load(&ConfigSource::Environment("staging".to_owned()), &[]).unwrap();
        OurStack::new(&deployment, ImageSource::Unknown)
    }

    #[test]
    fn everything_that_runs_is_shown_with_what_it_waits_for_and_since_when() {
        let ours = ours();
        let (service, secret) = (ours.service.id(), ours.secret.id());
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut live = Live::new(&ours.stack, 40, began);
        live.learn(&Event::Started { node: secret }, at(1));
        live.learn(&Event::Started { node: service }, at(2));
        live.learn(&Event::Note { node: service, text: "0 of 1 tasks running\nmore".to_owned() }, at(60));
        assert_eq!(
            live.lines(at(75), Paint::Plain),
            [
                "0 of 40 done, 2 running, 1 min 15 s",
                "  secret                 api-keys             at work (1 min 14 s)",
                "  ECS service            service              0 of 1 tasks running (1 min 13 s, this for 15 s)",
            ]
        );
        live.learn(&Event::Finished { node: secret, changed: true }, at(76));
        let error = Arc::new(anyhow::anyhow!("no"));
        live.learn(&Event::Failed { node: service, error }, at(77));
        live.learn(&Event::Skipped { node: ours.task.id(), because: None }, at(77));
        assert_eq!(live.lines(at(78), Paint::Plain), ["1 of 40 done, 2 failed or skipped, 0 running, 1 min 18 s"]);
    }

    #[test]
    fn a_long_line_loses_its_middle() {
        let line = cut(&format!("{}END", "x".repeat(300)));
        assert_eq!(line.chars().count(), WIDTH);
        assert!(line.starts_with("xxx") && line.contains('…') && line.ends_with("END"));
    }
}
