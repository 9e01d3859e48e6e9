//! What came of a run that changes an environment: the closing words, and the document that says the same.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::event::Named;
use super::front_door::{Asked, Verdict};
use super::github::cell;
use super::session::Session;
use crate::cost::Difference;
use crate::execute::Outcome;
use crate::paint::{Paint, Tone};
use crate::plan::{Action, Plan};
use crate::stack::Stack;
use crate::wait;

/// What came of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Summary {
    /// `deploy` or `destroy`.
    verb: String,
    /// The application.
    app: String,
    /// The environment.
    environment: String,
    /// The AWS region.
    region: String,
    /// How it ended.
    outcome: Ended,
    /// What was done.
    changed: Vec<Changed>,
    /// What was kept because it holds data.
    kept: Vec<Named>,
    /// What failed.
    failed: Vec<Failed>,
    /// What was not begun.
    not_started: Vec<Named>,
    /// How long it took.
    seconds: f64,
    /// What it changes about the bill of a month; nothing where the region's prices are not known.
    cost: Option<Difference>,
    /// The addresses and identifiers of what exists now.
    outputs: BTreeMap<&'static str, String>,
    /// What one request through the load balancer got; nothing where none was made.
    front_door: Option<Asked>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Ended {
    /// Everything was as described before.
    NothingToDo,
    /// Everything was done.
    Done,
    /// Something failed.
    Failed,
    /// It was interrupted before everything was done.
    Interrupted,
}

/// One resource that is not as it was.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    /// The resource.
    #[serde(flatten)]
    resource: Named,
    /// What was done with it.
    what: Done,
}

/// What was done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Done {
    /// It is new.
    Created,
    /// It was changed in place.
    Changed,
    /// It is gone.
    Deleted,
}

impl Done {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// One resource that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct Failed {
    /// The resource.
    #[serde(flatten)]
    resource: Named,
    /// Why.
    error: String,
}

impl Document for Summary {
    const NAME: &'static str = "provision.run/1";
}

/// What a summary is made of.
pub(super) struct Told<'a> {
    pub(super) verb: &'a str,
    pub(super) stack: &'a Stack,
    pub(super) plan: &'a Plan,
    /// Nothing when there was nothing to do.
    pub(super) outcome: Option<&'a Outcome>,
    pub(super) cost: Option<Difference>,
    pub(super) outputs: BTreeMap<&'static str, String>,
}

impl Summary {
    pub(super) fn of(session: &Session<'_>, told: Told<'_>) -> Self {
        let Told { verb, stack, plan, outcome, cost, outputs } = told;
        let named = |action: &Action| {
            let steps = plan.steps.iter().filter(move |step| step.action == *action);
            steps.map(|step| Named { kind: step.kind.to_owned(), name: step.name.clone() }).collect()
        };
        let mut summary = Self {
            verb: verb.to_owned(),
            app: session.deployment.app.clone(),
            environment: session.deployment.environment.clone(),
            region: session.deployment.region.clone(),
            outcome: Ended::NothingToDo,
            changed: Vec::new(),
            kept: named(&Action::Retain),
            failed: Vec::new(),
            not_started: Vec::new(),
            seconds: session.terminal.seconds(),
            cost,
            outputs,
            front_door: None,
        };
        if let Some(outcome) = outcome {
            summary.add(stack, plan, outcome);
        }
        summary
    }

    fn add(&mut self, stack: &Stack, plan: &Plan, outcome: &Outcome) {
        self.outcome = match (outcome.is_complete(), outcome.failed.is_empty()) {
            (true, _) => Ended::Done,
            (false, true) => Ended::Interrupted,
            (false, false) => Ended::Failed,
        };
        let changed = plan.steps.iter().filter(|step| outcome.changed.contains(&step.node));
        self.changed.extend(changed.map(|step| Changed {
            resource: Named { kind: step.kind.to_owned(), name: step.name.clone() },
            what: match step.action {
                Action::Create { .. } => Done::Created,
                Action::Delete => Done::Deleted,
                _ => Done::Changed,
            },
        }));
        self.failed.extend(
            outcome
                .failed
                .iter()
                .map(|(node, error)| Failed { resource: Named::of(stack, *node), error: format!("{error:#}") }),
        );
        self.not_started.extend(outcome.skipped.iter().map(|node| Named::of(stack, *node)));
    }

