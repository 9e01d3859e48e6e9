//! `provision`: plans, deploys and destroys the AWS stack of the Weather Comment Generator.

use std::io::{self, IsTerminal as _};
use std::process::{Command, ExitCode};

use provision::cli::{self, Exit, InstalledPlugin, Surroundings, Terminal, Workflow};
use provision::transcript::Transcript;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("PROVISION_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let variable = |name: &str| std::env::var_os(name);
    let terminal = Terminal::of_process(variable("NO_COLOR").as_deref(), variable("TERM").as_deref());
    let transcript = match transcript() {
        Ok(transcript) => transcript,
        Err(error) => {
            terminal.say(format_args!("error: the file that PROVISION_RECORD names cannot be written: {error}"));
            return Exit::BadInput.into();
        }
    };
    let at_work = watch::Sender::new(false);
    let profile = variable("AWS_PROFILE").and_then(|profile| profile.into_string().ok());
    let plugin = InstalledPlugin::new("session-manager-plugin", profile);
    let surroundings = Surroundings {
        terminal,
        sdk: None,
        front: None,
        interrupted: interruption(at_work.subscribe(), plugin.holds()),
        at_work,
        plugin: Box::new(plugin),
        workflow: Workflow::find(|name| variable(name)?.into_string().ok()),
        transcript,
        seed: u64::from(std::process::id()),
    };
    cli::run(std::env::args_os(), &surroundings).await.into()
}

/// The file that every call is written to, if one is named.
fn transcript() -> io::Result<Option<Transcript>> {
    std::env::var_os("PROVISION_RECORD").map(|path| Transcript::append_to(path.as_ref())).transpose()
}

/// The first Ctrl-C or SIGTERM lets running work finish and starts no more; the second ends at once, and so does
/// the first where nothing has begun. While a session is held in a task, Ctrl-C goes there and means nothing here.
fn interruption(at_work: watch::Receiver<bool>, holds: watch::Receiver<bool>) -> watch::Receiver<bool> {
    let (interrupt, interrupted) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut ask = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => (),
                _ = ask.recv() => if *holds.borrow() {
                    continue;
                },
            }
            if *interrupt.borrow() || !*at_work.borrow() {
                leave();
            }
            interrupt.send_replace(true);
        }
    });
    interrupted
}

#[expect(clippy::exit, reason = "the user asked to leave at once, and a question may still wait for its answer")]
fn leave() -> ! {
    // Whoever was asked for a secret would see nothing of what they type next.
    if io::stdin().is_terminal() {
        drop(Command::new("stty").arg("echo").status());
    }
    // The next run looks at what exists and continues.
    std::process::exit(Exit::Failed as i32)
}
