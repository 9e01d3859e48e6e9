//! The stand-in for AWS on this machine: an emulator that answers the calls of a deploy, keeps the
//! image it pushes and runs the service from it. Everything it has lies in the target folder.

mod aws;
mod daemon;
mod engine;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use self::aws::Aws;
pub(crate) use self::aws::Deployment;
use self::daemon::Daemon;
use self::engine::{Choice, Engine, Podman};
use crate::counts::Counts;
use crate::exit::{BadInput, Interrupted};
use crate::python::{self, LOCAL};
use crate::toolchain::Needs;
use crate::{deploy, ports, signals, workspace};

/// How long the emulator may take to answer. It needs two seconds, and ten more when an engine hangs.
const START: Duration = Duration::from_secs(60);
/// How long it may take to stop its tasks and write its state down.
const STOP: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(100);

/// How the stand-in is reached, and what runs its tasks.
#[derive(Args, Clone, Debug)]
pub(crate) struct LocalOptions {
    /// What runs the service's tasks.
    #[arg(long, value_enum, default_value_t, requires = "local")]
    engine: Choice,
    /// The port of the load balancer's listener for HTTPS [default: 8443, or a free one].
    #[arg(long, requires = "local")]
    https_port: Option<u16>,
    /// The port of the load balancer's listener for HTTP, if it has one [default: 8080, or a free one].
    #[arg(long, requires = "local")]
    http_port: Option<u16>,
    /// The port of the page, past the load balancer [default: 8501].
    #[arg(long, requires = "local")]
    port: Option<u16>,
    /// The port of the JSON API, past the load balancer [default: 8000].
    #[arg(long, requires = "local")]
    api_port: Option<u16>,
    /// The port of the stand-in's AWS and image registry [default: 4566].
    #[arg(long, requires = "local")]
    gateway_port: Option<u16>,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Stop the stand-in; what was deployed comes back with the next `deploy --local`.
    Down,
    /// Say whether the stand-in runs, and how to reach it.
    Status,
    /// Print the variables that point `provision` or the AWS CLI to the stand-in, for a shell to evaluate.
    Env,
    /// Run any verb of `provision` against the stand-in, for example `cargo xtask local provision logs --follow`.
    Provision {
        /// The verb and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<String>,
    },
    /// Check that the stand-in answers as AWS does, in a minute or two.
    Check,
}

pub(crate) fn run(command: &LocalCommand) -> Result<()> {
    match command {
        LocalCommand::Down => down(),
        LocalCommand::Check => check(&mut Counts::default()),
        LocalCommand::Provision { words } => deploy::provision_here(&running()?, words),
        LocalCommand::Status => {
            println!("{}", running()?.description());
            Ok(())
        }
        LocalCommand::Env => {
            for (name, value) in running()?.environment() {
                println!("export {name}={value}");
            }
            Ok(())
        }
    }
}

fn running() -> Result<StandIn> {
    let hint = "the stand-in does not run; start it with `cargo xtask deploy --local`";
    StandIn::running()?.ok_or_else(|| BadInput(hint.to_owned()).into())
}

fn down() -> Result<()> {
    let was = if StandIn::running()?.is_some() { "is stopped" } else { "was not running" };
    stop_everything()?;
    println!("local: the stand-in {was}");
    Ok(())
}

/// Runs the stand-in's own tests, those with containers too where an engine answers.
pub(crate) fn check(counts: &mut Counts) -> Result<()> {
    let mut needs = Needs::default();
    python::check(&mut needs);
    needs.or_fail()?;
    let mut tests = LOCAL.module("tests")?;
    let apart = folder().join("check");
    for name in ["run", "logs"] {
        fs::create_dir_all(apart.join(name)).with_context(|| format!("making {}", apart.display()))?;
    }
    let _alone = alone(&apart.join("lock"))?;
    let gateway = ports::free_one(4567)?;
    let podman = Podman::new(&apart, gateway);
    podman.stop()?;
    let engine = Engine::choose(Choice::Auto, &mut Needs::default());
    if let Some(address) = engine.address(&podman)? {
        tests.env("DOCKER_HOST", address).env("STAND_IN_TEST_ENGINE", engine.to_string());
        tests.env("STAND_IN_TEST_GATEWAY", gateway.to_string());
    }
    let checked = counts.of("checking the stand-in", tests);
    podman.stop()?;
    checked
}

