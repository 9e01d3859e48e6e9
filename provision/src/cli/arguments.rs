//! What can be said on the command line; the doc comments are the help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Plan, deploy and destroy the AWS stack of the Weather Comment Generator.
///
/// Exit codes: 0 done or nothing to do; 1 failed; 2 the plan has changes (`plan --exit-code`);
/// 3 bad input or configuration; 4 refused for safety.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
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
    /// Which log lines appear on standard error, as tracing directives.
    #[arg(long, global = true, default_value = "warn", env = "PROVISION_LOG", value_name = "FILTER")]
    pub(crate) log: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document.
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
}

/// Which image runs.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct ImageArguments {
    /// The folder of an OCI image layout to push, as `cargo xtask image` makes it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) image_layout: Option<PathBuf>,
    /// An image that is in the repository already; without either, the one that runs now.
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
}

#[derive(Args, Debug)]
pub(crate) struct DeployArguments {
    #[command(flatten)]
    pub(crate) image: ImageArguments,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DestroyArguments {
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Also delete what holds data: the file system, the secret and the images.
    #[arg(long)]
    pub(crate) delete_data: bool,
}
