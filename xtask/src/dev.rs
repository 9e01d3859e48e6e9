//! `cargo xtask dev`: builds the service and runs it here, on built-in sample days.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::child::{self, Foreground};
use crate::exit::Failed;
use crate::toolchain::Needs;
use crate::{ports, readiness, signals, workspace};

/// Even a machine under load starts the service within this.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(crate) struct DevArguments {
    /// The port of the page.
    #[arg(long, default_value_t = 8501)]
    port: u16,
    /// The port of the JSON API.
    #[arg(long, default_value_t = 8000)]
    api_port: u16,
}

/// Runs the service until Ctrl-C.
pub(crate) fn run(arguments: &DevArguments) -> Result<()> {
    Needs::to_compile().or_fail()?;
    ports::check_free(&[(arguments.port, "--port"), (arguments.api_port, "--api-port")])?;
    let program = workspace::target().join("debug/app");
    if !program.exists() {
        eprintln!(
            "dev: the first build compiles every dependency, 1 to 3 minutes on two cores; later ones take seconds"
        );
    }
    let mut cargo = child::cargo();
    // Only the service: everything that is linked to the AWS SDK takes ten minutes.
    cargo.args(["build", "--package", "app", "--bin", "app"]);
    child::run("building the service", cargo)?;

    let mut service = Foreground::start("running the service", command(&program, arguments)?)?;
    if let Err(error) = readiness::wait(&[arguments.port, arguments.api_port], PATIENCE, || Ok(!service.has_ended()?))
        && !signals::asked_to_stop()
    {
        eprintln!("dev: {error}");
    } else if !signals::asked_to_stop() {
        println!("page  http://127.0.0.1:{}/", arguments.port);
        println!("API   http://127.0.0.1:{}/", arguments.api_port);
        println!("Ctrl-C stops both.");
    }
    let status = service.wait()?;
    if signals::asked_to_stop() || status.success() {
        return Ok(());
    }
    Err(Failed { what: "the service".to_owned(), code: status.code() }.into())
}

fn command(program: &Path, arguments: &DevArguments) -> Result<Command> {
    let cache = workspace::target().join("dev-cache");
    std::fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let mut command = Command::new(program);
    command
        .env("ENV", "local")
        .env("WEATHER_SOURCE", "demo")
        .env("PAGE_ADDR", format!("127.0.0.1:{}", arguments.port))
        .env("API_ADDR", format!("127.0.0.1:{}", arguments.api_port))
        .env("CACHE_DIR", cache)
        .env("LOG_FORMAT", "text");
    Ok(command)
}