/// Waits until no other check uses the folder: each ends the Podman that it finds there. The lock ends with its file.
fn alone(path: &Path) -> Result<File> {
    let locked = || -> io::Result<File> {
        let file = File::create(path)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            println!("local: waiting for another check in this folder");
            file.lock()?;
        }
        Ok(file)
    };
    locked().with_context(|| format!("locking {}", path.display()))
}

/// A stand-in that runs.
pub(crate) struct StandIn {
    settings: Settings,
    aws: Aws,
}

/// What a running stand-in was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settings {
    engine: Engine,
    https: u16,
    http: u16,
    page: u16,
    api: u16,
    gateway: u16,
}

impl StandIn {
    /// The stand-in that an earlier run has started, if it still answers.
    pub(crate) fn running() -> Result<Option<Self>> {
        if emulator().process().is_none() {
            return Ok(None);
        }
        let Some(settings) = Settings::read() else { return Ok(None) };
        // One that just starts will answer soon; one that hangs is as good as none.
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            let stand_in = Self::at(settings);
            if stand_in.answers() {
                return Ok(Some(stand_in));
            }
            signals::wait(INTERVAL);
        }
        Ok(None)
    }

    fn at(settings: Settings) -> Self {
        Self { settings, aws: Aws { endpoint: format!("http://127.0.0.1:{}", settings.gateway) } }
    }

    /// Checks that a running stand-in is the one that is asked for.
    pub(crate) fn check(&self, options: &LocalOptions) -> Result<()> {
        let Settings { engine, https, http, page, api, gateway } = self.settings;
        let same = |wanted: Option<u16>, is: u16| wanted.is_none_or(|wanted| wanted == is);
        let fits = engine.satisfies(options.engine)
            && same(options.https_port, https)
            && same(options.http_port, http)
            && same(options.port, page)
            && same(options.api_port, api)
            && same(options.gateway_port, gateway);
        if fits {
            return Ok(());
        }
        let description = self.description();
        Err(BadInput(format!("{description}\nstop it with `cargo xtask local down` to start another one")).into())
    }

    /// What is needed to start one, with the engine that was settled on.
    ///
    /// # Errors
    /// When this machine gives no free port.
    pub(crate) fn plan(options: &LocalOptions, needs: &mut Needs) -> Result<Plan> {
        python::check(needs);
        Ok(Plan(Settings {
            engine: Engine::choose(options.engine, needs),
            https: options.https_port.map_or_else(|| ports::free_one(8443), Ok)?,
            http: options.http_port.map_or_else(|| ports::free_one(8080), Ok)?,
            page: options.port.unwrap_or(8501),
            api: options.api_port.unwrap_or(8000),
            gateway: options.gateway_port.unwrap_or(4566),
        }))
    }

    fn answers(&self) -> bool {
        self.ask("status").is_ok_and(|status| status["identity"] == identity(&folder()))
    }

    /// Asks the stand-in itself, and none of its services.
    fn ask(&self, what: &str) -> Result<Value> {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build();
        let agent = ureq::Agent::new_with_config(config);
        let mut answer = agent.get(format!("{}/_stand_in/{what}", self.aws.endpoint)).call()?;
        Ok(serde_json::from_slice(&answer.body_mut().read_to_vec()?)?)
    }

    /// Where the listeners of the load balancer are found, the one for HTTPS first.
    pub(crate) fn listeners(&self) -> Result<Vec<String>> {
        let status = self.ask("status")?;
        Ok(texts(&status["listeners"]))
    }

    /// The ports of the page and of the API, past the load balancer.
    pub(crate) fn ports(&self) -> [u16; 2] {
        [self.settings.page, self.settings.api]
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_alive() -> bool {
        emulator().process().is_some()
    }

    /// What to say when it has.
    pub(crate) fn has_ended() -> String {
        let log = workspace::shown(&folder().join("logs/stand-in.log"));
        format!("the stand-in has ended; {log} may say why. The same command starts it again, with what it had saved")
    }

    /// What points a program that talks to AWS here, and keeps it away from the user's real accounts.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 8] {
        [
            ("AWS_ENDPOINT_URL", &self.aws.endpoint),
            ("AWS_REGION", aws::REGION),
            ("AWS_DEFAULT_REGION", aws::REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]
    }

    /// The certificate of the load balancer.
    pub(crate) fn certificate(&self) -> Result<String> {
        self.aws.certificate()
    }

    /// What the service runs, if there is one.
    pub(crate) fn deployment(&self) -> Result<Option<Deployment>> {
        self.aws.deployment()
    }

    /// Replaces the running tasks.
    pub(crate) fn restart(&self, deployment: &Deployment) -> Result<()> {
        self.aws.restart(deployment)
    }

    /// Writes the state down, so that it outlives a stand-in that is killed.
    pub(crate) fn save(&self) -> Result<()> {
        self.ask("save").map(drop)
    }

    /// What carries the tags of the deploy tool.
    pub(crate) fn owned(&self) -> Result<Vec<String>> {
        Ok(texts(&self.ask("owned")?))
    }

    /// Stops an empty stand-in and removes what it knew.
    pub(crate) fn dismantle(self) -> Result<()> {
        self.aws.delete_certificate()?;
        stop_everything()?;
        for name in ["state", "images", "certificates"] {
            let folder = folder().join(name);
            if folder.exists() {
                fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn description(&self) -> String {
        let Settings { engine, https, http, page, api, .. } = self.settings;
        format!(
            "local: the stand-in for AWS runs at {} ({engine}); load balancer https://127.0.0.1:{https}/ and \
             http://127.0.0.1:{http}/ where it listens; past it, page http://127.0.0.1:{page}/, API \
             http://127.0.0.1:{api}/; logs in {}",
            self.aws.endpoint,
            workspace::shown(&folder().join("logs"))
        )
    }
}

/// A stand-in that could be started.
pub(crate) struct Plan(Settings);

impl Plan {
    /// Fails when another program has one of the ports.
    pub(crate) fn check_ports(&self) -> Result<()> {
        let Settings { https, http, page, api, gateway, .. } = self.0;
        let listeners = [(https, "--https-port"), (http, "--http-port")];
        let others = [(page, "--port"), (api, "--api-port"), (gateway, "--gateway-port")];
        ports::check_free(&[&listeners[..], &others[..]].concat())
    }

    /// Clears away what a killed run has left, so that its ports are free again.
    pub(crate) fn clear_left_overs() -> Result<()> {
        stop_everything()
    }

    /// Starts the stand-in and waits until it answers. What was in it before is in it again.
    pub(crate) fn start(&self) -> Result<StandIn> {
        let interpreter = LOCAL.install()?;
        eprintln!("local: {}", self.0.engine.described());
        let podman = Podman::new(&folder(), self.0.gateway);
        let engine_address = self.0.engine.address(&podman)?;
        let log = folder().join("logs/stand-in.log");
        self.0.write()?;
        emulator().start(self.command(&interpreter, engine_address), &log)?;
        let stand_in = StandIn::at(self.0);
        let began = Instant::now();
        while !stand_in.answers() {
            if signals::asked_to_stop() {
                return Err(Interrupted.into());
            }
            if !StandIn::is_alive() || began.elapsed() > START {
                bail!("the stand-in does not answer; the end of {}:\n{}", workspace::shown(&log), end_of(&log));
            }
            signals::wait(INTERVAL);
        }
        Ok(stand_in)
    }

    fn command(&self, interpreter: &Path, engine_address: Option<String>) -> Command {
        let Settings { engine, https, http, page, api, gateway } = self.0;
        let mut command = Command::new(interpreter);
        command
            .args(["-m", "stand_in"])
            .env("PYTHONPATH", LOCAL.source())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("STAND_IN_IDENTITY", identity(&folder()))
            .env("STAND_IN_ENGINE", engine.to_string())
            .env("STAND_IN_FOLDER", folder())
            .env("STAND_IN_FRONT", format!("{page}:8501,{api}:8000"))
            .env("STAND_IN_LISTENERS", format!("{https}:443,{http}:80"))
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", gateway.to_string())
            .env("MINISTACK_REGION", aws::REGION)
            // By this name the emulator knows its containers again, and leaves those of others alone.
            .env("MINISTACK_HOSTNAME", identity(&folder()))
            .env("MINISTACK_DOCKER_TIMEOUT", "60")
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", folder().join("state"))
            .env("TMPDIR", folder().join("run"))
            // Two listeners of services that we have no use for.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            // Without an engine, none is looked for.
            .env("DOCKER_HOST", engine_address.unwrap_or_else(|| "unix:///nowhere".to_owned()));
        command
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}

fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

impl Settings {
    fn file() -> PathBuf {
        folder().join("run/settings")
    }

    fn write(self) -> Result<()> {
        let Self { engine, https, http, page, api, gateway } = self;
        let file = Self::file();
        fs::write(&file, format!("{engine} {https} {http} {page} {api} {gateway}"))
            .with_context(|| format!("writing {}", file.display()))
    }

    fn read() -> Option<Self> {
        let text = fs::read_to_string(Self::file()).ok()?;
        let mut words = text.split(' ');
        let name = words.next()?;
        let engine = [Engine::Docker, Engine::Podman, Engine::Process].into_iter().find(|it| it.to_string() == name)?;
        let mut port = || words.next()?.parse().ok();
        Some(Self { engine, https: port()?, http: port()?, page: port()?, api: port()?, gateway: port()? })
    }
}

/// Who stays in the foreground with the stand-in and stops it at the end.
pub(crate) struct Keeper(());

impl Keeper {
    fn daemon() -> Daemon {
        Daemon::new(&folder().join("run"), "keeper")
    }

    /// Whether there was one that had no chance to stop anything.
    pub(crate) fn was_killed() -> bool {
        Self::daemon().is_noted() && Self::daemon().process().is_none()
    }

    /// Makes this very run the one.
    pub(crate) fn us() -> Result<Self> {
        Self::daemon().is_us()?;
        Ok(Self(()))
    }

    /// Leaves the stand-in running without anybody.
    pub(crate) fn detach(self) -> Result<()> {
        std::mem::forget(self);
        Self::daemon().forget()
    }

    /// Stays until the user asks to stop, another run stops the stand-in, or it ends by itself.
    pub(crate) fn stay(&self) -> Result<()> {
        while !signals::asked_to_stop() && emulator().is_noted() {
            if !StandIn::is_alive() {
                bail!(StandIn::has_ended());
            }
            signals::wait(Duration::from_secs(1));
        }
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if StandIn::is_alive() {
            eprintln!("local: stopping the stand-in");
        }
        if let Err(error) = stop_everything().and_then(|()| Self::daemon().forget()) {
            eprintln!("local: {error:#}");
        }
    }
}

/// Only one run at a time changes the stand-in; the others wait.
pub(crate) struct Turn(File);

impl Turn {
    pub(crate) fn take() -> Result<Self> {
        for name in ["run", "logs", "state"] {
            let folder = folder().join(name);
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let file = File::create(folder().join("run/lock"))?;
        if file.try_lock().is_err() {
            eprintln!("local: waiting for another run to finish");
            while file.try_lock().is_err() {
                if signals::asked_to_stop() {
                    return Err(Interrupted.into());
                }
                signals::wait(INTERVAL);
            }
        }
        Ok(Self(file))
    }

    pub(crate) fn end(self) {
        drop(self.0);
    }
}

/// Where the stand-in has everything.
fn folder() -> PathBuf {
    workspace::target().join("local")
}

/// Tells the stand-ins of several work folders on this machine apart.
fn identity(folder: &Path) -> String {
    let digest = format!("{:x}", Sha256::digest(folder.as_os_str().as_encoded_bytes()));
    format!("stand-in-{}", &digest[..12])
}

fn emulator() -> Daemon {
    Daemon::new(&folder().join("run"), "stand-in")
}

/// Ends the emulator, which ends its tasks; and those of an emulator that had no chance to.
fn stop_everything() -> Result<()> {
    emulator().stop(STOP)?;
    if let Some(Settings { engine: Engine::Docker, gateway, .. }) = Settings::read() {
        engine::remove_docker_containers(&format!("{}:{gateway}", identity(&folder())))?;
    }
    Podman::new(&folder(), 0).stop()
}
