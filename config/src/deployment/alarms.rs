//! `[alarms]`: when somebody is told.

use serde::Serialize;

use super::{Check, wrong};
use crate::reader::Reader;

/// When somebody is told.
#[derive(Clone, Debug, Serialize)]
pub struct Alarms {
    /// Who.
    pub email: Option<String>,
    /// When tasks use more of their CPU than this.
    pub cpu_percent: u8,
    /// When tasks use more of their memory than this.
    pub memory_percent: u8,
    /// When there are more errors of the service than this in five minutes.
    pub errors: u32,
    /// When one request in twenty takes longer than this.
    pub response_seconds: u16,
    /// When less than this share of the comments that were asked for could be made.
    pub success_percent: u8,
}

impl Alarms {
    /// `None` when they are switched off.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let enabled = reader.flag_or("alarms.enabled", true);
        let alarms = Self {
            email: reader.checked("alarms.email", email),
            cpu_percent: reader.number_or("alarms.cpu_percent", 90, 1..=100),
            memory_percent: reader.number_or("alarms.memory_percent", 90, 1..=100),
            errors: reader.number_or("alarms.errors", 10, 1..=1_000_000),
            response_seconds: reader.number_or("alarms.response_seconds", 10, 1..=240),
            success_percent: reader.number_or("alarms.success_percent", 95, 1..=100),
        };
        enabled.then_some(alarms)
    }
}

fn email(text: &str) -> Check {
    let shaped = text.split_once('@').is_some_and(|(who, place)| {
        !who.is_empty() && place.contains('.') && !place.contains('@') && !text.contains(char::is_whitespace)
    });
    if shaped { Ok(()) } else { wrong(format!("{text:?} is not an e-mail address"), "for example team@example.com") }
}
