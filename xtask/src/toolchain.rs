//! What a task needs on this machine, checked all at once before it begins.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::exit::BadInput;

/// What is missing, and how to get it.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    missing: Vec<(String, String)>,
}

impl Needs {
    /// Rust is here, or this would not run; some crates have parts in C.
    pub(crate) fn to_compile() -> Self {
        let mut needs = Self::default();
        if !runs("cc", &["--version"]) {
            let install =
                if cfg!(target_os = "macos") { "xcode-select --install" } else { "sudo apt-get install gcc libc6-dev" };
            needs.add("a C compiler (cc)", install);
        }
        needs
    }

    /// Notes something missing and the command that brings it.
    pub(crate) fn add(&mut self, what: &str, install: &str) {
        self.missing.push((what.to_owned(), install.to_owned()));
    }

    /// Fails when something is missing, naming all of it.
    pub(crate) fn or_fail(self) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let lines = self.missing.iter().map(|(what, install)| format!("\n  {what}: {install}"));
        Err(BadInput(format!("this machine lacks{}", lines.collect::<String>())).into())
    }
}

/// Whether a program is here and answers without complaint.
pub(crate) fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_is_named_at_once_with_its_remedy() {
        let mut needs = Needs::default();
        needs.add("python3", "apt-get install python3");
        needs.add("cc", "apt-get install gcc");
        let error = needs.or_fail().unwrap_err();
        assert_eq!(
            error.to_string(),
            "this machine lacks\n  python3: apt-get install python3\n  cc: apt-get install gcc"
        );
        assert_eq!(crate::exit::code(&error), 3);
    }

    #[test]
    fn a_program_that_is_not_here_does_not_run() {
        assert!(!runs("no-such-program-anywhere", &[]));
        assert!(runs("true", &[]));
        assert!(!runs("false", &[]));
    }
}
