//! Generating comments: one place, or a batch that shares its variety.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::corpus::Corpus;
use config::llm::Provider as Kind;
use config::places::{Place, Places};
use futures::stream::{self, Stream, StreamExt as _};
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;
use tokio::time::Instant;

use crate::domain::choice::{Choice, NoChoice, Request, choose, explain, kept};
use crate::domain::day::{Day, target_date};
use crate::domain::decision::Verdict;
use crate::domain::recent::Recent;
use crate::forecasts::{Forecasts, From, Neighbour};
use crate::history::History;
use crate::judge::{Judge, Question};
use crate::weather::WeatherError;

/// Everything that handlers use.
pub struct Service {
    /// The forecasts.
    pub forecasts: Forecasts,
    /// Who chooses among what the rules leave, if anybody does.
    pub judge: Option<Judge>,
    /// What was generated.
    pub history: History,
    /// How many places of a batch are worked on at the same time.
    pub workers: usize,
    /// A fixed time instead of the clock's.
    pub fixed_now: Option<Timestamp>,
    /// How many comments were made.
    pub made: AtomicU64,
    /// How many could not be made.
    pub failed: AtomicU64,
    /// How many were asked for a place that does not exist.
    pub refused: AtomicU64,
    /// What the workers of batches do with their time.
    pub busy: Busy,
}

/// What the workers of batches do with their time, since the start.
#[derive(Debug, Default)]
pub struct Busy {
    work_ms: AtomicU64,
    there_ms: AtomicU64,
}

impl Busy {
    /// How long they worked, all together.
    pub fn work(&self) -> Duration {
        Duration::from_millis(self.work_ms.load(Ordering::Relaxed))
    }

    /// How long they were there.
    pub fn there(&self) -> Duration {
        Duration::from_millis(self.there_ms.load(Ordering::Relaxed))
    }
}

