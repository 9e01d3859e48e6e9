//! Looks at the compiled program: an image without libraries can only start one that needs none.

use anyhow::{Context as _, Result, ensure};
use object::elf::{FileHeader64, PT_INTERP};
use object::endian::Endianness;
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::Architecture;

/// Refuses a program that would not start in the image.
pub(super) fn check(binary: &[u8], architecture: Architecture) -> Result<()> {
    let header = FileHeader64::<Endianness>::parse(binary).context("it is not a 64-bit ELF program")?;
    let endian = header.endian().context("its byte order is unknown")?;
    let machine = header.e_machine(endian);
    ensure!(
        machine == architecture.elf_machine(),
        "it is for another processor (ELF machine {machine:?}) than the image; build with --target {}",
        architecture.triple()
    );
    let segments = header.program_headers(endian, binary).context("its program headers are broken")?;
    ensure!(
        segments.iter().all(|segment| segment.p_type(endian) != PT_INTERP),
        "it is linked dynamically and would not find its libraries in the image; link it with +crt-static"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a static program without segments, for the given machine.
    fn program(machine: u8) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        header[16] = 3;
        header[18] = machine;
        header[52] = 64;
        header[54] = 56;
        header
    }

    #[test]
    fn a_static_program_for_the_right_processor_is_accepted() {
        check(&program(62), Architecture::X86_64).unwrap();
        check(&program(183), Architecture::Arm64).unwrap();
    }

    #[test]
    fn a_program_for_another_processor_is_refused() {
        let error = check(&program(183), Architecture::X86_64).unwrap_err().to_string();
        assert!(error.contains("another processor"), "{error}");
    }

    #[test]
    fn a_dynamic_program_is_refused() {
        // This very test is one.
        let test = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let architecture = if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 };
        let error = check(&test, architecture).unwrap_err().to_string();
        assert!(error.contains("linked dynamically"), "{error}");
    }

    #[test]
    fn a_script_is_refused() {
        assert!(check(b"#!/bin/sh\n", Architecture::X86_64).is_err());
    }
}
