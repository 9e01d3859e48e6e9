//! How the program ends: one code for each way, and which error means which.

use std::fmt;
use std::process::ExitCode;

use crate::aws::NotOurs;
use crate::record::Held;
use crate::resources::image::NothingRuns;
use crate::run::OutOfDate;
use crate::task_session::NoWayIn;
use config::problems::Problems;

/// The ways to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The plan has changes, and the caller asked to be told.
    Changes = 2,
    /// The input or the configuration is wrong.
    BadInput = 3,
    /// Refused for safety.
    Refused = 4,
}

impl Exit {
    /// The code for an error: what the user can mend by other input is not a failure of ours.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let is = |test: fn(&(dyn std::error::Error + 'static)) -> bool| error.chain().any(test);
        if is(|cause| {
            cause.is::<Problems>() || cause.is::<BadInput>() || cause.is::<NothingRuns>() || cause.is::<NoWayIn>()
        }) {
            Self::BadInput
        } else if is(|cause| {
            cause.is::<NotOurs>() || cause.is::<Refused>() || cause.is::<Held>() || cause.is::<OutOfDate>()
        }) {
            Self::Refused
        } else {
            Self::Failed
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Input that cannot be worked with, and what to give instead.
#[derive(Debug)]
pub(crate) struct BadInput(pub(crate) String);

/// Something that would be done against the user's interest, and how to insist.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for BadInput {}
impl std::error::Error for Refused {}