    /// Learns whether what was deployed answers; a deploy that nobody can use has failed.
    pub(super) fn asked(&mut self, asked: Asked) {
        if let Some(error) = asked.failure() {
            self.outcome = Ended::Failed;
            let resource = Named { kind: "front door".to_owned(), name: "https".to_owned() };
            self.failed.push(Failed { resource, error });
        }
        self.front_door = Some(asked);
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.outcome, Ended::Done | Ended::NothingToDo)
    }

    fn count(&self, what: Done) -> usize {
        self.changed.iter().filter(|changed| changed.what == what).count()
    }

    /// What was done, as `38 created, 1 changed`.
    pub(super) fn counts(&self) -> String {
        let parts = [Done::Created, Done::Changed, Done::Deleted].map(|what| (self.count(what), what.word()));
        let parts: Vec<_> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
    }

    /// The closing words for people.
    pub(super) fn text(&self, paint: Paint) -> String {
        let Self { verb, environment, .. } = self;
        let took = wait::human(Duration::from_secs_f64(self.seconds.max(1.0)));
        let head = format!("{verb} of {environment}");
        let mut lines = match self.outcome {
            Ended::NothingToDo => Vec::new(),
            Ended::Done => {
                vec![format!("{} {}", paint.on(Tone::Good, format_args!("{head} done in {took}:")), self.counts())]
            }
            Ended::Failed => self.unfinished(&paint.on(Tone::Bad, format_args!("{head} FAILED after {took}:"))),
            Ended::Interrupted => {
                self.unfinished(&paint.on(Tone::Change, format_args!("{head} interrupted after {took}:")))
            }
        };
        if !self.kept.is_empty() && self.outcome == Ended::Done {
            let names: Vec<_> = self.kept.iter().map(|kept| format!("{} {}", kept.kind, kept.name)).collect();
            lines.push(format!(
                "kept because they hold data: {}; the next deploy takes them up again, and --delete-data removes them",
                names.join(", ")
            ));
        }
        if self.is_complete()
            && let Some(url) = self.outputs.get("url")
        {
            let answers = match self.front_door.as_ref().map(|asked| (asked.verdict, asked.seen.as_deref())) {
                Some((Verdict::Answers, _)) => ", and answers".to_owned(),
                Some((Verdict::NotFromHere, seen)) => format!(
                    "; whether it answers cannot be seen from here ({}), because edge.ingress_cidrs does not let \
                     everybody in",
                    seen.unwrap_or_default()
                ),
                _ => String::new(),
            };
            lines.push(format!("the service is at {}{answers}", paint.on(Tone::Good, url)));
        }
        lines.join("\n")
    }

    /// What came of it, as GitHub shows it.
    pub(super) fn markdown(&self) -> String {
        let mut lines = vec![format!("### {} of {} in {}", self.verb, self.environment, self.region), String::new()];
        let text = self.text(Paint::Plain);
        lines.push(if text.is_empty() { "nothing to do".to_owned() } else { text.replace('\n', "\n\n") });
        if !self.changed.is_empty() {
            lines.push("\n| kind | name | |\n|---|---|---|".to_owned());
        }
        for Changed { resource, what } in &self.changed {
            lines.push(format!("| {} | {} | {} |", cell(&resource.kind), cell(&resource.name), what.word()));
        }
        if let Some(cost) = &self.cost {
            lines.push(format!("\ncost {cost}"));
        }
        lines.join("\n")
    }

    fn unfinished(&self, head: &str) -> Vec<String> {
        let mut lines = vec![format!(
            "{head} {}, {} failed, {} not started",
            self.counts(),
            self.failed.len(),
            self.not_started.len()
        )];
        // Which resource it is about, the error says itself.
        lines.extend(self.failed.iter().map(|failed| format!("  {}", failed.error)));
        if self.outcome == Ended::Interrupted {
            let names: Vec<_> = self.not_started.iter().map(|left| left.name.as_str()).collect();
            lines.push(format!("  not started: {}", names.join(", ")));
        }
        lines.push("run the same command again to continue; what is done stays done".to_owned());
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_run_says_what_remains() {
        let named = |name: &str| Named { kind: "subnet".to_owned(), name: name.to_owned() };
        let summary = Summary {
            verb: "deploy".to_owned(),
            app: "app".to_owned(),
            environment: "staging".to_owned(),
            region: "ap-northeast-1".to_owned(),
            outcome: Ended::Interrupted,
            changed: vec![Changed { resource: named("public-1"), what: Done::Created }],
            kept: Vec::new(),
            failed: Vec::new(),
            not_started: vec![named("public-2"), named("private-1")],
            seconds: 12.0,
            cost: None,
            outputs: BTreeMap::new(),
            front_door: None,
        };
        assert_eq!(
            summary.text(Paint::Plain),
            "deploy of staging interrupted after 12 s: 1 created, 0 failed, 2 not started\n  \
             not started: public-2, private-1\n\
             run the same command again to continue; what is done stays done"
        );
    }
}
