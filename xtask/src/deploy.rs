//! `cargo xtask deploy` and `destroy`: build what is shipped, then let `provision` do its work, on AWS
//! or against the stand-in on this machine.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::exit::BadInput;
use crate::image::{self, Fault, ImageArguments};
use crate::local::{Keeper, LocalOptions, Plan, StandIn, Turn};
use crate::toolchain::Needs;
use crate::{child, readiness, workspace};

/// How long the service may take to answer after its deployment is complete.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub(crate) struct DeployArguments {
    /// Deploy to the stand-in for AWS on this machine, and run the service here.
    #[arg(long)]
    local: bool,
    /// Leave the stand-in running; `cargo xtask local down` stops it.
    #[arg(long, requires = "local")]
    detach: bool,
    #[command(flatten)]
    options: LocalOptions,
    #[command(flatten)]
    image: ImageArguments,
    /// Deploy an image that is broken on purpose in this way, to see what is told then.
    #[arg(long, value_enum, value_name = "FAULT", requires = "local")]
    broken: Option<Fault>,
    /// A `provision` that is built already; without it, it is compiled.
    #[arg(long, value_name = "PROGRAM")]
    provision: Option<PathBuf>,
    #[command(flatten)]
    passed_on: PassedOn,
}

#[derive(Args, Debug)]
pub(crate) struct DestroyArguments {
    /// Destroy what is in the stand-in on this machine, with its data, and stop it.
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    options: LocalOptions,
    /// A `provision` that is built already; without it, it is compiled.
    #[arg(long, value_name = "PROGRAM")]
    provision: Option<PathBuf>,
    /// Also delete what holds data: the file system, the secret and the images; --local always does.
    #[arg(long)]
    delete_data: bool,
    /// The environment's name once more; production asks for it where nobody can be asked.
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "local")]
    confirm: Option<String>,
    #[command(flatten)]
    passed_on: PassedOn,
}

/// What `provision` is told, as it was told to us.
#[derive(Args, Debug)]
struct PassedOn {
    /// The environment, when it is not the local one.
    #[arg(long, short, conflicts_with = "local")]
    environment: Option<String>,
    /// A configuration file instead of a built-in one.
    #[arg(long, value_name = "FILE", conflicts_with = "local")]
    config: Option<PathBuf>,
    /// Override one value of the configuration, for example `scaling.max=6`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Do not ask; --local never does.
    #[arg(long, short)]
    yes: bool,
    /// Further arguments for `provision`, after `--`.
    #[arg(last = true)]
    rest: Vec<OsString>,
}

/// Words of a command line.
type Words = Vec<OsString>;

impl PassedOn {
    /// The verb, and after it everything else: `provision` does not join what is said on both sides of its verb.
    fn words(&self, verb: &str, more: Words) -> Words {
        let mut words: Words = vec![verb.into()];
        let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
        if let Some(environment) = &self.environment {
            option("--environment", environment.into());
        }
        if let Some(config) = &self.config {
            option("--config", config.into());
        }
        for text in &self.overrides {
            option("--set", text.into());
        }
        words.extend(self.yes.then(|| "--yes".into()));
        words.into_iter().chain(more).chain(self.rest.iter().cloned()).collect()
    }

    /// The same for the stand-in, where nobody is asked: there is nothing to lose.
    fn words_here(&self, verb: &str, more: Words) -> Words {
        let local = Self {
            environment: Some("local".to_owned()),
            config: None,
            overrides: self.overrides.clone(),
            yes: true,
            rest: self.rest.clone(),
        };
        local.words(verb, more)
    }
}

impl DeployArguments {
    fn words(&self, layout: &Path) -> Words {
        self.passed_on.words("deploy", vec!["--image-layout".into(), layout.into()])
    }

    fn words_here(&self, layout: &Path, certificate: &str) -> Words {
        let certificate = format!("edge.certificate_arn={certificate}");
        let more = vec!["--image-layout".into(), layout.into(), "--set".into(), certificate.into()];
        self.passed_on.words_here("deploy", more)
    }
}

