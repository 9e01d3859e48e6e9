//! How many tests passed and failed, read from what test programs say at their end.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::child::Foreground;

/// How many tests passed and failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Runs tests to their end, passes on what they say, and counts; fails as they fail.
    pub(crate) fn of(&mut self, what: &str, mut tests: Command) -> Result<()> {
        tests.stdout(Stdio::piped());
        let mut running = Foreground::start(what, tests)?;
        let output = running.take_output().context("tests without output")?;
        for line in BufReader::new(output).lines() {
            let line = line.with_context(|| format!("{what}: reading its output"))?;
            println!("{line}");
            self.add(&line);
        }
        running.end(what)
    }

    /// Adds the closing line of one test program: `test result: ok. 5 passed; 0 failed; …` of those in Rust,
    /// `5 passed, 0 failed` of those in Python.
    fn add(&mut self, line: &str) {
        let words: Vec<_> = line.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
        let is_closing = match words.as_slice() {
            ["test", "result:", ..] => true,
            [passed, "passed", failed, "failed"] => [passed, failed].iter().all(|count| count.parse::<u64>().is_ok()),
            _ => false,
        };
        for pair in words.windows(2).filter(|_| is_closing) {
            match (pair[0].parse::<u64>(), pair[1]) {
                (Ok(count), "passed") => self.passed += count,
                (Ok(count), "failed") => self.failed += count,
                _ => (),
            }
        }
    }

    pub(crate) fn print(&self) {
        println!("{} passed, {} failed", self.passed, self.failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> Counts {
        let mut counts = Counts::default();
        lines.iter().for_each(|line| counts.add(line));
        counts
    }

    #[test]
    fn counts_are_summed_over_all_test_programs() {
        let rust = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        let failed = "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured";
        let counts = counted(&[rust, failed, "11 passed, 1 failed"]);
        assert_eq!(counts, Counts { passed: 18, failed: 4 });
    }

    #[test]
    fn what_only_looks_like_a_closing_line_is_not_counted() {
        let lines = ["test something ... ok", "it says 3 passed, 0 failed", "all passed, none failed", "2 skipped: x"];
        assert_eq!(counted(&lines), Counts::default());
    }

    #[test]
    fn tests_that_fail_are_counted_and_fail() {
        let mut counts = Counts::default();
        let mut tests = Command::new("sh");
        tests.args(["-c", "echo '4 passed, 2 failed'; exit 1"]);
        let error = counts.of("the tests", tests).unwrap_err();
        assert_eq!(error.to_string(), "the tests failed with exit code 1");
        assert_eq!(counts, Counts { passed: 4, failed: 2 });
    }
}
