//! Colours, for those who read on a terminal; everybody else gets the same words without them.

use std::fmt::Display;

use clap::builder::styling::{AnsiColor, Style};

/// What a piece of text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something new, or something that went well.
    Good,
    /// Something that changes.
    Change,
    /// Something that goes away, or failed.
    Bad,
    /// Something that stands in the way.
    Blocked,
    /// What one may skip.
    Aside,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Change => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Blocked => AnsiColor::Red.on_default().bold(),
            Self::Aside => Style::new().dimmed(),
        }
    }
}

/// Puts colours on text, or leaves it plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text as it is.
    Plain,
    /// ANSI escapes around it.
    Coloured,
}

impl Paint {
    /// The text in the colour of its tone.
    pub fn on(self, tone: Tone, text: impl Display) -> String {
        let style = tone.style();
        match self {
            Self::Plain => text.to_string(),
            Self::Coloured => format!("{style}{text}{style:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is_and_coloured_text_ends_its_colour() {
        assert_eq!(Paint::Plain.on(Tone::Bad, "gone"), "gone");
        assert_eq!(Paint::Coloured.on(Tone::Blocked, "stop"), "\u{1b}[1m\u{1b}[31mstop\u{1b}[0m");
    }
}
