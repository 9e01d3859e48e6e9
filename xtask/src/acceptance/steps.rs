//! The steps, and what must come of each.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::images::Images;
use super::runner::Runner;
use crate::exit::{BadInput, Interrupted};
use crate::signals;

const DONE: i32 = 0;
const FAILED: i32 = 1;
const CHANGES: i32 = 2;

/// One call of `provision`, and the exit code that it must have.
struct Step<'a> {
    name: &'static str,
    words: Vec<&'a str>,
    code: i32,
    /// The digest of an image that does not start.
    broken_image: Option<&'a str>,
}

impl<'a> Step<'a> {
    fn new(name: &'static str, code: i32, words: &[&'a str]) -> Self {
        Self { name, words: words.to_vec(), code, broken_image: None }
    }
}

fn deploy<'a>(name: &'static str, code: i32, layout: &'a str) -> Step<'a> {
    Step::new(name, code, &["deploy", "--yes", "--image-layout", layout])
}

/// What a person would do on the first day, in its order.
///
/// A change behind the tool's back is made by the tool itself with another configuration: it keeps no state, so for
/// the run after it that is the same as a change in the console.
fn all(images: &Images) -> Vec<Step<'_>> {
    let Images { first, second, broken, broken_digest } = images;
    let drift = ["--set", "logs.retention_days=7", "--set", "edge.idle_timeout_seconds=61"];
    let plan = |name, code| Step::new(name, code, &["plan", "--exit-code"]);
    let destroy = |name| Step::new(name, DONE, &["destroy", "--yes", "--delete-data"]);
    vec![
        Step::new("look around", DONE, &["doctor"]),
        deploy("create", DONE, first),
        plan("nothing is left to do", DONE),
        deploy("another image", DONE, second),
        Step { broken_image: Some(broken_digest), ..deploy("an image that ends at once", FAILED, broken) },
        Step::new("what runs now", DONE, &["status"]),
        deploy("the image before it", DONE, second),
        Step::new("a change behind the tool's back", DONE, &[&["deploy", "--yes"][..], &drift].concat()),
        plan("the change is seen", CHANGES),
        Step::new("the change is undone", DONE, &["deploy", "--yes"]),
        plan("and nothing else", DONE),
        destroy("destroy"),
        deploy("create under the same names", DONE, first),
        destroy("destroy again"),
    ]
}

/// Goes through the steps until one fails, and destroys what is left.
pub(super) fn perform(runner: &Runner, images: &Images) -> Result<()> {
    refuse_what_exists(runner)?;
    let mut told = Told::default();
    let result = all(images).iter().try_for_each(|step| told.time(step.name, || perform_one(runner, step)));
    let cleared = match &result {
        // The last step was to destroy.
        Ok(()) => Ok(()),
        Err(_) => told.time("destroy what is left", || clear(runner)),
    };
    eprintln!("{}acceptance: about {:.2} USD", told.0, runner.usd());
    result?;
    cleared
}

/// Only an environment that does not exist is ours to destroy.
fn refuse_what_exists(runner: &Runner) -> Result<()> {
    let answer = runner.ask(&["outputs"])?;
    let existing = answer["outputs"].as_object().context("provision outputs gave no outputs")?;
    if existing.is_empty() {
        return Ok(());
    }
    let existing: Vec<_> = existing.iter().map(|(name, value)| format!("{name} {value}")).collect();
    Err(BadInput(format!(
        "{} {} exists already, and this would destroy it with its data:\n  {}\nlook at it, and remove it \
         with `provision destroy` if it is a left-over",
        answer["app"].as_str().unwrap_or_default(),
        answer["environment"].as_str().unwrap_or_default(),
        existing.join("\n  ")
    ))
    .into())
}

fn perform_one(runner: &Runner, step: &Step<'_>) -> Result<()> {
    if signals::asked_to_stop() {
        return Err(Interrupted.into());
    }
    if runner.is_over() {
        bail!("the time was up before the step `{}`", step.name);
    }
    eprintln!("acceptance: {}: provision {}", step.name, step.words.join(" "));
    runner.note(step.name, step.broken_image)?;
    let code = runner.run(&step.words)?;
    if signals::asked_to_stop() {
        return Err(Interrupted.into());
    }
    if code == step.code {
        return Ok(());
    }
    bail!("the step `{}` ended with exit code {code} instead of {}", step.name, step.code)
}

/// Destroys, and tries again: whatever stays costs money.
fn clear(runner: &Runner) -> Result<()> {
    for _ in 0..3 {
        runner.note("destroy what is left", None)?;
        if runner.run_to_the_end(&["destroy", "--yes", "--delete-data"])? == DONE {
            return Ok(());
        }
    }
    bail!(
        "SOMETHING IS LEFT IN THE ACCOUNT AND COSTS MONEY; `provision destroy --delete-data` with the same arguments goes on"
    )
}

/// How long each step took, and how it ended.
#[derive(Default)]
struct Told(String);

impl Told {
    fn time(&mut self, name: &str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        let began = Instant::now();
        let result = step();
        let outcome = if result.is_ok() { "passed" } else { "FAILED" };
        self.line(name, outcome, began.elapsed());
        result
    }

    fn line(&mut self, name: &str, outcome: &str, took: Duration) {
        writeln!(self.0, "acceptance: {name:<32} {outcome} in {:.0} s", took.as_secs_f64())
            .expect("a text takes more text");
    }
}
