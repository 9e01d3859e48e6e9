//! `app`: serves the page and the API, or asks a running one whether it is well.
#![expect(clippy::print_stderr, reason = "before the log starts there is only standard error")]

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use app::emf::Reporter;
use app::{server, telemetry};
use config::problems::Problems;
use config::service::{App, Secrets, process_environment};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

/// Something is wrong with what we were given, and only a person can mend it.
const BAD_INPUT: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let asks_health = std::env::args().nth(1).is_some_and(|argument| argument == "health");
    let result = if asks_health { ask_health().await } else { run().await };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            let mendable = error.is::<Problems>() || error.chain().any(|cause| cause.is::<std::io::Error>());
            if mendable && !asks_health { BAD_INPUT.into() } else { ExitCode::FAILURE }
        }
    }
}

async fn run() -> Result<()> {
    let settings = App::from_env(&process_environment)?;
    telemetry::start(&settings);
    let service = Arc::new(server::service(&settings, &Secrets::from_env(&process_environment))?);
    let page = server::listen(settings.page_addr, "PAGE_ADDR").await?;
    let api = server::listen(settings.api_addr, "API_ADDR").await?;
    tracing::info!(
        page = %settings.page_addr, api = %settings.api_addr, weather = service.forecasts.source(), "listening"
    );
    let mut terminate = signal(SignalKind::terminate()).context("handling SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("handling SIGINT")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        tracing::info!("stopping: running requests finish, new ones are refused");
    };
    let mut reporter = Reporter::of(&settings);
    let served = tokio::select! {
        served = server::serve(page, api, Arc::clone(&service), stop) => served,
        never = reporter.run(&service, write_line) => match never {},
    };
    // What the last requests added.
    reporter.line(&service, Timestamp::now()).into_iter().for_each(write_line);
    served
}

/// Nobody reads on: serving is more important than its numbers.
fn write_line(line: String) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// What the container's health check runs, and people with `provision exec`, who want to see the answers; there is no
/// shell or curl in the image.
async fn ask_health() -> Result<()> {
    let settings = App::from_env(&process_environment)?;
    for (name, port) in [("page", settings.page_addr.port()), ("API", settings.api_addr.port())] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.with_context(|| format!("port {port}"))?;
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "port {port} is not well: {answer}");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        write_line(format!("{name:<4} on port {port}: {body}"));
    }
    Ok(())
}
