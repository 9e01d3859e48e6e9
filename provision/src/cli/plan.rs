//! `provision plan`: shows what a deploy would change; and the shape in which every verb shows its plan.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::PlanArguments;
use super::document::Document;
use super::exit::Exit;
use super::github::cell;
use super::report;
use super::session::Session;
use crate::context::Look;
use crate::cost::{Difference, difference};
use crate::estimate::Estimate;
use crate::our_stack::OurStack;
use crate::paint::{Paint, Tone};
use crate::plan::{Action, Counts, Goal, Plan};
use crate::run::Planned;

pub(crate) async fn run(session: &Session<'_>, arguments: &PlanArguments) -> Result<Exit> {
    session.needs_certificate()?;
    let ours = session.stack(session.image(&arguments.image)?);
    let look = if arguments.afresh { Look::Afresh } else { Look::Believing };
    let planned = session.prepare(&ours, Goal::Present, look).await?;
    let plan = &planned.plan;
    let view = View::of(session, &ours, &planned);
    session.terminal.print(view.text(plan, session.terminal.paint_of_results()));
    session.terminal.document(&view);
    session.summarise(&view.markdown());
    report::warn_of_unfinished(session, &planned);
    Ok(match (plan.blocked().next().is_some(), plan.is_empty()) {
        (true, _) => Exit::Refused,
        (false, false) if arguments.exit_code => Exit::Changes,
        _ => Exit::Done,
    })
}

/// What would be done, and what that means.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct View {
    /// The application.
    app: String,
    /// The environment.
    environment: String,
    /// The AWS region.
    region: String,
    /// How many resources it touches.
    counts: Counts,
    /// One step for each resource, the untouched ones, too.
    steps: Vec<Step>,
    /// What it changes about the bill of a month; nothing where the region's prices are not known.
    pub(super) cost: Option<Difference>,
    /// How long it will take.
    time: Estimate,
}

/// What happens to one resource.
#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    /// Its kind, in the words of AWS.
    kind: String,
    /// Its name in the stack.
    name: String,
    /// What happens.
    #[serde(flatten)]
    action: Action,
    /// What happens and why, for people.
    why: String,
    /// The resources whose new identity makes it worth a new comparison.
    because: Vec<String>,
    /// The resources that are worked on before it.
    after: Vec<String>,
}

impl Document for View {
    const NAME: &'static str = "provision.plan/1";
}

impl View {
    pub(super) fn of(session: &Session<'_>, ours: &OurStack, planned: &Planned) -> Self {
        let deployment = &session.deployment;
        let Planned { world, plan, .. } = planned;
        let steps = plan.steps.iter().map(|step| Step {
            kind: step.kind.to_owned(),
            name: step.name.clone(),
            action: step.action.clone(),
            why: step.why(plan.goal),
            because: step.because.clone(),
            after: step.after.iter().map(|need| ours.stack.name(*need).to_owned()).collect(),
        });
        Self {
            app: deployment.app.clone(),
            environment: deployment.environment.clone(),
            region: deployment.region.clone(),
            counts: plan.counts(),
            steps: steps.collect(),
            cost: difference(deployment, &ours.stack, world, plan).ok(),
            time: Estimate::of(plan),
        }
    }

    fn title(&self) -> String {
        format!("Plan for {} in {}", self.environment, self.region)
    }

    /// The plan as GitHub shows it.
    fn markdown(&self) -> String {
        let mut lines = vec![format!("### {}", self.title()), String::new()];
        let steps: Vec<_> = self.steps.iter().filter(|step| step.action != Action::Keep).collect();
        if !steps.is_empty() {
            lines.push("| kind | name | what happens |\n|---|---|---|".to_owned());
        }
        for Step { kind, name, action, why, .. } in steps {
            let changes = match action {
                Action::Update { changes } | Action::Blocked { changes } => changes.as_slice(),
                _ => &[],
            };
            let what = changes.iter().fold(why.clone(), |what, change| format!("{what}\n{change}"));
            lines.push(format!("| {} | {} | {} |", cell(kind), cell(name), cell(what)));
        }
        lines.push(format!("\n{}", self.counts));
        if let Some(cost) = &self.cost {
            lines.push(format!("\ncost {cost}; time {}", self.time));
        }
        lines.join("\n")
    }

    /// The plan for people, with its price and its time.
    pub(super) fn text(&self, plan: &Plan, paint: Paint) -> String {
        if plan.is_empty() {
            return plan.text(paint);
        }
        let cost = match &self.cost {
            Some(cost) => cost.text(paint),
            None => format!("unknown: the table of prices lacks {}", self.region),
        };
        let title = |title| paint.on(Tone::Aside, title);
        format!("{}\n{} {cost}\n{} {}", plan.text(paint), title("cost"), title("time"), self.time)
    }
}

/// Shows, before it is carried out, what will be done.
pub(super) fn announce(session: &Session<'_>, ours: &OurStack, planned: &Planned) -> View {
    let view = View::of(session, ours, planned);
    session.terminal.open_group(&view.title());
    session.terminal.tell(&view, |paint| view.text(&planned.plan, paint));
    session.terminal.close_group();
    session.summarise(&view.markdown());
    report::warn_of_unfinished(session, planned);
    view
}
