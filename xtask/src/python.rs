//! Private Python environments, one for each part of this folder that is written in Python.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::toolchain::{self, Needs};
use crate::{child, workspace};

/// What the emulators and the standard library's safe unpacking of archives ask for.
const SUITABLE: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10, 12))";

pub(crate) fn check(needs: &mut Needs) {
    if !toolchain::runs("python3", &["-c", SUITABLE]) {
        needs.add("Python 3.10 or newer with venv", "sudo apt-get install python3 python3-venv");
    }
}

/// The stand-in for AWS of `deploy --local`.
pub(crate) const LOCAL: Part = Part("local");
/// The second opinion.
pub(crate) const MOTO: Part = Part("moto");

/// A folder of `xtask` with code in Python and the `requirements.txt` of it.
#[derive(Clone, Copy)]
pub(crate) struct Part(&'static str);

impl Part {
    pub(crate) fn source(self) -> PathBuf {
        workspace::root().join("xtask").join(self.0)
    }

    /// Installs what is written in `requirements.txt`, unless that has been done, and gives the interpreter.
    pub(crate) fn install(self) -> Result<PathBuf> {
        let folder = workspace::target().join(self.0).join("venv");
        let requirements = self.source().join("requirements.txt");
        let wanted = fs::read(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
        let interpreter = folder.join("bin/python");
        let done = folder.join("installed.txt");
        if fs::read(&done).is_ok_and(|installed| installed == wanted) && interpreter.exists() {
            return Ok(interpreter);
        }
        let shown = workspace::shown(&folder);
        eprintln!("{}: installing the emulator into {shown}, once, about 10 seconds", self.0);
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        child::run("making a Python environment", venv)?;
        let mut pip = Command::new(&interpreter);
        pip.args(["-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--requirement"]);
        pip.arg(requirements);
        child::run("installing the emulator", pip)?;
        fs::write(&done, wanted).with_context(|| format!("writing {}", done.display()))?;
        Ok(interpreter)
    }

    /// Runs a module of the part with its interpreter.
    pub(crate) fn module(self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.install()?);
        command.args(["-m", name]).current_dir(self.source()).env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(command)
    }
}
