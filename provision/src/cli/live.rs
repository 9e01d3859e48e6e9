//! What is going on right now, as a few lines that are drawn again and again below the story.

use std::collections::BTreeMap;

use console::{measure_text_width, truncate_str};
use tokio::time::Instant;

use super::terminal::Room;
use crate::event::Event;
use crate::paint::{Paint, Tone};
use crate::stack::{NodeId, Stack};

/// How wide a line may be on the widest terminal: nobody reads further.
const WIDEST: usize = 120;
/// On narrower ones the kind of a resource is left out: its name says enough beside what it does.
const WIDE: usize = 100;

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

    /// How it looks now: never more lines than there are rows, and no line that would be wrapped.
    pub(super) fn lines(&self, now: Instant, paint: Paint, room: Room) -> Vec<String> {
        // A line that fills the last column makes some terminals begin another one.
        let width = room.columns.saturating_sub(1).min(WIDEST);
        let waiting = self.total.saturating_sub(self.done + self.failed + self.running.len());
        let counts =
            [(self.failed, "failed or skipped"), (self.running.len(), "running"), (waiting, "waiting for others")];
        let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
        let head =
            format!("{}  {} of {} done{}", clock(self.began, now), self.done, self.total, counts.collect::<String>());
        let mut lines = vec![paint.on(Tone::Change, cut(&head, "", width))];

        // The last row is the cursor's.
        let rows = room.rows.saturating_sub(2).max(1);
        let mut running: Vec<_> = self.running.iter().collect();
        if running.len() > rows {
            // What takes long is what one waits for.
            running.sort_by_key(|(_, row)| row.since);
            running.truncate(rows - 1);
        }
        lines.extend(running.iter().map(|(node, row)| self.line(**node, row, now, width)));
        let hidden = self.running.len() - running.len();
        if hidden > 0 {
            lines.push(cut(&format!("{:>6}  and {hidden} more", ""), "", width));
        }
        lines
    }

    fn line(&self, node: NodeId, row: &Row, now: Instant, width: usize) -> String {
        let (text, since) = &row.now;
        let kind = if width < WIDE { String::new() } else { format!("{:<22} ", self.stack.kind(node)) };
        let line = format!(
            "{}  {kind}{:<20} {}",
            clock(row.since, now),
            self.stack.name(node),
            text.lines().next().unwrap_or_default()
        );
        let end =
            if *since == row.since { String::new() } else { format!(", for {}", clock(*since, now).trim_start()) };
        cut(&line, &end, width)
    }
}

/// Minutes and seconds, always as wide.
fn clock(since: Instant, now: Instant) -> String {
    let seconds = now.saturating_duration_since(since).as_secs();
    format!("{:>3}:{:02}", seconds / 60, seconds % 60)
}

/// Shortens a line so that it fits together with its end, which is kept.
fn cut(line: &str, end: &str, width: usize) -> String {
    let line = truncate_str(line, width.saturating_sub(measure_text_width(end)), "…");
    // On a terminal that is hardly one, the end does not fit either.
    truncate_str(&format!("{line}{end}"), width, "").into_owned()
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

    const WIDE: Room = Room { rows: 40, columns: 120 };

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
            live.lines(at(75), Paint::Plain, WIDE),
            [
                "  1:15  0 of 40 done, 2 running, 38 waiting for others",
                "  1:14  secret                 api-keys             at work",
                "  1:13  ECS service            service              0 of 1 tasks running, for 0:15",
            ]
        );
        live.learn(&Event::Finished { node: secret, changed: true }, at(76));
        let error = Arc::new(anyhow::anyhow!("no"));
        live.learn(&Event::Failed { node: service, error }, at(77));
        live.learn(&Event::Skipped { node: ours.task.id(), because: None }, at(77));
        assert_eq!(
            live.lines(at(78), Paint::Plain, WIDE),
            ["  1:18  1 of 40 done, 2 failed or skipped, 37 waiting for others"]
        );
    }

    #[test]
    fn on_a_narrow_terminal_no_line_is_wrapped_and_the_time_is_still_told() {
        let ours = ours();
        let began = Instant::now();
        let mut live = Live::new(&ours.stack, 40, began);
        live.learn(&Event::Started { node: ours.service.id() }, began);
        let text = "waiting for deployment ecs-svc/0123456789012345678 to be complete and healthy (up to 30 min)";
        live.learn(&Event::Note { node: ours.service.id(), text: text.to_owned() }, began + Duration::from_secs(1));
        for columns in 1..=130 {
            let lines = live.lines(began + Duration::from_secs(90), Paint::Plain, Room { rows: 24, columns });
            let widest = lines.iter().map(|line| line.chars().count()).max().unwrap();
            assert!(widest < columns.max(2), "{columns} columns: {lines:?}");
        }
        let lines = live.lines(began + Duration::from_secs(90), Paint::Plain, Room { rows: 24, columns: 80 });
        assert_eq!(lines[1], "  1:30  service              waiting for deployment ecs-svc/01234567…, for 1:29");
    }

    #[test]
    fn a_low_terminal_shows_what_has_run_longest_and_how_many_more_there_are() {
        let ours = ours();
        let began = Instant::now();
        let mut live = Live::new(&ours.stack, 40, began);
        let nodes = [ours.service.id(), ours.task.id(), ours.secret.id(), ours.log_group.id()];
        for (node, second) in nodes.into_iter().zip(1..) {
            live.learn(&Event::Started { node }, began + Duration::from_secs(second));
        }
        let lines = live.lines(began + Duration::from_secs(9), Paint::Plain, Room { rows: 5, columns: 80 });
        assert_eq!(
            lines[1..],
            ["  0:08  service              at work", "  0:07  task                 at work", "        and 2 more"]
        );
        assert_eq!(live.lines(began, Paint::Plain, Room { rows: 1, columns: 80 }).len(), 2);
    }
}
