//! The private Python environment of the stand-in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::toolchain::{self, Needs};
use crate::{child, workspace};

/// What the emulator and the standard library's safe unpacking of archives ask for.
const SUITABLE: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10, 12))";

pub(super) fn check(needs: &mut Needs) {
    if !toolchain::runs("python3", &["-c", SUITABLE]) {
        needs.add("Python 3.10 or newer with venv", "sudo apt-get install python3 python3-venv");
    }
}

/// The folder with our part of the stand-in.
pub(super) fn source() -> PathBuf {
    workspace::root().join("xtask/local")
}

/// Installs what is written in `requirements.txt`, unless that has been done, and gives the interpreter.
pub(super) fn install(folder: &Path) -> Result<PathBuf> {
    let requirements = source().join("requirements.txt");
    let wanted = fs::read(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let interpreter = folder.join("bin/python");
    let done = folder.join("installed.txt");
    if fs::read(&done).is_ok_and(|installed| installed == wanted) && interpreter.exists() {
        return Ok(interpreter);
    }
    eprintln!("local: installing the emulator into {}, once, about 10 seconds", workspace::shown(folder));
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(folder);
    child::run("making a Python environment", venv)?;
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    child::run("installing the emulator", pip)?;
    fs::write(&done, wanted).with_context(|| format!("writing {}", done.display()))?;
    Ok(interpreter)
}
