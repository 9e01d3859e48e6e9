//! How a task ends: with its own code for what the user can mend, or with the code of the program it ran.

use std::fmt;

/// A signal that a shell reports as 128 and its number.
const INTERRUPTED: u8 = 130;

/// Something about the request or this machine stands in the way; the text says what to do.
#[derive(Debug)]
pub(crate) struct BadInput(pub(crate) String);

/// A program that was run for the user ended badly; it has said why.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) what: String,
    pub(crate) code: Option<i32>,
}

/// The user asked to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

/// The exit code for an error.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    if error.is::<BadInput>() {
        3
    } else if error.is::<Interrupted>() {
        INTERRUPTED
    } else {
        let failed = error.downcast_ref::<Failed>();
        failed.and_then(|failed| failed.code).and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} failed with exit code {code}", self.what),
            None => write!(f, "{} was ended by a signal", self.what),
        }
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for BadInput {}
impl std::error::Error for Failed {}
impl std::error::Error for Interrupted {}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_code_of_a_program_is_passed_on_also_from_below_a_context() {
        let failed = || Failed { what: "planning".to_owned(), code: Some(4) };
        assert_eq!(code(&failed().into()), 4);
        assert_eq!(code(&Err::<(), _>(failed()).context("deploying").unwrap_err()), 4);
    }

    #[test]
    fn input_signals_and_everything_else_have_their_own_codes() {
        assert_eq!(code(&BadInput("port".to_owned()).into()), 3);
        assert_eq!(code(&Interrupted.into()), 130);
        assert_eq!(code(&anyhow::anyhow!("broken")), 1);
        assert_eq!(code(&Failed { what: "it".to_owned(), code: None }.into()), 1);
    }
}
