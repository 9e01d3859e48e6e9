//! `[storage]`, `[images]` and `[logs]`: what is kept, and for how long.

use serde::Serialize;

use super::list;
use crate::reader::Reader;

/// The shared disk.
#[derive(Clone, Debug, Serialize)]
pub struct Storage {
    /// After how many days without use a file moves to infrequent access.
    pub transition_to_ia_days: Option<u16>,
}

impl Storage {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { transition_to_ia_days: transition(reader) }
    }
}

/// The image repository.
#[derive(Clone, Debug, Serialize)]
pub struct Images {
    /// How many images are kept.
    pub keep: u32,
}

impl Images {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { keep: reader.number("images.keep", 3..=1000) }
    }
}

/// The log.
#[derive(Clone, Debug, Serialize)]
pub struct Logs {
    /// For how many days lines are kept.
    pub retention_days: i32,
}

impl Logs {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { retention_days: retention(reader) }
    }
}

/// CloudWatch Logs accepts these and no others.
const RETENTIONS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn retention(reader: &mut Reader) -> i32 {
    let days = reader.number("logs.retention_days", 1..=3653);
    if !RETENTIONS.contains(&days) {
        let hint = format!("choose one of {}", list(&RETENTIONS.into()));
        reader.problem("logs.retention_days", format_args!("CloudWatch Logs cannot keep lines for {days} days"), hint);
    }
    days
}

/// EFS moves files after these many days and no others.
const TRANSITIONS: [u16; 8] = [1, 7, 14, 30, 60, 90, 180, 365];

fn transition(reader: &mut Reader) -> Option<u16> {
    let days = reader.number_or("storage.transition_to_ia_days", 0, 0..=365);
    if days != 0 && !TRANSITIONS.contains(&days) {
        let known = TRANSITIONS.map(|days| days.to_string()).join(", ");
        let hint = format!("choose one of {known}, or leave it out");
        reader.problem("storage.transition_to_ia_days", format_args!("EFS cannot move files after {days} days"), hint);
    }
    (days != 0).then_some(days)
}
