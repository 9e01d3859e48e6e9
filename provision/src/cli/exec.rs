//! `provision exec`: runs a command in a running task, through AWS's own session plugin.

use std::io::ErrorKind;

use anyhow::{Context as _, Result, bail};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::arguments::ExecArguments;
use super::document::Document;
use super::exit::{BadInput, Exit};
use super::plugin::{Call, Ended, Streams, takes_variable};
use super::report;
use super::session::Session;
use crate::aws::AwsError;
use crate::context::Context;
use crate::guard::Access;
use crate::names::Names;
use crate::permissions::{POLICY_LIMIT, Place as Permitted, Who};
use crate::task_session::{Asked, Opened, Place, choose, joined, open};

/// A command that was run in a task.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Executed {
    /// The task's ARN.
    task: String,
    /// The container in it.
    container: String,
    /// The program and its words.
    command: Vec<String>,
    /// That of the session plugin, unless a signal ended it: 0 when the session was held to its end. What the command
    /// came to is not told by ECS.
    exit_code: Option<i32>,
    /// What the plugin wrote: what the command wrote, between lines of the plugin's own.
    output: String,
}

impl Document for Executed {
    const NAME: &'static str = "provision.exec/1";
}

/// There is no shell to talk with, and this says how the task is.
const DEFAULT_COMMAND: [&str; 2] = ["/app/app", "health"];

pub(crate) async fn run(session: &Session<'_>, arguments: &ExecArguments) -> Result<Exit> {
    let command = command(session, &arguments.command)?;
    session.check_account().await?;
    let names = Names::of(&session.deployment);
    let place =
        Place { cluster: names.cluster(), service: names.service(), wants_open: session.deployment.service.exec };
    let context = Context::silent(session.reader());
    let task = choose(&context, &place, arguments.task.as_deref(), &arguments.container).await?;
    // Before a session is opened that nobody could hold.
    let version = plugin_version(session).await?;
    session.terminal.say(format_args!("{} in {task}", joined(&command)));
    let asked = Asked { container: arguments.container.clone(), command: joined(&command) };
    let opening = report::alone(session, session.aws(Access::ReadWrite), async |context| {
        open(&context, &place, &task, &asked).await
    });
    let mut interrupted = session.begin_work();
    let opened = tokio::select! {
        opened = opening => opened,
        Ok(_) = interrupted.wait_for(|interrupted| *interrupted) => {
            session.terminal.say("interrupted before there was a session");
            return Ok(Exit::Failed);
        }
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            say_who_may(session, &error).await;
            return Err(error);
        }
    };
    let ended = hold(session, &version, &opened).await?;
    if ended.code != Some(0) {
        let how = ended.code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("ended with {code}"));
        session.terminal.say(format_args!("error: session-manager-plugin {how}; what it wrote says why"));
    }
    session.terminal.document(&Executed {
        task: task.arn,
        container: asked.container,
        command,
        exit_code: ended.code,
        output: ended.output,
    });
    Ok(if ended.code == Some(0) { Exit::Done } else { Exit::Failed })
}

/// Nobody is at a program's other end, so it must know what it wants.
fn command(session: &Session<'_>, given: &[String]) -> Result<Vec<String>, BadInput> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    if session.terminal.is_interactive() {
        return Ok(DEFAULT_COMMAND.map(ToOwned::to_owned).into());
    }
    Err(BadInput(format!(
        "without a terminal, exec runs only a command that is given; add it after `--`, for example `-- {}`",
        DEFAULT_COMMAND.join(" ")
    )))
}

/// How to get the plugin, which AWS publishes for each system on its own.
const MISSING: &str = "AWS's session-manager-plugin is not on the PATH, and only it can hold a session; install it:\n\
    \x20 macOS               brew install --cask session-manager-plugin\n\
    \x20 Debian, Ubuntu      curl -O https://s3.amazonaws.com/session-manager-downloads/plugin/latest/ubuntu_64bit/session-manager-plugin.deb \
    && sudo dpkg -i session-manager-plugin.deb  (on ARM, ubuntu_arm64)\n\
    \x20 Amazon Linux, RHEL  sudo dnf install -y https://s3.amazonaws.com/session-manager-downloads/plugin/latest/linux_64bit/session-manager-plugin.rpm  \
    (on ARM, linux_arm64)";

async fn plugin_version(session: &Session<'_>) -> Result<String> {
    let version = session.plugin.version().await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => BadInput(MISSING.to_owned()),
        _ => BadInput(format!("session-manager-plugin cannot be started: {error}; install it anew")),
    })?;
    if !takes_variable(&version) {
        session.terminal.say(format_args!(
            "note: session-manager-plugin {version} is old: it takes the session's token as an argument, which others \
             on this machine can read while the session lasts; install a newer one"
        ));
    }
    Ok(version)
}

/// Hands a session to the plugin, and waits for its end.
async fn hold(session: &Session<'_>, version: &str, opened: &Opened) -> Result<Ended> {
    let region = &session.deployment.region;
    let request = json!({"Target": opened.target}).to_string();
    let address = format!("https://ssm.{region}.amazonaws.com");
    let streams = match (session.terminal.is_for_people(), session.terminal.is_interactive()) {
        (false, _) => Streams::Kept,
        (true, false) => Streams::Written,
        (true, true) => Streams::Terminal,
    };
    let more = [region.as_str(), session.plugin.profile(), &request, &address];
    let call = Call::new(version, opened.secret_json(), more, streams);
    let mut interrupted = session.begin_work();
    // Ctrl-C is the session's while it is held, so this is somebody who wants all of it to end.
    tokio::select! {
        ended = session.plugin.hold(call) => ended.context("starting session-manager-plugin"),
        Ok(_) = interrupted.wait_for(|interrupted| *interrupted) => bail!(
            "told to end while a session was held; if the terminal does not show what is typed, run `stty sane`"
        ),
    }
}

/// The permission is in no role of ours, so whoever lacks it is shown what to ask for.
async fn say_who_may(session: &Session<'_>, error: &anyhow::Error) {
    let is_denial =
        |error: &AwsError| error.is("AccessDeniedException") && error.message.contains("ecs:ExecuteCommand");
    if !error.chain().filter_map(|cause| cause.downcast_ref::<AwsError>()).any(is_denial) {
        return;
    }
    let Ok(caller) = session.reader().caller().await else { return };
    let place = Permitted::of(&session.deployment, &caller.account);
    for policy in place.policies(Who::Visitor, POLICY_LIMIT) {
        session.terminal.say(format_args!(
            "note: running commands in tasks is for people with a role of its own: whoever is in a task can read its \
             secrets, which those who deploy cannot. This policy is all that it takes:\n{policy:#}"
        ));
    }
}
