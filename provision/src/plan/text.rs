//! A plan as people read it: like a diff, with the reason of each step.

use std::fmt::Display;

use serde_json::Value;

use super::{Action, Goal, Plan, Step};
use crate::diff::{Change, Shown};
use crate::paint::{Paint, Tone};

/// From here on a change takes one line for the old value and one for the new.
const WIDE: usize = 110;

/// Writes the steps that do something, and their counts.
pub(super) fn text(plan: &Plan, paint: Paint) -> String {
    let mut lines = Vec::new();
    for step in plan.steps.iter().filter(|step| step.action != Action::Keep) {
        let Look { sign, tone } = Look::of(&step.action);
        let head = format!("{sign} {:<22} {:<20}", step.kind, step.name);
        lines.push(format!("{} {}", paint.on(tone, head), why(plan.goal, step)));
        if let Action::Update { changes } | Action::Blocked { changes } = &step.action {
            lines.extend(changes.iter().flat_map(|change| change_lines(change, paint)));
        }
        if let (Action::Blocked { .. }, Some(hint)) = (&step.action, step.when_blocked) {
            lines.push(format!("      {} {hint}", paint.on(Tone::Aside, "hint:")));
        }
    }
    lines.push(plan.counts().to_string());
    lines.join("\n")
}

/// How a step begins its line.
struct Look {
    sign: char,
    tone: Tone,
}

impl Look {
    fn of(action: &Action) -> Self {
        let (sign, tone) = match action {
            Action::Keep => (' ', Tone::Aside),
            Action::Create { .. } => ('+', Tone::Good),
            Action::Update { .. } => ('~', Tone::Change),
            Action::Delete => ('-', Tone::Bad),
            Action::Blocked { .. } => ('!', Tone::Blocked),
            Action::Recheck => ('?', Tone::Change),
            Action::Retain => ('=', Tone::Aside),
        };
        Self { sign, tone }
    }
}

/// What happens to a resource, and why.
pub(super) fn why(goal: Goal, step: &Step) -> String {
    match &step.action {
        Action::Keep => "is as described".to_owned(),
        Action::Create { .. } => "created: it does not exist".to_owned(),
        Action::Update { .. } => "changed in place".to_owned(),
        Action::Delete if goal == Goal::Present => "deleted: the configuration has it no longer".to_owned(),
        Action::Delete => "deleted".to_owned(),
        Action::Blocked { .. } => "BLOCKED: AWS cannot change this in place".to_owned(),
        Action::Recheck => format!("compared again, because {} new", are(&step.because)),
        Action::Retain => "kept: it holds data".to_owned(),
    }
}

fn are(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "becomes" } else { "become" })
}

fn change_lines(change: &Change, paint: Paint) -> Vec<String> {
    let Change { path, from, to } = change;
    let old = |value: &dyn Display| format!("        {}", paint.on(Tone::Bad, format_args!("- {value}")));
    let new = |value: &dyn Display| format!("        {}", paint.on(Tone::Good, format_args!("+ {value}")));
    let line = change.to_string();
    if line.chars().count() <= WIDE {
        return vec![format!(
            "      {path}: {} -> {}",
            paint.on(Tone::Bad, Shown(from)),
            paint.on(Tone::Good, Shown(to))
        )];
    }
    let mut lines = vec![format!("      {path}:")];
    match (from, to) {
        (Value::Array(before), Value::Array(after)) if !same_items(before, after) => {
            lines.extend(before.iter().filter(|item| !after.contains(item)).map(|item| old(&Shown(item))));
            lines.extend(after.iter().filter(|item| !before.contains(item)).map(|item| new(&Shown(item))));
        }
        _ => lines.extend([old(&Shown(from)), new(&Shown(to))]),
    }
    lines
}

/// Whether two lists differ in their order or in repetitions alone.
fn same_items(before: &[Value], after: &[Value]) -> bool {
    before.iter().all(|item| after.contains(item)) && after.iter().all(|item| before.contains(item))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(from: Value, to: Value) -> Vec<String> {
        change_lines(&Change { path: "rules".to_owned(), from, to }, Paint::Plain)
    }

    #[test]
    fn a_short_change_takes_one_line() {
        assert_eq!(change(json!(30), json!("60")), ["      rules: 30 -> 60"]);
    }

    #[test]
    fn of_a_long_list_only_what_differs_is_shown() {
        let items: Vec<_> = (0..20).map(|number| format!("item-{number}")).collect();
        let mut fewer = items.clone();
        fewer.remove(7);
        fewer.push("another".to_owned());
        assert_eq!(change(json!(items), json!(fewer)), ["      rules:", "        - item-7", "        + another"]);
        let turned: Vec<_> = items.iter().rev().collect();
        assert_eq!(change(json!(items), json!(turned)).len(), 3, "both orders are shown");
    }
}