impl DestroyArguments {
    fn words(&self) -> Words {
        let mut more: Words = Vec::new();
        more.extend(self.delete_data.then(|| "--delete-data".into()));
        if let Some(confirm) = &self.confirm {
            more.extend(["--confirm".into(), confirm.into()]);
        }
        self.passed_on.words("destroy", more)
    }

    fn words_here(&self) -> Words {
        self.passed_on.words_here("destroy", vec!["--delete-data".into()])
    }
}

pub(crate) fn deploy(arguments: &DeployArguments) -> Result<()> {
    if arguments.local { deploy_here(arguments) } else { deploy_to_aws(arguments) }
}

pub(crate) fn destroy(arguments: &DestroyArguments) -> Result<()> {
    if arguments.local {
        return destroy_here(arguments);
    }
    check_environment(arguments.passed_on.environment.as_deref())?;
    Needs::to_compile().or_fail()?;
    let mut provision = Command::new(provision_program(arguments.provision.as_deref())?);
    provision.args(arguments.words());
    become_it(provision)
}

/// An image takes minutes to build, and nobody wants to hear only then that there is no such environment.
fn check_environment(environment: Option<&str>) -> Result<()> {
    let folder = workspace::root().join("config");
    let Some(environment) = environment.filter(|name| !folder.join(name).with_extension("toml").exists()) else {
        return Ok(());
    };
    let files = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let known = files.flatten().filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned()));
    let mut known: Vec<_> = known.filter(|name| name != "Cargo").collect();
    known.sort();
    Err(BadInput(format!("there is no environment {environment}; choose one of {}", known.join(", "))).into())
}

fn deploy_to_aws(arguments: &DeployArguments) -> Result<()> {
    check_environment(arguments.passed_on.environment.as_deref())?;
    image::check_tools(&arguments.image)?.or_fail()?;
    let image = image::build(&arguments.image)?;
    eprintln!("{image}");
    let mut provision = Command::new(provision_program(arguments.provision.as_deref())?);
    provision.args(arguments.words(&image.folder));
    become_it(provision)
}

/// Compiles the deploy tool, unless it is given.
pub(crate) fn provision_program(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return given.canonicalize().map_err(|error| BadInput(format!("{}: {error}", given.display())).into());
    }
    let program = workspace::target().join("debug/provision");
    if !program.exists() {
        eprintln!("deploy: the first build of provision compiles the AWS SDK, 10 to 15 minutes on two cores");
    }
    let mut cargo = child::cargo();
    // All packages are named, so that their features are those of `cargo test --workspace`: with others, the SDK
    // would be compiled once for deploying and once more for testing.
    cargo.args(["build", "--workspace", "--bin", "provision"]);
    child::run("building provision", cargo)?;
    Ok(program)
}

/// Lets the deploy tool take our place: it asks its questions on our terminal and gets our signals.
fn become_it(mut command: Command) -> Result<()> {
    let error = command.exec();
    Err(error).with_context(|| format!("starting {}", command.get_program().display()))
}

fn deploy_here(arguments: &DeployArguments) -> Result<()> {
    let mut needs = image::check_tools(&arguments.image)?;
    let turn = Turn::take()?;
    let running = StandIn::running()?;
    let plan = match &running {
        Some(stand_in) => stand_in.check(&arguments.options).map(|()| None)?,
        None => Some(StandIn::plan(&arguments.options, &mut needs)?),
    };
    needs.or_fail()?;
    if let Some(plan) = &plan {
        Plan::clear_left_overs()?;
        plan.check_ports()?;
    }
    // One that we start is ours to stop, and so is one whose keeper was killed; a detached one is nobody's.
    let keeper = (plan.is_some() || Keeper::was_killed()).then(Keeper::us).transpose()?;

    let mut steps = Steps::default();
    let image = steps.time("image", || match arguments.broken {
        None => image::build(&arguments.image),
        Some(fault) => image::build_broken(&arguments.image, fault),
    })?;
    eprintln!("{image}");
    let stand_in = match (running, plan) {
        (Some(stand_in), _) => stand_in,
        (None, plan) => steps.time("stand-in", || plan.context("there is a plan for what does not run")?.start())?,
    };
    let program = steps.time("provision", || provision_program(arguments.provision.as_deref()))?;
    let came_up = come_up(&stand_in, &program, &image.folder, arguments, &mut steps);
    if !StandIn::is_alive() {
        bail!(StandIn::has_ended());
    }
    stand_in.save()?;
    turn.end();
    if let Err(error) = came_up {
        if let Some(keeper) = keeper.filter(|_| arguments.detach) {
            keeper.detach()?;
            eprintln!("{}\n`cargo xtask local down` stops it", stand_in.description());
        }
        return Err(error);
    }
    eprintln!("deploy: {steps}");
    finish(&stand_in, keeper, arguments.detach)
}

