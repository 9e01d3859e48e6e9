//! Images that are broken on purpose, for seeing what a deploy tells then.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use super::Architecture;
use crate::{child, workspace};

/// What is wrong with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Its program ends at once.
    Ends,
    /// It starts, and never becomes healthy.
    Ill,
    /// It becomes healthy, and fails 20 seconds after its start, again and again.
    Crashes,
    /// It takes more memory than its task has.
    Greedy,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ends => "ends",
            Self::Ill => "ill",
            Self::Crashes => "crashes",
            Self::Greedy => "greedy",
        })
    }
}

/// Compiles the broken program; it needs nothing but the standard library, so that takes a second.
pub(super) fn compile(architecture: Architecture, fault: Fault) -> Result<PathBuf> {
    let folder = workspace::target().join("image-build/broken");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let program = folder.join(fault.to_string());
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "--crate-name", "broken", "--target", architecture.triple()]);
    rustc.args(["-C", "target-feature=+crt-static", "-C", "strip=symbols", "-C", "opt-level=1"]);
    rustc.arg("-o").arg(&program).arg(workspace::root().join("xtask/local/broken.rs"));
    rustc.env("FAULT", fault.to_string());
    child::run("building the broken program", rustc)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_knows_every_fault_by_the_name_that_is_typed() {
        let source = fs::read_to_string(workspace::root().join("xtask/local/broken.rs")).unwrap();
        for fault in Fault::value_variants() {
            let typed = fault.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(fault.to_string(), typed);
            assert!(source.contains(&format!("{typed:?} => ")), "{typed}");
        }
    }
}
