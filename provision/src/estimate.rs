//! How long carrying out a plan will take: the longest way through it, with typical durations from a table.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::{Action, Plan, Step};
use crate::stack::NodeId;

/// Seconds by kind and work; the kind `*` stands for all that are not named.
const DURATIONS: &str = include_str!("../data/durations.csv");

/// From how long to how long something takes, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Estimate {
    /// On a good day.
    pub low_seconds: u32,
    /// On a common day.
    pub high_seconds: u32,
}

impl Estimate {
    /// Estimates a plan. What waits for nothing runs side by side, so only the longest way counts.
    pub fn of(plan: &Plan) -> Self {
        let durations = Durations::read();
        let steps = plan.steps.iter().map(|step| (step.node, step)).collect();
        let mut ways = Ways { steps, durations, known: BTreeMap::new() };
        let ends = plan.steps.iter().map(|step| ways.until(step.node)).collect::<Vec<_>>();
        ends.into_iter().fold(Self::default(), Self::longer)
    }

    fn longer(self, other: Self) -> Self {
        Self {
            low_seconds: self.low_seconds.max(other.low_seconds),
            high_seconds: self.high_seconds.max(other.high_seconds),
        }
    }

    fn then(self, next: Self) -> Self {
        Self {
            low_seconds: self.low_seconds.saturating_add(next.low_seconds),
            high_seconds: self.high_seconds.saturating_add(next.high_seconds),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.high_seconds < 60 {
            return f.write_str("less than a minute");
        }
        let (low, high) = (self.low_seconds.div_ceil(60).max(1), self.high_seconds.div_ceil(60));
        if low == high { write!(f, "about {high} min") } else { write!(f, "about {low} to {high} min") }
    }
}

struct Durations(Vec<(&'static str, &'static str, Estimate)>);

impl Durations {
    fn read() -> Self {
        let rows = DURATIONS.lines().skip(1).filter_map(|line| {
            let cells: Vec<_> = line.splitn(5, ',').collect();
            let [kind, work, low, high, _] = cells[..] else { return None };
            Some((kind, work, Estimate { low_seconds: low.parse().ok()?, high_seconds: high.parse().ok()? }))
        });
        Self(rows.collect())
    }

    fn of(&self, step: &Step) -> Estimate {
        let work = match step.action {
            Action::Create { .. } => "create",
            Action::Update { .. } | Action::Recheck => "change",
            Action::Delete => "delete",
            Action::Keep | Action::Blocked { .. } | Action::Retain => return Estimate::default(),
        };
        let find = |kind| self.0.iter().find(|row| row.0 == kind && row.1 == work).map(|row| row.2);
        find(step.kind).or_else(|| find("*")).unwrap_or_default()
    }
}

/// When each step of a plan ends, as far as that was asked.
struct Ways<'a> {
    steps: BTreeMap<NodeId, &'a Step>,
    durations: Durations,
    known: BTreeMap<NodeId, Estimate>,
}

impl Ways<'_> {
    fn until(&mut self, node: NodeId) -> Estimate {
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        // What is no step is there already, or gone.
        let Some(step) = self.steps.get(&node).copied() else { return Estimate::default() };
        let before = step.after.iter().fold(Estimate::default(), |longest, need| longest.longer(self.until(*need)));
        let end = before.then(self.durations.of(step));
        self.known.insert(node, end);
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Goal;

    fn step(node: usize, kind: &'static str, action: Action, after: &[usize]) -> Step {
        let after = after.iter().copied().map(NodeId).collect();
        Step { node: NodeId(node), kind, name: kind.to_owned(), action, because: Vec::new(), when_blocked: None, after }
    }

    #[test]
    fn the_longest_way_counts_and_what_stays_takes_no_time() {
        let create = || Action::Create { spec: None };
        let steps = vec![
            step(0, "VPC", Action::Keep, &[]),
            step(1, "load balancer", create(), &[0]),
            step(2, "EFS file system", create(), &[0]),
            step(3, "EFS mount target", create(), &[2]),
            step(4, "ECS service", create(), &[1, 3]),
        ];
        let estimate = Estimate::of(&Plan { goal: Goal::Present, steps });
        assert_eq!(estimate, Estimate { low_seconds: 90 + 90, high_seconds: 180 + 180 });
        assert_eq!(estimate.to_string(), "about 3 to 6 min");
    }

    #[test]
    fn nothing_to_do_takes_no_time_and_short_work_less_than_a_minute() {
        let plan = |action| Plan { goal: Goal::Present, steps: vec![step(0, "secret", action, &[])] };
        assert_eq!(Estimate::of(&plan(Action::Keep)), Estimate::default());
        assert_eq!(Estimate::of(&plan(Action::Delete)).to_string(), "less than a minute");
    }

    #[test]
    fn every_row_of_the_table_can_be_read_and_its_span_is_one() {
        let Durations(rows) = Durations::read();
        assert_eq!(rows.len(), DURATIONS.lines().count() - 1);
        for (kind, work, estimate) in rows {
            assert!(["create", "change", "delete"].contains(&work), "{kind}: {work}");
            assert!(estimate.low_seconds <= estimate.high_seconds, "{kind} {work}");
        }
    }
}
