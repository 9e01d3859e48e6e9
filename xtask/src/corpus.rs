//! `cargo xtask corpus`: the tools of the corpus's authors, which are an example program of `app`.

use anyhow::Result;
use clap::Subcommand;

use crate::child;
use crate::toolchain::Needs;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum CorpusCommand {
    /// Find what an editor would strike: form, forbidden words, tags, the same phrase twice.
    Lint,
    /// Show sizes and distributions, and where there is least to say.
    Report,
    /// Write `config/data/coverage.md`: what there is to say in every weather, month and region.
    Coverage,
    /// Print what is chosen on two hundred days of every kind, to be read.
    Read {
        /// Another number gives other days.
        #[arg(default_value_t = 1)]
        seed: u32,
    },
}

/// Builds the tools and runs one.
pub(crate) fn run(command: CorpusCommand) -> Result<()> {
    Needs::to_compile().or_fail()?;
    let task = match command {
        CorpusCommand::Lint => "lint",
        CorpusCommand::Report => "report",
        CorpusCommand::Coverage => "coverage",
        CorpusCommand::Read { .. } => "read",
    };
    let mut cargo = child::cargo();
    cargo.args(["run", "--quiet", "--package", "app", "--example", "corpus", "--", task]);
    if let CorpusCommand::Read { seed } = command {
        cargo.arg(seed.to_string());
    }
    child::run("the tools of the corpus", cargo)
}
