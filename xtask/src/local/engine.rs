//! What runs the service's tasks: Docker, Podman, or nothing but processes.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};

use super::daemon::Daemon;
use crate::signals;
use crate::toolchain::{self, Needs};

/// What the user may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// The first of the others that is here and answers.
    #[default]
    Auto,
    /// The Docker engine that `docker` talks to.
    Docker,
    /// Podman, with storage and settings of its own.
    Podman,
    /// No container: the program out of the image, as a plain process.
    Process,
}

/// What runs tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Docker,
    Podman,
    Process,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Process => "process",
        })
    }
}

impl Engine {
    /// Settles on an engine, or notes what the wanted one lacks.
    pub(super) fn choose(choice: Choice, needs: &mut Needs) -> Self {
        // A client alone is no engine: it must answer.
        let answers = |program| toolchain::runs(program, &["info"]);
        match choice {
            Choice::Auto if answers("docker") => Self::Docker,
            Choice::Auto if answers("podman") && (!needs_runc() || has_runc()) => Self::Podman,
            Choice::Auto | Choice::Process => Self::Process,
            Choice::Docker => {
                if !answers("docker") {
                    needs.add("a Docker engine that answers `docker info`", "start it, or use --engine podman");
                }
                Self::Docker
            }
            Choice::Podman => {
                if !answers("podman") {
                    needs.add("Podman", "sudo apt-get install podman");
                } else if needs_runc() && !has_runc() {
                    needs.add("runc, for Podman's own runtime cannot work here", "sudo apt-get install runc");
                }
                Self::Podman
            }
        }
    }

    /// Whether this is what the user asks for.
    pub(super) fn satisfies(self, choice: Choice) -> bool {
        matches!(
            (choice, self),
            (Choice::Auto, _)
                | (Choice::Docker, Self::Docker)
                | (Choice::Podman, Self::Podman)
                | (Choice::Process, Self::Process)
        )
    }