fn come_up(
    stand_in: &StandIn,
    program: &Path,
    layout: &Path,
    arguments: &DeployArguments,
    steps: &mut Steps,
) -> Result<()> {
    let before = stand_in.deployment()?;
    steps.time("deploy", || {
        let mut provision = Command::new(program);
        provision.args(arguments.words_here(layout, &stand_in.certificate()?));
        run_provision(stand_in, provision)
    })?;
    if let Some(before) = &before
        && stand_in.deployment()?.as_ref() == Some(before)
    {
        eprintln!("deploy: nothing has changed, so the running task is replaced by a new one");
        steps.time("restart", || stand_in.restart(before))?;
    }
    steps.time("ready", || readiness::wait(&stand_in.ports(), PATIENCE, || Ok(StandIn::is_alive())))
}

/// Lets any verb of `provision` look at the stand-in, or change what is in it.
pub(crate) fn provision_here(stand_in: &StandIn, words: &[String]) -> Result<()> {
    let mut provision = Command::new(provision_program(None)?);
    let certificate = format!("edge.certificate_arn={}", stand_in.certificate()?);
    provision.args(with_options(words, &["--environment", "local", "--set", &certificate]));
    become_it(pointed_at(stand_in, provision))
}

/// Adds options after the verb, for what is said on both sides of it counts only there, and before what is a command's own.
fn with_options<'a>(words: &'a [String], options: &[&'a str]) -> Vec<&'a str> {
    let command = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (verb, command) = words.split_at(command);
    let words = |words: &'a [String]| words.iter().map(String::as_str);
    words(verb).chain(options.iter().copied()).chain(words(command)).collect()
}

fn run_provision(stand_in: &StandIn, provision: Command) -> Result<()> {
    child::run("provision", pointed_at(stand_in, provision))
}

fn pointed_at(stand_in: &StandIn, mut provision: Command) -> Command {
    provision.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").envs(stand_in.environment());
    provision
}

/// Says where the service is, and stays with it if that is our part.
fn finish(stand_in: &StandIn, keeper: Option<Keeper>, detach: bool) -> Result<()> {
    for address in stand_in.listeners()? {
        let warning = if address.starts_with("https") { "  (no browser knows its certificate)" } else { "" };
        println!("load balancer        {address}{warning}");
    }
    let [page, api] = stand_in.ports();
    println!("past it, to the page http://127.0.0.1:{page}/");
    println!("past it, to the API  http://127.0.0.1:{api}/");
    match keeper {
        None => println!("The stand-in goes on; `cargo xtask local down` stops it."),
        Some(keeper) if detach => {
            keeper.detach()?;
            println!("The stand-in goes on; `cargo xtask local down` stops it.");
        }
        Some(keeper) => {
            println!("Ctrl-C stops the service and the stand-in; a later run continues where this one ends.");
            keeper.stay()?;
        }
    }
    Ok(())
}

fn destroy_here(arguments: &DestroyArguments) -> Result<()> {
    let turn = Turn::take()?;
    let running = StandIn::running()?;
    // One that is only started to be emptied is stopped again, however that ends.
    let keeper = running.is_none().then(Keeper::us).transpose()?;
    let stand_in = running.map_or_else(|| start_to_empty(&arguments.options), Ok)?;
    let mut provision = Command::new(provision_program(arguments.provision.as_deref())?);
    provision.args(arguments.words_here());
    run_provision(&stand_in, provision)?;
    stand_in.save()?;
    let left = stand_in.owned()?;
    if !left.is_empty() {
        bail!("destroyed, but the stand-in still has\n  {}", left.join("\n  "));
    }
    stand_in.dismantle()?;
    drop(keeper);
    turn.end();
    println!("destroy: nothing is left in the stand-in, and it is stopped");
    Ok(())
}

fn start_to_empty(options: &LocalOptions) -> Result<StandIn> {
    let mut needs = Needs::to_compile();
    let plan = StandIn::plan(options, &mut needs)?;
    needs.or_fail()?;
    Plan::clear_left_overs()?;
    plan.check_ports()?;
    plan.start()
}

/// How long each step took.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn time<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let result = step();
        self.0.push((name, began.elapsed()));
        result
    }
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total: Duration = self.0.iter().map(|(_, took)| *took).sum();
        for (name, took) in &self.0 {
            write!(f, "{name} {:.1} s, ", took.as_secs_f64())?;
        }
        write!(f, "together {:.1} s", total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{Arguments, Task};

    /// What `provision` is told by a command line of ours.
    fn told(line: &str) -> String {
        let arguments = Arguments::try_parse_from(format!("xtask {line}").split(' ')).unwrap();
        let layout = Path::new("layout");
        let words = match &arguments.task {
            Task::Deploy(it) if it.local => it.words_here(layout, "arn:certificate"),
            Task::Deploy(it) => it.words(layout),
            Task::Destroy(it) if it.local => it.words_here(),
            Task::Destroy(it) => it.words(),
            other => panic!("neither deploy nor destroy: {other:?}"),
        };
        words.join(" ".as_ref()).into_string().unwrap()
    }

    fn refused(line: &str) -> String {
        Arguments::try_parse_from(format!("xtask {line}").split(' ')).unwrap_err().to_string()
    }

    #[test]
    fn an_environment_that_is_none_is_refused_before_anything_is_built() {
        check_environment(None).unwrap();
        check_environment(Some("staging")).unwrap();
        let error = check_environment(Some("stagin")).unwrap_err();
        assert_eq!(crate::exit::code(&error), 3);
        assert_eq!(error.to_string(), "there is no environment stagin; choose one of local, production, staging");
    }

    #[test]
    fn what_production_needs_is_passed_on_after_the_verb() {
        assert_eq!(told("deploy"), "deploy --image-layout layout");
        assert_eq!(
            told("deploy -e production --set scaling.max=6 --set scaling.min=2 --yes"),
            "deploy --environment production --set scaling.max=6 --set scaling.min=2 --yes --image-layout layout"
        );
        assert_eq!(told("deploy --config own.toml -y"), "deploy --config own.toml --yes --image-layout layout");
        assert_eq!(told("destroy"), "destroy");
        assert_eq!(
            told("destroy --environment production --yes --confirm production --delete-data --config own.toml"),
            "destroy --environment production --config own.toml --yes --delete-data --confirm production"
        );
        assert_eq!(told("destroy -e staging -- --output json"), "destroy --environment staging --output json");
    }

    #[test]
    fn the_stand_in_is_never_asked_about_and_keeps_its_certificate() {
        assert_eq!(
            told("deploy --local --set service.exec=true -- --color never"),
            "deploy --environment local --set service.exec=true --yes --image-layout layout \
             --set edge.certificate_arn=arn:certificate --color never"
        );
        assert_eq!(told("destroy --local"), "destroy --environment local --yes --delete-data");
        assert_eq!(told("destroy --local --yes --delete-data"), told("destroy --local"), "said twice, meant once");
    }

    #[test]
    fn what_is_added_to_the_words_of_provision_is_never_a_word_of_a_command() {
        let told = |line: &str| {
            let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            with_options(&words, &["--environment", "local"]).join(" ")
        };
        assert_eq!(told("logs --follow"), "logs --follow --environment local");
        assert_eq!(told("exec -- /app/app health -- x"), "exec --environment local -- /app/app health -- x");
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for line in ["deploy --local -e staging", "deploy --local --config own.toml", "destroy --local --confirm local"]
        {
            assert!(refused(line).contains("cannot be used with"), "{line}");
        }
        // A deploy is confirmed by --yes, or by the name that it asks for on a terminal.
        assert!(refused("deploy --confirm production").contains("unexpected argument"));
    }
}
