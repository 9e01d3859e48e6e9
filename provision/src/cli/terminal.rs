//! Where the words of the program go, and where answers come from; tests give it texts instead.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard};

use console::{Term, measure_text_width};

/// Results go to the one stream, talk to the other.
pub struct Terminal {
    results: Mutex<Box<dyn Write + Send>>,
    talk: Mutex<Talk>,
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

/// The room that a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// How many lines.
    pub(crate) rows: usize,
    /// How many letters in each.
    pub(crate) columns: usize,
}

/// The stream for talk, and the lines that are drawn below everything that was said.
///
/// The cursor waits below them at the beginning of a line, so that whatever else is written there (`^C`, the prompt
/// of a shell after a sudden end) does no harm, and goes with the next drawing.
struct Talk {
    stream: Box<dyn Write + Send>,
    drawn: Vec<String>,
}

impl Talk {
    /// Draws lines in place of those that were drawn, below more words if there are any.
    ///
    /// It is one write, and without words nothing is cleared before it is written over: so nothing flickers.
    fn draw(&mut self, words: &str, lines: Vec<String>, columns: usize) {
        // On a terminal that became narrower since, what was drawn takes more rows.
        let rows = |line: &String| measure_text_width(line).div_ceil(columns.max(1)).max(1);
        let up: usize = self.drawn.iter().map(rows).sum();
        let mut text = if up == 0 { String::new() } else { format!("\x1b[{up}A\r") };
        if !words.is_empty() {
            text.extend(["\x1b[J", words, "\n"]);
        }
        for line in &lines {
            text.extend([line, "\x1b[K\n"]);
        }
        text.push_str("\x1b[J");
        self.drawn = lines;
        // Nobody reads on: the work is more important than its story.
        drop(self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()));
    }
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
            talk: Mutex::new(Talk { stream: Box::new(std::io::stderr()), drawn: Vec::new() }),
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
            talk: Mutex::new(Talk { stream: Box::new(talk), drawn: Vec::new() }),
            answers: Mutex::new(Box::new(answers)),
            interactive,
            looks: Looks::default(),
            of_process: false,
        }
    }

    /// Writes what was asked for.
    pub(crate) fn print(&self, line: impl fmt::Display) {
        let mut talk = lock(&self.talk);
        // Both streams may end on the same screen.
        let drawn = talk.drawn.clone();
        if !drawn.is_empty() {
            talk.draw("", Vec::new(), self.room().columns);
        }
        drop(writeln!(lock(&self.results), "{line}"));
        if !drawn.is_empty() {
            talk.draw("", drawn, self.room().columns);
        }
    }

    /// Writes anything else.
    pub fn say(&self, line: impl fmt::Display) {
        let mut talk = lock(&self.talk);
        if talk.drawn.is_empty() {
            drop(writeln!(talk.stream, "{line}"));
        } else {
            let drawn = talk.drawn.clone();
            talk.draw(&line.to_string(), drawn, self.room().columns);
        }
    }

    /// Draws lines below everything that was and will be said, in place of those that were drawn before.
    pub(crate) fn draw(&self, lines: Vec<String>) {
        lock(&self.talk).draw("", lines, self.room().columns);
    }

    /// How large the terminal is now; it may change at any time.
    pub(crate) fn room(&self) -> Room {
        let (rows, columns) = Term::stderr().size();
        Room { rows: rows.into(), columns: columns.into() }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A terminal's screen, as far as drawing needs one: it wraps, and knows up, return, and two ways to clear.
    #[derive(Default)]
    struct Screen {
        columns: usize,
        rows: Vec<String>,
        row: usize,
        column: usize,
    }

    impl Screen {
        fn read(&mut self, text: &str) {
            let mut rest = text;
            while let Some(letter) = rest.chars().next() {
                rest = &rest[letter.len_utf8()..];
                match letter {
                    '\n' => (self.row, self.column) = (self.row + 1, 0),
                    '\r' => self.column = 0,
                    '\x1b' => rest = self.obey(rest),
                    letter => self.put(letter),
                }
                self.rows.resize(self.rows.len().max(self.row + 1), String::new());
            }
        }

        fn obey<'a>(&mut self, text: &'a str) -> &'a str {
            let end = text.find(char::is_alphabetic).unwrap();
            let number = text[1..end].parse().unwrap_or(1);
            match &text[end..=end] {
                "A" => self.row = self.row.saturating_sub(number),
                // In the last column, the letter under the cursor goes, too.
                "K" => self.rows[self.row].truncate(self.column.min(self.columns - 1)),
                "J" => {
                    self.rows[self.row].truncate(self.column);
                    self.rows.truncate(self.row + 1);
                }
                other => panic!("the screen does not know {other}"),
            }
            &text[end + 1..]
        }

        fn put(&mut self, letter: char) {
            self.rows.resize(self.rows.len().max(self.row + 1), String::new());
            if self.column == self.columns {
                (self.row, self.column) = (self.row + 1, 0);
                self.rows.resize(self.rows.len().max(self.row + 1), String::new());
            }
            let row = &mut self.rows[self.row];
            let (before, after) = row.split_at(self.column.min(row.len()));
            *row = format!("{before}{letter}{}", after.get(1..).unwrap_or_default());
            self.column += 1;
        }

        /// Becomes narrower, as terminals do that fold what they show anew.
        fn fold(&mut self, columns: usize) {
            let rows = std::mem::take(&mut self.rows);
            *self = Self { columns, ..Self::default() };
            self.read(&rows.join("\n"));
        }
    }

    /// A stream to a screen that the test looks at.
    #[derive(Clone, Default)]
    struct Wire(Arc<Mutex<Screen>>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            lock(&self.0).read(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Wire {
        fn shows(&self) -> String {
            lock(&self.0).rows.join("\n")
        }
    }

    fn talk(columns: usize) -> (Wire, Talk) {
        let wire = Wire(Arc::new(Mutex::new(Screen { columns, ..Screen::default() })));
        (wire.clone(), Talk { stream: Box::new(wire), drawn: Vec::new() })
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_is_drawn_stays_below_what_is_said_and_leaves_nothing_behind() {
        let (wire, mut talk) = talk(80);
        talk.draw("", lines(&["2 running", "the first, for long", "the second"]), 80);
        assert_eq!(wire.shows(), "2 running\nthe first, for long\nthe second\n");
        talk.draw("the second is done", lines(&["1 running", "the first"]), 80);
        assert_eq!(wire.shows(), "the second is done\n1 running\nthe first\n");
        talk.draw("", Vec::new(), 80);
        assert_eq!(wire.shows(), "the second is done\n");
    }

    #[test]
    fn what_somebody_types_meanwhile_goes_with_the_next_drawing() {
        let (wire, mut talk) = talk(80);
        talk.draw("", lines(&["1 running"]), 80);
        lock(&wire.0).read("^C");
        talk.draw("interrupted", lines(&["1 running"]), 80);
        assert_eq!(wire.shows(), "interrupted\n1 running\n");
    }

    #[test]
    fn a_terminal_that_becomes_narrower_keeps_no_piece_of_what_was_drawn() {
        let (wire, mut talk) = talk(20);
        talk.draw("", lines(&["0123456789", "abcdefghijklmno", "short"]), 20);
        lock(&wire.0).fold(8);
        talk.draw("", lines(&["now"]), 8);
        assert_eq!(wire.shows(), "now\n");
    }

    #[test]
    fn words_that_fill_the_terminal_are_not_clipped() {
        let (wire, mut talk) = talk(10);
        talk.draw("", lines(&["1 running", "a"]), 10);
        talk.draw("0123456789ABCDE\n0123456789", lines(&["1 running"]), 10);
        assert_eq!(wire.shows(), "0123456789\nABCDE\n0123456789\n1 running\n");
    }

    #[test]
    fn where_nothing_is_drawn_there_are_no_escapes() {
        let wire = Wire::default();
        lock(&wire.0).columns = 80;
        Terminal::new(std::io::sink(), wire.clone(), std::io::empty(), false).say("words");
        assert_eq!(wire.shows(), "words\n");
    }
}
