//! How one run talks: to people in words, to programs in JSON, and to either on the terminal it was given.

use std::fmt::Display;

use tokio::time::Instant;

use super::arguments::{Colour, Common, Output};
use super::document::{Document, written};
use super::event::{Line, What};
use super::github::{END_OF_GROUP, Level, annotation, group};
use super::terminal::{Room, Terminal};
use crate::paint::Paint;

/// The voice of one run.
#[derive(Debug)]
pub(crate) struct Voice<'a> {
    terminal: &'a Terminal,
    output: Output,
    colour: Colour,
    /// Whether GitHub reads along.
    annotated: bool,
    began: Instant,
}

impl<'a> Voice<'a> {
    pub(crate) fn new(terminal: &'a Terminal, common: &Common, annotated: bool) -> Self {
        let (output, colour) = (common.output, common.color);
        Self { terminal, output, colour, annotated: annotated && output == Output::Text, began: Instant::now() }
    }

    /// Writes results for people.
    pub(crate) fn print(&self, line: impl Display) {
        if self.is_for_people() {
            self.terminal.print(line);
        }
    }

    /// Writes results for programs.
    pub(super) fn document(&self, document: &impl Document) {
        if !self.is_for_people() {
            self.terminal.print(written(document));
        }
    }

    /// Says anything that is no result.
    pub(crate) fn say(&self, text: impl Display) {
        match self.output {
            Output::Text => self.terminal.say(text),
            Output::Json => self.event(What::Said { text: text.to_string() }),
        }
    }

    /// Says something that is a document for programs.
    pub(super) fn tell(&self, document: &impl Document, text: impl FnOnce(Paint) -> String) {
        match self.output {
            Output::Text => self.say(text(self.paint_of_talk())),
            Output::Json => self.terminal.say(written(document)),
        }
    }

    /// Tells programs what happens.
    pub(super) fn event(&self, what: What) {
        if !self.is_for_people() {
            self.terminal.say(written(&Line { at_seconds: self.seconds(), what }));
        }
    }

    /// Shows something at the top of a run on GitHub.
    pub(super) fn annotate(&self, level: Level, title: &str, text: impl Display) {
        if self.annotated {
            self.terminal.say(annotation(level, title, text));
        }
    }

    /// Begins words that GitHub folds.
    pub(super) fn open_group(&self, title: &str) {
        if self.annotated {
            self.terminal.say(group(title));
        }
    }

    /// Ends them.
    pub(super) fn close_group(&self) {
        if self.annotated {
            self.terminal.say(END_OF_GROUP);
        }
    }

    /// Asks a question; without somebody to answer there is no answer.
    pub(crate) fn ask(&self, question: impl Display) -> Option<String> {
        if self.is_for_people() { self.terminal.ask(question) } else { None }
    }

    /// Asks for something that must not appear on the screen.
    pub(crate) fn ask_secret(&self, question: impl Display) -> std::io::Result<String> {
        self.terminal.ask_secret(question)
    }

    /// Reads everything that is piped in.
    pub(crate) fn read_all(&self) -> std::io::Result<String> {
        self.terminal.read_all()
    }

    /// Whether what is read is typed.
    pub(crate) fn is_typed_at(&self) -> bool {
        self.terminal.is_interactive()
    }

    /// Whether somebody sits there who can answer.
    pub(crate) fn is_interactive(&self) -> bool {
        self.is_for_people() && self.terminal.is_interactive()
    }

    pub(crate) fn is_for_people(&self) -> bool {
        self.output == Output::Text
    }

    /// Whether what was written can be drawn over.
    pub(super) fn is_lively(&self) -> bool {
        self.is_for_people() && self.terminal.is_lively()
    }

    /// Seconds since the run began.
    pub(super) fn seconds(&self) -> f64 {
        // Milliseconds are enough for people and programs.
        (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }

    pub(super) fn paint_of_results(&self) -> Paint {
        self.paint(self.terminal.results_have_colours())
    }

    pub(super) fn paint_of_talk(&self) -> Paint {
        self.paint(self.terminal.talk_has_colours())
    }

    fn paint(&self, able: bool) -> Paint {
        match self.colour {
            Colour::Always => Paint::Coloured,
            Colour::Auto if able => Paint::Coloured,
            Colour::Auto | Colour::Never => Paint::Plain,
        }
    }

    /// Draws lines below all words, in place of those that were drawn before.
    pub(super) fn draw(&self, lines: impl FnOnce(Paint, Room) -> Vec<String>) {
        self.terminal.draw(lines(self.paint_of_talk(), self.terminal.room()));
    }
}
