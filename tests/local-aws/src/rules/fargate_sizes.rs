//! Fargate has a table of processor and memory sizes that go together.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// CPU units, then the least and the most memory in MiB, and the step between.
const SIZES: [(u32, u32, u32, u32); 6] = [
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") {
        return FINE;
    }
    let number = |field: &str| call.text(field).parse::<u32>().unwrap_or_default();
    let (cpu, memory) = (number("cpu"), number("memory"));
    let smallest = cpu == 256 && [512, 1024, 2048].contains(&memory);
    let fits = SIZES.iter().any(|(size, least, most, step)| {
        cpu == *size && (*least..=*most).contains(&memory) && (memory - least).is_multiple_of(*step)
    });
    if smallest || fits { FINE } else { no("ClientException", "No Fargate configuration exists for given values.") }
}
