//! `[task]`: what one task is given.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::list;
use crate::reader::Reader;

/// The processor of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "X86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "ARM64")]
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "X86_64",
            Self::Arm64 => "ARM64",
        })
    }
}

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct Task {
    /// CPU units; 1024 are one vCPU.
    pub cpu: i32,
    /// Memory.
    pub memory_mib: i32,
    /// The processor.
    pub architecture: Architecture,
}

impl Task {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let task = Self {
            cpu: reader.number("task.cpu", 256..=16_384),
            memory_mib: reader.number("task.memory_mib", 512..=122_880),
            architecture: reader
                .choice("task.architecture", &[("X86_64", Architecture::X86_64), ("ARM64", Architecture::Arm64)]),
        };
        match fargate_memory(task.cpu) {
            None => reader.problem(
                "task.cpu",
                format_args!("Fargate has no size with {} CPU units", task.cpu),
                "choose 256, 512, 1024, 2048, 4096, 8192 or 16384",
            ),
            Some(sizes) if !sizes.contains(&task.memory_mib) => reader.problem(
                "task.memory_mib",
                format_args!("Fargate has no size with {} CPU units and {} MiB", task.cpu, task.memory_mib),
                format_args!("choose one of {}", list(&sizes)),
            ),
            Some(_) => (),
        }
        task
    }
}

/// The memory sizes that Fargate offers with a CPU size.
fn fargate_memory(cpu: i32) -> Option<BTreeSet<i32>> {
    let gib = |range: std::ops::RangeInclusive<i32>, step: usize| range.step_by(step).map(|gib| gib * 1024).collect();
    match cpu {
        256 => Some([512, 1024, 2048].into()),
        512 => Some(gib(1..=4, 1)),
        1024 => Some(gib(2..=8, 1)),
        2048 => Some(gib(4..=16, 1)),
        4096 => Some(gib(8..=30, 1)),
        8192 => Some(gib(16..=60, 4)),
        16_384 => Some(gib(32..=120, 8)),
        _ => None,
    }
}