    /// A sentence for people.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Docker => "tasks run as containers in Docker",
            Self::Podman => "tasks run as containers in Podman",
            Self::Process => {
                "no container engine is used: tasks run as plain processes, out of the pushed image, with the task \
                 definition's environment and secrets, but without its user, read-only root and limits"
            }
        }
    }

    /// Where the engine can be talked to, as `DOCKER_HOST` says it. A Podman is started for that.
    pub(super) fn address(self, podman: &Podman) -> Result<Option<String>> {
        match self {
            // The client may use another address than the usual one, by its context.
            Self::Docker => {
                Ok(Some(output_of("docker", &["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])?))
            }
            Self::Podman => podman.start().map(Some),
            Self::Process => Ok(None),
        }
    }
}

/// Removes the containers of a stand-in that was killed. Podman's are removed with its service.
pub(super) fn remove_docker_containers(emulator: &str) -> Result<()> {
    let label = format!("label=ministack.instance={emulator}");
    let left = output_of("docker", &["ps", "--all", "--quiet", "--filter", &label])?;
    for container in left.lines() {
        output_of("docker", &["rm", "--force", "--volumes", container])?;
    }
    Ok(())
}

fn output_of(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("running {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// With both generations of control groups mounted, crun refuses to work.
fn needs_runc() -> bool {
    !Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn has_runc() -> bool {
    toolchain::runs("runc", &["--version"])
}

/// A Podman of our own, which touches neither the user's containers nor their settings.
pub(super) struct Podman {
    folder: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    daemon: Daemon,
    registry_port: u16,
}

impl Podman {
    pub(super) fn new(local: &Path, registry_port: u16) -> Self {
        let run = local.join("run");
        Self {
            folder: local.join("podman"),
            socket: short(&run.join("podman.sock"), LONGEST_SOCKET),
            log: local.join("logs/podman.log"),
            daemon: Daemon::new(&run, "podman"),
            registry_port,
        }
    }

    fn start(&self) -> Result<String> {
        self.write_settings().with_context(|| format!("writing Podman's settings to {}", self.folder.display()))?;
        // Images come from the registry again.
        self.clean(&["image", "prune", "--all", "--force"]);
        let address = format!("unix://{}", self.socket.display());
        let mut service = self.command();
        // Not before the last of its clients has gone does it end by itself; we end it.
        // Said as the monitors of containers say it: what Podman refuses there, it refuses here, and aloud.
        service.arg("--runroot").arg(self.run_folder());
        service.args(["system", "service", "--time", "0", &address]);
        // A container that is ended for its memory leaves a note in this folder.
        service.current_dir(&self.folder);
        self.daemon.start(service, &self.log)?;
        while std::os::unix::net::UnixStream::connect(&self.socket).is_err() {
            if self.daemon.process().is_none() || signals::asked_to_stop() {
                bail!("podman does not serve its API; see {}", self.log.display());
            }
            signals::wait(Duration::from_millis(50));
        }
        Ok(address)
    }

    pub(super) fn stop(&self) -> Result<()> {
        self.daemon.stop(Duration::from_secs(10))?;
        if self.folder.exists() {
            self.clean(&["rm", "--all", "--force", "--time=0"]);
            self.end_orphans();
            let run = self.run_folder();
            if !run.starts_with(&self.folder) {
                // Nobody would look for it there.
                drop(fs::remove_dir_all(run));
            }
        }
        Ok(())
    }

    /// Best effort, also while we are being stopped: what is left does no harm but to take space.
    fn clean(&self, arguments: &[&str]) {
        let mut podman = self.command();
        podman.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        drop(podman.status());
    }

    /// A Podman that is killed while it stops a container can forget the container and leave it running.
    fn end_orphans(&self) {
        let ours = self.folder.join("root").display().to_string();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let folder = process.path();
            let command = fs::read(folder.join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command);
            // The monitor of a container ends after its only child.
            if command.contains("conmon") && command.contains(&ours) {
                let children = folder.join("task").join(process.file_name()).join("children");
                let children = fs::read_to_string(children).unwrap_or_default();
                let children = children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?));
                for child in children {
                    let _ = kill_process(child, Signal::KILL);
                }
            }
        }
    }

    fn command(&self) -> Command {
        let mut podman = Command::new("podman");
        podman
            .env("CONTAINERS_CONF", self.folder.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", self.folder.join("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", self.folder.join("registries.conf"));
        podman
    }

    fn run_folder(&self) -> PathBuf {
        short(&self.folder.join("run"), LONGEST_RUN_FOLDER)
    }

    fn write_settings(&self) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let folder = self.folder.display();
        // Podman wants to raise the limits of containers above ours, which is forbidden in some sandboxes.
        let mut containers = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n".to_owned();
        // Each health check of a container would leave a process behind for five minutes.
        containers += "[engine]\nexit_command_delay = 1\n";
        if needs_runc() {
            containers += "runtime = \"runc\"\n";
        }
        if !Path::new("/run/systemd/system").exists() {
            containers += "cgroup_manager = \"cgroupfs\"\n";
        }
        fs::write(self.folder.join("containers.conf"), containers)?;
        // Copying whole layers works everywhere, and ours are small.
        let run = self.run_folder();
        let storage =
            format!("[storage]\ndriver = \"vfs\"\ngraphroot = \"{folder}/root\"\nrunroot = \"{}\"\n", run.display());
        let file = self.folder.join("storage.conf");
        // Podman remembers where it kept things and refuses to keep them elsewhere.
        let root = self.folder.join("root");
        if root.exists() && fs::read_to_string(&file).is_ok_and(|before| before != storage) {
            fs::remove_dir_all(root)?;
        }
        fs::write(file, storage)?;
        let registry = format!("[[registry]]\nlocation = \"127.0.0.1:{}\"\ninsecure = true\n", self.registry_port);
        fs::write(self.folder.join("registries.conf"), registry)
    }
}

/// The name of a socket may have some hundred characters.
const LONGEST_SOCKET: usize = 100;
/// With a longer one, the command by which a container's monitor tells Podman of its end fails, and nobody hears of it:
/// ended containers stay "stopped" for ever.
const LONGEST_RUN_FOLDER: usize = 50;

/// A path, or one in the system's folder for what comes and goes if it is too long.
fn short(path: &Path, longest: usize) -> PathBuf {
    if path.as_os_str().len() <= longest {
        return path.to_owned();
    }
    let name = super::identity(path);
    let aside = std::env::temp_dir().join(&name);
    // Some have a deep folder for that, too.
    if aside.as_os_str().len() <= longest { aside } else { Path::new("/tmp").join(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_folder_makes_no_path_too_long() {
        let deep = Path::new("/").join("folder/".repeat(30));
        assert!(short(&deep, LONGEST_RUN_FOLDER).as_os_str().len() <= LONGEST_RUN_FOLDER);
        assert_ne!(short(&deep, LONGEST_RUN_FOLDER), short(&deep.join("another"), LONGEST_RUN_FOLDER));
        let shallow = Path::new("/target/local/run");
        assert_eq!(short(shallow, LONGEST_RUN_FOLDER), shallow);
    }

    #[test]
    fn processes_need_nothing() {
        let mut needs = Needs::default();
        assert_eq!(Engine::choose(Choice::Process, &mut needs), Engine::Process);
        needs.or_fail().unwrap();
    }

    #[test]
    fn a_running_stand_in_serves_who_asks_for_its_engine_or_for_any() {
        assert!(Engine::Podman.satisfies(Choice::Auto));
        assert!(Engine::Podman.satisfies(Choice::Podman));
        assert!(!Engine::Podman.satisfies(Choice::Docker));
    }
}
