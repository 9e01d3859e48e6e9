//! Where the words of the program go, and where answers come from; tests give it texts instead.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard};

/// Results go to the one stream, talk to the other.
pub struct Terminal {
    results: Mutex<Box<dyn Write + Send>>,
    talk: Mutex<Box<dyn Write + Send>>,
    answers: Mutex<Box<dyn BufRead + Send>>,
    /// Whether somebody sits there who can answer.
    interactive: bool,
    looks: Looks,
    /// Whether these are the streams of this process, whose echo can be switched off.
    of_process: bool,
}

/// What the streams can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Looks {
    colours_in_results: bool,
    colours_in_talk: bool,
    /// Whether what was written can be drawn over.
    lively: bool,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("interactive", &self.interactive).finish_non_exhaustive()
    }
}

impl Terminal {
    /// The streams of this process, with the values of `NO_COLOR` and `TERM`.
    pub fn of_process(no_color: Option<&OsStr>, term: Option<&OsStr>) -> Self {
        let able = term.is_some_and(|term| term != "dumb");
        let coloured = able && no_color.is_none_or(OsStr::is_empty);
        let looks = Looks {
            colours_in_results: coloured && std::io::stdout().is_terminal(),
            colours_in_talk: coloured && std::io::stderr().is_terminal(),
            lively: able && std::io::stderr().is_terminal(),
        };
        Self {
            results: Mutex::new(Box::new(std::io::stdout())),
            talk: Mutex::new(Box::new(std::io::stderr())),
            answers: Mutex::new(Box::new(std::io::BufReader::new(std::io::stdin()))),
            interactive: std::io::stdin().is_terminal(),
            looks,
            of_process: true,
        }
    }

    /// Any other streams.
    pub fn new(
        results: impl Write + Send + 'static,
        talk: impl Write + Send + 'static,
        answers: impl BufRead + Send + 'static,
        interactive: bool,
    ) -> Self {
        Self {
            results: Mutex::new(Box::new(results)),
            talk: Mutex::new(Box::new(talk)),
            answers: Mutex::new(Box::new(answers)),
            interactive,
            looks: Looks::default(),
            of_process: false,
        }
    }

    /// Writes what was asked for.
    pub(crate) fn print(&self, line: impl fmt::Display) {
        // Nobody reads on: the work is more important than its story.
        drop(writeln!(lock(&self.results), "{line}"));
    }

    /// Writes anything else.
    pub fn say(&self, line: impl fmt::Display) {
        drop(writeln!(lock(&self.talk), "{line}"));
    }

    /// Asks a question; without somebody to answer there is no answer.
    pub(crate) fn ask(&self, question: impl fmt::Display) -> Option<String> {
        if !self.interactive {
            return None;
        }
        self.say(question);
        let mut answer = String::new();
        lock(&self.answers).read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }

    /// Asks for something that must not appear on the screen.
    pub(crate) fn ask_secret(&self, question: impl fmt::Display) -> std::io::Result<String> {
        self.say(question);
        if self.of_process {
            return rpassword::read_password();
        }
        let mut answer = String::new();
        lock(&self.answers).read_line(&mut answer)?;
        Ok(answer)
    }

    /// Whether somebody sits there who can answer.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    pub(crate) fn results_have_colours(&self) -> bool {
        self.looks.colours_in_results
    }

    pub(crate) fn talk_has_colours(&self) -> bool {
        self.looks.colours_in_talk
    }

    /// Whether what was written can be drawn over.
    pub(crate) fn is_lively(&self) -> bool {
        self.looks.lively
    }

    /// Reads everything that is piped in.
    pub(crate) fn read_all(&self) -> std::io::Result<String> {
        let mut text = String::new();
        lock(&self.answers).read_to_string(&mut text)?;
        Ok(text)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
