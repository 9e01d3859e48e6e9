//! Runs other programs, in process groups of their own, and passes Ctrl-C and SIGTERM on to them.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::exit::{Failed, Interrupted};
use crate::signals;

/// The Cargo that runs us, so that toolchain overrides hold for what we build, too.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::workspace::root());
    // What Cargo tells us about ourselves is not for what we build: the build script of ring looks at it, so each
    // change between `cargo xtask` and plain `cargo` compiled TLS and the whole AWS SDK again.
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        cargo.env_remove(name);
    }
    cargo
}

/// Runs a program to its end, and fails as it fails.
pub(crate) fn run(what: &str, command: Command) -> Result<()> {
    Foreground::start(what, command)?.end(what)
}

/// A program that is stopped together with us.
pub(crate) struct Foreground {
    child: Child,
    group: Pid,
}

impl Foreground {
    pub(crate) fn start(what: &str, mut command: Command) -> Result<Self> {
        // A group in the background cannot read from the terminal anyway.
        command.process_group(0).stdin(Stdio::null());
        let child = command
            .spawn()
            .with_context(|| format!("{what}: cannot start {}; is it installed?", command.get_program().display()))?;
        let group = Pid::from_child(&child);
        signals::pass_on_to(group);
        Ok(Self { child, group })
    }

    /// What it writes, if it was started with a pipe for that.
    pub(crate) fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end, and fails as it fails.
    pub(crate) fn end(self, what: &str) -> Result<()> {
        let status = self.wait()?;
        if signals::asked_to_stop() {
            return Err(Interrupted.into());
        }
        if status.success() { Ok(()) } else { Err(Failed { what: what.to_owned(), code: status.code() }.into()) }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.peek(WaitIdOptions::NOHANG)?)
    }

    /// Asks it to end, as Ctrl-C does.
    pub(crate) fn ask_to_end(&self) {
        // It may have ended by itself in this moment.
        let _ = kill_process_group(self.group, Signal::TERM);
    }

    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        self.peek(WaitIdOptions::empty())?;
        signals::forget(self.group);
        Ok(self.child.wait()?)
    }

    /// Looks whether it has ended without taking its number from it: see `signals::forget`.
    fn peek(&mut self, options: WaitIdOptions) -> rustix::io::Result<bool> {
        let options = options | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        loop {
            match waitid(WaitId::Pid(self.group), options) {
                Err(rustix::io::Errno::INTR) => {}
                answer => return Ok(answer?.is_some()),
            }
        }
    }
}
