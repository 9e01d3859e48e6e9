//! What can be said on the command line; the doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::our_stack::CONTAINER;

/// Plan, deploy and destroy the AWS stack of the Weather Comment Generator.
///
/// Exit codes: 0 done or nothing to do; 1 failed; 2 the plan has changes (`plan --exit-code`);
/// 3 bad input or configuration; 4 refused for safety.
///
/// `PROVISION_LOG` says which log lines appear on standard error, as tracing directives. `PROVISION_RECORD` names a
/// file to which every call to AWS and its answer is appended, without secrets.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl Arguments {
    /// Reads a command line, the program's name included.
    pub(crate) fn of(words: &[OsString]) -> Result<Self, clap::Error> {
        Self::try_parse_from(with_overrides_together(words))
    }
}

/// Brings all overrides to one side of the verb: of an option that is given on both, clap forgets what came first.
fn with_overrides_together(words: &[OsString]) -> Vec<OsString> {
    let (program, words) = words.split_at(words.len().min(1));
    let (mut overrides, mut others) = (program.to_vec(), Vec::new());
    let mut words = words.iter().cloned();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            others.push(word);
            others.extend(words);
            break;
        } else if text == "--set" {
            overrides.push(word);
            overrides.extend(words.next());
        } else if text.starts_with("--set=") {
            overrides.push(word);
        } else {
            others.push(word);
        }
    }
    overrides.extend(others);
    overrides
}

#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The environment: the name of a built-in configuration.
    #[arg(long, short, global = true, default_value = "staging", env = "PROVISION_ENVIRONMENT")]
    pub(crate) environment: String,
    /// A configuration file instead of a built-in one.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Override one value of the configuration, for example `scaling.max=6`.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(crate) overrides: Vec<String>,
    /// How results are written to standard output.
    #[arg(long, global = true, default_value = "text")]
    pub(crate) output: Output,
    /// When there are colours; `auto` means on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    pub(crate) color: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document; what happens meanwhile goes to standard error as JSON lines.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show what a deploy would change, without changing anything.
    Plan(PlanArguments),
    /// Create or update everything, ship the image and watch it come up.
    Deploy(DeployArguments),
    /// Remove what deploy made; data stays unless you say otherwise.
    Destroy(DestroyArguments),
    /// Print the addresses and identifiers of what exists.
    Outputs,
    /// Show the service: its deployments, its tasks' health, and its last events.
    Status,
    /// Print what the service wrote.
    Logs(LogsArguments),
    /// List what was deployed, newest first, and which of it runs.
    History,
    /// Run what ran before, and watch it come up.
    Rollback(RollbackArguments),
    /// Take the lock away from a run that is at work no longer.
    Unlock(UnlockArguments),
    /// Put API keys in, or list which are there; values are never shown.
    Secrets(SecretsArguments),
    /// Put an image into the repository without deploying it.
    Push(PushArguments),
    /// Run a command in a running task, and talk with it.
    ///
    /// It takes `service.exec = true` in the configuration when the task began, AWS's session-manager-plugin on this
    /// machine, and the permission ecs:ExecuteCommand, which neither a pipeline nor an operator has by itself.
    ///
    /// The image has no shell: it holds one program, /app/app. What it can be asked is `health`, which prints what the
    /// page and the API of the task answer, and is run when no command is given.
    ///
    /// On a terminal, what is typed goes to the command, and so do Ctrl-C, Ctrl-Z and Ctrl-\. Without one, or with
    /// `--output json`, a command must be given, and it reads nothing; the JSON document holds what it wrote.
    ///
    /// It ends with 0 when the plugin held the session to its end, and with 1 when not: ECS does not tell what the command
    /// itself came to.
    Exec(ExecArguments),
    /// Look at everything that could stand in the way of a deploy, all at once.
    Doctor(DoctorArguments),
    /// Check the configuration, without asking AWS.
    Validate,
    /// Show the role with which workflows of a repository on GitHub deploy, or make it.
    CiRole(CiRoleArguments),
    /// Show what it costs a month.
    Cost,
    /// Show everything that is deployed, and what needs what.
    Graph(GraphArguments),
    /// Print the JSON schema of a document that `--output json` writes, or list their names.
    Schema(SchemaArguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// Which image runs.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct ImageArguments {
    /// The folder of an OCI image layout to push, as `cargo xtask image` makes it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) image_layout: Option<PathBuf>,
    /// An image that is in the repository already, or in a public registry; without either, the one that runs now.
    #[arg(long, value_name = "REPOSITORY@sha256:DIGEST")]
    pub(crate) image: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// Exit with 2 when there is something to do.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Look at all that the last run proved, too, as a deploy does: ownership tags, policies that somebody attached to
    /// roles, and whether the image is still in its repository.
    #[arg(long)]
    pub(crate) afresh: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
}

#[derive(Args, Debug)]
pub(crate) struct DeployArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Do not ask the service through the load balancer at the end, where the network from here does not lead to it.
    #[arg(long)]
    pub(crate) no_request: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DestroyArguments {
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Also delete what holds data: the file system, the secret and the images.
    #[arg(long)]
    pub(crate) delete_data: bool,
    /// The environment's name once more; production asks for it where nobody can be asked.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub(crate) confirm: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct LogsArguments {
    /// Go on printing new lines until Ctrl-C.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Lines since so long ago, for example `90s`, `15m`, `2h` or `7d`.
    #[arg(long, default_value = "15m", value_parser = duration)]
    pub(crate) since: Duration,
    /// Only lines that match a CloudWatch Logs filter pattern.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) filter: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RollbackArguments {
    /// The revision, as `history` lists it; without it, the last one before that came up.
    #[arg(long, value_name = "REVISION")]
    pub(crate) to: Option<i32>,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct UnlockArguments {
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CiRoleArguments {
    /// Make the role and the trust in GitHub, or bring them to what is shown; takes an administrator.
    #[arg(long)]
    pub(crate) apply: bool,
    /// Remove the role; the trust in GitHub stays, others in the account may rely on it.
    #[arg(long, conflicts_with = "apply")]
    pub(crate) remove: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SecretsArguments {
    #[command(subcommand)]
    pub(crate) verb: SecretsVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsVerb {
    /// List the keys, and whether each has a value.
    List,
    /// Set one key; the value is typed, or piped in.
    Set {
        /// Which key.
        key: String,
    },
    /// Set all keys of a file with lines KEY=value.
    Import {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct PushArguments {
    /// The folder of an OCI image layout, as `cargo xtask image` makes it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) image_layout: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ExecArguments {
    /// The task, by its identifier or ARN; without it, the newest healthy one.
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<String>,
    /// The container in the task.
    #[arg(long, value_name = "NAME", default_value = CONTAINER)]
    pub(crate) container: String,
    /// The program in the container and its words, after `--`; without them, `/app/app health`.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SchemaArguments {
    /// The document, for example `plan` or `provision.plan/1`.
    pub(crate) name: Option<String>,
    /// Write all schemas into a folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "name")]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct GraphArguments {
    /// How it is drawn.
    #[arg(long, default_value = "list")]
    pub(crate) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// One line a resource.
    List,
    /// A Mermaid flow chart.
    Mermaid,
}

/// Reads `90s`, `15m`, `2h` or `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let hint = || format!("{text:?} is no duration; give a number and s, m, h or d, for example 15m");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(hint)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(hint()),
    };
    let number: u64 = number.parse().map_err(|_| hint())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(hint)
}
