//! Programs that go on when a task of ours has ended, and are found again by the next one.
//!
//! Each leaves a note with its number and the time it began. A number whose time differs belongs to
//! another program by now and is left alone.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

/// How often it is looked whether a program has ended.
const INTERVAL: Duration = Duration::from_millis(20);

/// A program in the background, known by the file with its note.
pub(super) struct Daemon {
    note: PathBuf,
}

impl Daemon {
    pub(super) fn new(run_folder: &Path, name: &str) -> Self {
        Self { note: run_folder.join(name).with_extension("json") }
    }

    /// Starts the program, apart from Ctrl-C and from our end, with its output in a file.
    pub(super) fn start(&self, mut command: Command, log: &Path) -> Result<()> {
        let output = File::create(log).with_context(|| format!("making {}", log.display()))?;
        command.process_group(0).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let mut child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
        let pid = child.id();
        // Without somebody who waits for it, an ended program would look alive for as long as we are.
        thread::spawn(move || child.wait());
        self.write(pid)
    }

    /// Notes that this very program is the one.
    pub(super) fn is_us(&self) -> Result<()> {
        self.write(std::process::id())
    }

    fn write(&self, pid: u32) -> Result<()> {
        let note = json!({ "process": pid, "began": began(pid) });
        fs::write(&self.note, note.to_string()).with_context(|| format!("writing {}", self.note.display()))
    }

    /// Whether there is a note, be the program still there or not.
    pub(super) fn is_noted(&self) -> bool {
        self.note.exists()
    }

    /// The number of the program, if it still runs.
    pub(super) fn process(&self) -> Option<u32> {
        let note: Value = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        let pid = u32::try_from(note["process"].as_u64()?).ok()?;
        (began(pid)? == note["began"].as_u64()?).then_some(pid)
    }

    /// Asks the program to end, insists after a while, and forgets it.
    pub(super) fn stop(&self, patience: Duration) -> Result<()> {
        if let Some(group) = self.process().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process_group(group, Signal::TERM);
            if !self.ends_within(patience) {
                let _ = kill_process_group(group, Signal::KILL);
                self.ends_within(patience);
            }
        }
        self.forget()
    }

    fn ends_within(&self, patience: Duration) -> bool {
        let asked = Instant::now();
        while self.process().is_some() {
            if asked.elapsed() > patience {
                return false;
            }
            thread::sleep(INTERVAL);
        }
        true
    }

    pub(super) fn forget(&self) -> Result<()> {
        match fs::remove_file(&self.note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.note.display()))
            }
            _ => Ok(()),
        }
    }
}

/// When a program began, in ticks since the machine did; nothing when it has ended.
fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in the second field may hold anything, so fields are counted from its closing bracket.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let zombie = *fields.first()? == "Z";
    if zombie { None } else { fields.get(19)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path, script: &str) -> Daemon {
        let daemon = Daemon::new(folder, "sleeper");
        let mut command = Command::new("sh");
        // The word tells that the trap is set.
        command.args(["-c", &format!("{script}; echo ready; while :; do sleep 1; done")]);
        let log = folder.join("log");
        daemon.start(command, &log).unwrap();
        while fs::read_to_string(&log).unwrap().is_empty() {
            thread::yield_now();
        }
        daemon
    }

    #[test]
    fn a_program_is_found_again_and_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = sleeper(folder.path(), ":");
        let again = Daemon::new(folder.path(), "sleeper");
        assert_eq!(again.process(), daemon.process());
        assert!(again.process().is_some());
        again.stop(Duration::from_secs(10)).unwrap();
        assert_eq!(daemon.process(), None);
        daemon.stop(Duration::ZERO).unwrap();
    }

    #[test]
    fn a_program_that_does_not_listen_is_ended_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = sleeper(folder.path(), "trap '' TERM");
        daemon.stop(Duration::from_millis(200)).unwrap();
        assert_eq!(daemon.process(), None);
    }

    #[test]
    fn a_number_that_belongs_to_another_program_by_now_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::new(folder.path(), "other");
        let us = std::process::id();
        let note = json!({ "process": us, "began": began(us).unwrap() + 1 });
        fs::write(folder.path().join("other.json"), note.to_string()).unwrap();
        assert_eq!(daemon.process(), None);
        // It would end this test.
        daemon.stop(Duration::ZERO).unwrap();
        assert!(!folder.path().join("other.json").exists());
    }
}