fn add(to: &AtomicU64, time: Duration) {
    to.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// The workers of one batch, until it ends in whatever way.
struct Workers {
    service: Arc<Service>,
    number: u32,
    began: Instant,
}

impl Drop for Workers {
    fn drop(&mut self) {
        add(&self.service.busy.there_ms, self.began.elapsed() * self.number);
    }
}

/// A comment with what it was made from.
#[derive(Clone, Debug, Serialize)]
pub struct Comment {
    /// Where.
    pub location: String,
    /// Both halves on one line.
    pub comment: String,
    /// The choice, with alternatives and reasons.
    #[serde(flatten)]
    pub choice: Choice,
    /// The day and its slots.
    pub day: Day,
    /// Where the forecast comes from.
    pub weather_source: &'static str,
    /// Which layer it was found in.
    pub found: From,
    /// Whose forecast it is, if that of a place nearby.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbour: Option<Neighbour>,
    /// Whether the forecast is older than it should be.
    pub stale: bool,
    /// Who chose: `rules`, or a language model's provider.
    pub chosen_by: &'static str,
    /// Which judges were passed over, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
    /// When.
    pub generated_at: Timestamp,
}

/// Why there is no comment.
#[derive(Clone, Debug, Error)]
pub enum NoComment {
    /// The place is not in the table.
    #[error("place {name:?} is not known{}", did_you_mean(.suggestions))]
    UnknownPlace {
        /// What was asked for.
        name: String,
        /// What might have been meant.
        suggestions: Vec<&'static str>,
    },
    /// There is no forecast.
    #[error(transparent)]
    Weather(#[from] WeatherError),
    /// The rules leave nothing.
    #[error(transparent)]
    Rules(#[from] NoChoice),
}

fn did_you_mean(suggestions: &[&str]) -> String {
    if suggestions.is_empty() { String::new() } else { format!("; did you mean {}?", suggestions.join(", ")) }
}

/// What a batch has used already.
type Used = Arc<Mutex<Recent>>;

impl Service {
    /// The time that everything goes by.
    pub fn now(&self) -> Timestamp {
        self.fixed_now.unwrap_or_else(Timestamp::now)
    }

    /// Finds a place.
    ///
    /// # Errors
    /// When it is not in the table, with what might have been meant.
    pub fn place(&self, name: &str) -> Result<&'static Place, NoComment> {
        let places = Places::embedded();
        places.get(name).ok_or_else(|| NoComment::UnknownPlace {
            // What somebody typed goes back to them, but not without end.
            name: name.chars().take(50).collect(),
            suggestions: places.suggest(name),
        })
    }

    /// Makes a comment for one place.
    ///
    /// # Errors
    /// When the place is unknown, there is no forecast, or the rules leave nothing.
    pub async fn generate(&self, name: &str, exclude: &BTreeSet<String>, by: By) -> Result<Comment, NoComment> {
        let used = self.begin(1).await;
        self.make(name, exclude, by, &used).await
    }

    /// Explains why a phrase or a pair, by its number, is kept or refused for a place.
    ///
    /// # Errors
    /// When the place is unknown or there is no forecast; `None` when there is no such phrase.
    pub async fn explain(&self, name: &str, id: &str) -> Result<Option<Verdict>, NoComment> {
        let now = self.now();
        let place = self.place(name)?;
        let date = target_date(now);
        let day = Day::of(date, &self.forecasts.get(place, date, now).await?.points);
        let (exclude, recent) = (BTreeSet::new(), self.history.recent().await);
        let request = Request { place, day: &day, seed: 0, exclude: &exclude, recent: &recent };
        Ok(explain(Corpus::embedded(), &request, id))
    }

    /// Begins a batch: what was used in the last days rests, and what it uses itself.
    async fn begin(&self, places: usize) -> Used {
        let mut recent = self.history.recent().await;
        recent.begin(places);
        Used::new(Mutex::new(recent))
    }

    /// Makes comments for many places, in the order in which they are ready.
    pub fn batch(
        self: Arc<Self>,
        names: Vec<String>,
        by: By,
    ) -> impl Stream<Item = (String, Result<Comment, NoComment>)> {
        let begun = async move {
            let used = self.begin(names.len()).await;
            (self, names, used)
        };
        stream::once(begun).flat_map(move |(service, names, used)| {
            let workers = service.workers;
            let number = u32::try_from(workers.min(names.len())).unwrap_or(u32::MAX);
            let there = Workers { service: Arc::clone(&service), number, began: Instant::now() };
            stream::iter(names)
                .map(move |name| {
                    let (service, used) = (Arc::clone(&there.service), Arc::clone(&used));
                    async move {
                        let began = Instant::now();
                        let result = service.make(&name, &BTreeSet::new(), by, &used).await;
                        add(&service.busy.work_ms, began.elapsed());
                        (name, result)
                    }
                })
                .buffer_unordered(workers)
        })
    }

    /// Lets a judge take another of the best pairs; whoever chose is named.
    async fn judge(&self, place: &Place, day: &Day, choice: &mut Choice, by: By) -> (&'static str, Vec<String>) {
        let (Some(judge), true) = (&self.judge, by != By::Rules) else { return (RULES, Vec::new()) };
        let pairs: Vec<_> = std::iter::once(&choice.pair).chain(&choice.alternatives).collect();
        let wanted = if let By::Provider(kind) = by { Some(kind) } else { None };
        let verdict = judge.choose(&Question { place: &place.name, day, pairs: &pairs }, wanted).await;
        let Some((kind, index)) = verdict.chosen else { return (RULES, verdict.passed_over) };
        if let Some(taken) = index.checked_sub(1) {
            std::mem::swap(&mut choice.pair, &mut choice.alternatives[taken]);
        }
        choice.reasons.push(format!("{}が候補{}件から選択", kind.word(), choice.alternatives.len() + 1));
        (kind.word(), verdict.passed_over)
    }

    async fn make(&self, name: &str, exclude: &BTreeSet<String>, by: By, used: &Used) -> Result<Comment, NoComment> {
        let result = self.try_to_make(name, exclude, by, used).await;
        let counter = match result {
            Ok(_) => &self.made,
            Err(NoComment::UnknownPlace { .. }) => &self.refused,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if let Ok(comment) = &result {
            self.history.keep(comment.generated_at, comment).await;
            self.history.note(&comment.location, comment.day.date, &comment.choice.pair.id).await;
        }
        result
    }

    async fn try_to_make(
        &self,
        name: &str,
        exclude: &BTreeSet<String>,
        by: By,
        used: &Used,
    ) -> Result<Comment, NoComment> {
        let now = self.now();
        let place = self.place(name)?;
        let date = target_date(now);
        let forecast = self.forecasts.get(place, date, now).await?;
        let before = self.forecasts.day_before(place, date).await;
        let day = Day::of(date, &forecast.points).compared_with(before.as_deref().unwrap_or_default());
        let mut choice = {
            let mut used = used.lock().expect("nobody panics while choosing");
            let seed = now.as_second().unsigned_abs() / SEED_LASTS_SECONDS;
            let request = Request { place, day: &day, seed, exclude, recent: &used };
            let choice = choose(Corpus::embedded(), &request)?;
            used.note(&place.name, date, &choice.pair.id);
            choice
        };
        let (chosen_by, passed_over) = self.judge(place, &day, &mut choice, by).await;
        if chosen_by != RULES {
            let mut used = used.lock().expect("nobody panics while choosing");
            used.note(&place.name, date, &choice.pair.id);
            choice.decisions.kept = kept(Corpus::embedded(), place, &day, &choice.pair.id);
        }
        Ok(Comment {
            location: place.name.clone(),
            comment: choice.pair.text(),
            choice,
            day,
            weather_source: self.forecasts.source(),
            found: forecast.from,
            neighbour: forecast.neighbour,
            stale: forecast.stale,
            chosen_by,
            passed_over,
            generated_at: now,
        })
    }
}

/// Who is to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Whoever is preferred: a language model if there is one.
    #[default]
    Preferred,
    /// This one, and the others only if it fails.
    Provider(Kind),
    /// The rules alone.
    Rules,
}

const RULES: &str = "rules";

/// For so long the same question has the same answer; an editor who reloads sees the same page.
const SEED_LASTS_SECONDS: u64 = 3600;
