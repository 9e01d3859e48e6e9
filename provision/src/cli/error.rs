//! How a run that could not be carried out ends, for programs.

use config::problems::Problems;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::exit::Exit;

/// Why nothing came of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Error {
    /// The exit code.
    code: u8,
    /// What went wrong, with its causes.
    message: String,
    /// What to do about it.
    hint: Option<String>,
    /// Each problem of the configuration, if that is what is wrong.
    problems: Vec<Problem>,
}

/// One problem of the configuration.
#[derive(Debug, Serialize, JsonSchema)]
struct Problem {
    /// The file, or where else the value came from.
    file: String,
    /// The line in the file.
    line: Option<usize>,
    /// The key, with its sections joined by dots.
    key: String,
    /// What is wrong with it.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Document for Error {
    const NAME: &'static str = "provision.error/1";
}

impl Error {
    pub(super) fn of(error: &anyhow::Error) -> Self {
        let problems = error.chain().find_map(|cause| cause.downcast_ref::<Problems>());
        let problems = problems.map_or_else(Vec::new, |problems| problems.0.iter().map(Problem::of).collect());
        Self { problems, ..Self::new(Exit::of(error), &format!("{error:#}")) }
    }

    /// Errors that people can mend end with what to do, after a semicolon.
    pub(super) fn new(exit: Exit, text: &str) -> Self {
        let split = text.rsplit_once("; ").filter(|_| exit != Exit::Failed);
        let (message, hint) = split.map_or((text, None), |(message, hint)| (message, Some(hint.to_owned())));
        Self { code: exit as u8, message: message.to_owned(), hint, problems: Vec::new() }
    }
}

impl Problem {
    fn of(problem: &config::problems::Problem) -> Self {
        let config::problems::Problem { file, line, key, message, hint } = problem.clone();
        Self { file, line, key, message, hint }
    }
}
