//! The processors an image can be for, in the words of Rust, of OCI and of ELF.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::toolchain::Needs;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// Intel and AMD.
    #[default]
    #[value(name = "x86-64")]
    X86_64,
    /// AWS Graviton.
    Arm64,
}

impl Architecture {
    pub(super) fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The name in image configurations.
    pub(super) fn oci(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    pub(super) fn elf_machine(self) -> object::elf::Machine {
        match self {
            Self::X86_64 => object::elf::EM_X86_64,
            Self::Arm64 => object::elf::EM_AARCH64,
        }
    }

    /// Linking for Linux takes Linux's C library, and compiling takes the standard library of the processor.
    pub(super) fn check(self, needs: &mut Needs) -> Result<()> {
        if !cfg!(target_os = "linux") {
            needs.add("Linux to link the service for it", "build the image with the Dockerfile: docker build .");
            return Ok(());
        }
        let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", self.triple()]).output();
        let folder = asked.context("asking rustc for its standard library")?.stdout;
        if !Path::new(String::from_utf8_lossy(&folder).trim()).exists() {
            let add = format!("rustup target add {}", self.triple());
            needs.add(&format!("Rust's standard library for {}", self.triple()), &add);
        }
        Ok(())
    }
}
