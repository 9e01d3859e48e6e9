//! What the corpus consists of, in tables for its authors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use enumset::{EnumSet, EnumSetType};

use super::{Corpus, Phrase, Season, Sky, Theme};

/// Writes sizes and distributions.
pub fn report(corpus: &Corpus) -> String {
    let mut report = format!(
        "{} comments, {} advices, {} in all\n\n",
        corpus.weather.len(),
        corpus.advice.len(),
        corpus.weather.len() + corpus.advice.len()
    );
    lengths(corpus, &mut report);
    usage(corpus, &mut report);
    by(corpus, &mut report, "sky", |phrase| words(phrase.skies, Sky::word));
    by(corpus, &mut report, "season", |phrase| words(phrase.seasons, Season::word));
    by(corpus, &mut report, "theme", |phrase| words(phrase.themes, Theme::word));
    by(corpus, &mut report, "caution", |phrase| vec![phrase.caution.to_string()]);
    by(corpus, &mut report, "tone", |phrase| vec![format!("{:+}", phrase.tone)]);
    report
}

fn words<T: EnumSetType>(set: EnumSet<T>, word: fn(T) -> &'static str) -> Vec<String> {
    if set.is_empty() { vec!["(any)".to_owned()] } else { set.into_iter().map(|it| word(it).to_owned()).collect() }
}

fn line(report: &mut String, cells: std::fmt::Arguments<'_>) {
    writeln!(report, "{cells}").expect("a text takes more text");
}

fn lengths(corpus: &Corpus, report: &mut String) {
    let count = |phrases: &[Phrase], length| phrases.iter().filter(|it| it.text.chars().count() == length).count();
    line(report, format_args!("{:<14}{:>8}{:>8}", "characters", "comment", "advice"));
    for length in 3..=12 {
        line(
            report,
            format_args!("{length:<14}{:>8}{:>8}", count(&corpus.weather, length), count(&corpus.advice, length)),
        );
    }
    report.push('\n');
}

/// The shape of the weights: editors use a few phrases very often.
fn usage(corpus: &Corpus, report: &mut String) {
    line(report, format_args!("{:<14}{:>8}{:>8}", "usage", "comment", "advice"));
    let sides = [&corpus.weather, &corpus.advice].map(|phrases| {
        let mut weights: Vec<_> = phrases.iter().map(|phrase| phrase.weight).collect();
        weights.sort_unstable();
        weights
    });
    for (name, percent) in [("least", 0), ("median", 50), ("nine in ten", 90), ("most", 100)] {
        let [comment, advice] = &sides;
        let at = |weights: &[u32]| weights.get((weights.len().saturating_sub(1)) * percent / 100).copied().unwrap_or(0);
        line(report, format_args!("{name:<14}{:>8}{:>8}", at(comment), at(advice)));
    }
    report.push('\n');
}

fn by(corpus: &Corpus, report: &mut String, name: &str, of: impl Fn(&Phrase) -> Vec<String>) {
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for (side, phrases) in [&corpus.weather, &corpus.advice].into_iter().enumerate() {
        for word in phrases.iter().flat_map(&of) {
            counts.entry(word).or_default()[side] += 1;
        }
    }
    line(report, format_args!("{name:<14}{:>8}{:>8}", "comment", "advice"));
    for (word, [comment, advice]) in counts {
        line(report, format_args!("{word:<14}{comment:>8}{advice:>8}"));
    }
    report.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_every_phrase_once_by_caution() {
        let corpus = Corpus::embedded();
        let report = report(corpus);
        let table = report.split("caution").nth(1).unwrap().split("\n\n").next().unwrap();
        let advices: usize =
            table.lines().skip(1).map(|row| row.split_whitespace().nth(2).unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(advices, corpus.advice.len());
    }
}
