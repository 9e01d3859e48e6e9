//! `cargo xtask acceptance`: the whole life of a deployment, once, in an account that nothing else depends on.
//!
//! No stand-in can prove what a real account does. This does what a person would do by hand on the first day: create,
//! deploy another image, deploy one that does not start, undo a change made behind the tool's back, destroy, and all
//! of it again under the same names. It begins only if the bill stays below a cap, works only so long, always ends in
//! destroying what it made, and records every call, so that the simulation can be corrected from facts.

mod caps;
mod images;
mod runner;
mod steps;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;

use self::caps::Caps;
use self::images::Images;
use self::runner::Runner;
use crate::exit::BadInput;
use crate::image::{self, ImageArguments};
use crate::local::{Keeper, LocalOptions, Plan, StandIn, Turn};
use crate::toolchain::Needs;
use crate::{child, deploy, workspace};

/// What the application is called: apart from everything else in the account.
const NAME: &str = "wcg-acceptance";

#[derive(Args, Debug)]
pub(crate) struct AcceptanceArguments {
    /// The ARN of an issued certificate for the load balancer, in the region of the deployment.
    #[arg(long, value_name = "ARN", required_unless_present_any = ["local", "replay"])]
    certificate: Option<String>,
    /// Do not begin when the bill could become higher, in US dollars.
    #[arg(long, default_value_t = 1.0, value_name = "USD")]
    max_usd: f64,
    /// Stop and destroy after so many minutes.
    #[arg(long, default_value_t = 120, value_name = "MINUTES")]
    max_minutes: u64,
    /// Where every call is recorded [default: a new file in the target folder].
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// Rehearse against the stand-in for AWS on this machine.
    #[arg(long, conflicts_with = "certificate")]
    local: bool,
    #[command(flatten)]
    options: LocalOptions,
    #[command(flatten)]
    image: ImageArguments,
    /// Play a recording against the simulation instead, and print where that answers otherwise than AWS did.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["certificate", "local", "recording"])]
    replay: Option<PathBuf>,
    /// Further arguments for every call of `provision`, after `--`, for example `--set region=eu-west-1`.
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &AcceptanceArguments) -> Result<()> {
    match (&arguments.replay, arguments.local) {
        (Some(recording), _) => replay(recording),
        (None, true) => rehearse(arguments),
        (None, false) => accept(arguments),
    }
}

/// Everything that is compiled, is compiled before the clock runs.
struct Built {
    provision: PathBuf,
    images: Images,
}

fn build(arguments: &AcceptanceArguments) -> Result<Built> {
    let image = image::build(&arguments.image)?;
    eprintln!("{image}");
    Ok(Built { provision: deploy::provision_program(None)?, images: Images::beside(&image.folder)? })
}

fn accept(arguments: &AcceptanceArguments) -> Result<()> {
    image::check_tools(&arguments.image)?.or_fail()?;
    let built = build(arguments)?;
    perform(arguments, built, arguments.certificate.as_deref().unwrap_or_default(), Vec::new())
}

fn rehearse(arguments: &AcceptanceArguments) -> Result<()> {
    let mut needs = image::check_tools(&arguments.image)?;
    let turn = Turn::take()?;
    if StandIn::running()?.is_some() {
        let hint = "the stand-in runs, and a rehearsal needs an empty one; remove what is in it with \
                    `cargo xtask destroy --local`";
        return Err(BadInput(hint.to_owned()).into());
    }
    let plan = StandIn::plan(&arguments.options, &mut needs)?;
    needs.or_fail()?;
    Plan::clear_left_overs()?;
    plan.check_ports()?;
    let keeper = Keeper::us()?;
    let built = build(arguments)?;
    let stand_in = plan.start()?;
    let there = stand_in.owned()?;
    if !there.is_empty() {
        let there = there.join("\n  ");
        let hint = format!(
            "the stand-in still holds what was deployed to it; remove that with `cargo xtask destroy --local`\n  {there}"
        );
        return Err(BadInput(hint).into());
    }
    let environment = stand_in.environment().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let result = perform(arguments, built, &stand_in.certificate()?, environment.into());
    if result.is_ok() {
        stand_in.dismantle()?;
    }
    drop(keeper);
    turn.end();
    result
}

/// What every call of `provision` is told: an environment like any other, under names of its own.
fn words(certificate: &str, rest: &[String]) -> Vec<String> {
    let ours = [format!("app={NAME}"), format!("edge.certificate_arn={certificate}")];
    let ours = ours.into_iter().flat_map(|setting| ["--set".to_owned(), setting]);
    ["--environment", "staging"].map(ToOwned::to_owned).into_iter().chain(ours).chain(rest.iter().cloned()).collect()
}

/// Goes through all steps, and destroys what is left however they end.
fn perform(
    arguments: &AcceptanceArguments,
    built: Built,
    certificate: &str,
    environment: Vec<(String, String)>,
) -> Result<()> {
    let words = words(certificate, &arguments.rest);
    let recording = arguments.recording.clone().map_or_else(new_recording, Ok)?;
    let runner = Runner::new(built.provision, words, environment, recording);
    let caps = Caps::new(arguments.max_usd, Duration::from_secs(60 * arguments.max_minutes), runner.usd_a_month()?)?;
    eprintln!("acceptance: {caps}; every call is recorded in {}", workspace::shown(runner.recording()));
    steps::perform(&runner.with_caps(caps), &built.images)
}

fn new_recording() -> Result<PathBuf> {
    let folder = workspace::target().join("acceptance");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(folder.join(format!("recording-{}.jsonl", now.as_secs())))
}

fn replay(recording: &std::path::Path) -> Result<()> {
    Needs::to_compile().or_fail()?;
    let recording = recording
        .canonicalize()
        .map_err(|error| BadInput(format!("{} cannot be read: {error}", recording.display())))?;
    let mut cargo = child::cargo();
    cargo.args(["build", "--workspace", "--bin", "replay"]);
    child::run("building the simulation", cargo)?;
    let mut replay = Command::new(workspace::target().join("debug/replay"));
    replay.arg(recording);
    child::run("the comparison", replay)
}
