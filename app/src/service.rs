//! Generating comments: one place, or a batch that shares its variety.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::corpus::Corpus;
use config::llm::Provider as Kind;
use config::places::{Place, Places};
use config::rules::Rules;
use futures::stream::{self, Stream, StreamExt as _};
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::domain::choice::{Choice, NoChoice, Request, choose, explain};
use crate::domain::day::{Day, target_date};
use crate::domain::decision::Verdict;
use crate::domain::outline::Outline;
use crate::domain::recent::Recent;
use crate::forecasts::{Forecast, Forecasts, From, Neighbour};
use crate::history::History;
use crate::judge::{self, Judge, Question};
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

/// What the workers that fetch the forecasts of batches do with their time, since the start.
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

/// What workers are busy with, until it ends in whatever way.
struct Spent {
    service: Arc<Service>,
    on: fn(&Busy) -> &AtomicU64,
    workers: u32,
    began: Instant,
}

impl Spent {
    fn begin(service: &Arc<Service>, on: fn(&Busy) -> &AtomicU64, workers: u32) -> Self {
        Self { service: Arc::clone(service), on, workers, began: Instant::now() }
    }
}

impl Drop for Spent {
    fn drop(&mut self) {
        let time = self.began.elapsed() * self.workers;
        (self.on)(&self.service.busy).fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
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
    /// The day as a whole.
    pub outline: Outline,
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
    /// The batch took too long.
    #[error("no forecast came within the {} s that a batch has; ask for this place again", LONGEST_BATCH.as_secs())]
    Late,
}

/// Why an alternative could not be taken.
#[derive(Debug, Error)]
pub enum NotTaken {
    /// The place is not in the table.
    #[error(transparent)]
    Place(#[from] NoComment),
    /// It could not be written down.
    #[error("the shared disk refuses: {0}")]
    Disk(#[from] std::io::Error),
}

fn did_you_mean(suggestions: &[&str]) -> String {
    if suggestions.is_empty() { String::new() } else { format!("; did you mean {}?", suggestions.join(", ")) }
}

/// A place with its day, from which a pair can be chosen.
struct Outlook {
    place: &'static Place,
    forecast: Forecast,
    day: Day,
    now: Timestamp,
}

/// A choice of the rules, which a judge may change.
struct Draft {
    outlook: Outlook,
    choice: Choice,
}

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
        let mut recent = self.history.recent().await;
        recent.begin(1);
        let draft = self.outlook(name, &BTreeSet::new()).await.and_then(|it| draft(it, exclude, &mut recent));
        let result = match draft {
            Ok(draft) => Ok(self.judged(draft, by, Instant::now() + LONGEST_BATCH).await),
            Err(error) => Err(error),
        };
        self.keep(&result).await;
        result
    }

    /// Takes an alternative for tomorrow's comment of a place, and tells whether it had been offered: it rests then in the
    /// next days, and not the pair that was generated.
    ///
    /// # Errors
    /// When the place is unknown, or the disk refuses.
    pub async fn take(&self, name: &str, pair: &str) -> Result<bool, NotTaken> {
        let (place, now) = (self.place(name)?, self.now());
        Ok(self.history.take(now, (&place.name, target_date(now), pair)).await?)
    }

    /// Explains why a phrase or a pair, by its number, is kept or refused for a place.
    ///
    /// # Errors
    /// When the place is unknown or there is no forecast; `None` when there is no such phrase.
    pub async fn explain(&self, name: &str, id: &str) -> Result<Option<Verdict>, NoComment> {
        let Outlook { place, day, .. } = self.outlook(name, &BTreeSet::new()).await?;
        let (exclude, recent) = (BTreeSet::new(), self.history.recent().await);
        let request = Request { place, day: &day, seed: 0, exclude: &exclude, recent: &recent };
        Ok(explain(Corpus::embedded(), &request, id))
    }

    /// Makes comments for many places, in the order of the question.
    ///
    /// Forecasts and judges are waited for side by side, but pairs are chosen one after another in the order in which
    /// the places were asked for: what a place is given depends on those before it, never on whose forecast was
    /// quicker. A result leaves as soon as those before it have left. When the time of a batch is over, places without
    /// a forecast fail, and the others keep what the rules chose: nobody loses a whole batch.
    pub fn batch(
        self: Arc<Self>,
        names: Vec<String>,
        by: By,
    ) -> impl Stream<Item = (String, Result<Comment, NoComment>)> {
        let begun = async move {
            let mut recent = self.history.recent().await;
            recent.begin(names.len());
            (self, names, recent)
        };
        stream::once(begun).flat_map(move |(service, names, recent)| service.in_order(names, recent, by))
    }

    fn in_order(
        self: Arc<Self>,
        names: Vec<String>,
        recent: Recent,
        by: By,
    ) -> impl Stream<Item = (String, Result<Comment, NoComment>)> {
        let all = names.len().max(1);
        let late = Instant::now() + LONGEST_BATCH;
        let batch: Arc<BTreeSet<String>> = Arc::new(names.iter().cloned().collect());
        // Whoever is late holds back what is shown, but not the work: only the permits limit that.
        let permits = || Arc::new(Semaphore::new(self.workers));
        let (fetching, judging, keeping) = (permits(), permits(), permits());
        let number = u32::try_from(self.workers.min(all)).unwrap_or(u32::MAX);
        let there = Spent::begin(&self, |busy| &busy.there_ms, number);
        let looked = stream::iter(names).map({
            let service = Arc::clone(&self);
            move |name| {
                let (service, batch, fetching) = (Arc::clone(&service), Arc::clone(&batch), Arc::clone(&fetching));
                async move {
                    let look = async {
                        let _permit = fetching.acquire().await;
                        let _work = Spent::begin(&service, |busy| &busy.work_ms, 1);
                        service.outlook(&name, &batch).await
                    };
                    let outlook = timeout_at(late, look).await.unwrap_or(Err(NoComment::Late));
                    (name, outlook)
                }
            }
        });
        let published = recent.clone();
        let drafted = looked.buffered(all).scan(recent, |recent, (name, outlook)| {
            let draft = outlook.and_then(|outlook| draft(outlook, &BTreeSet::new(), recent));
            std::future::ready(Some((name, draft)))
        });
        let judged = drafted.map({
            let service = Arc::clone(&self);
            move |(name, draft)| {
                let (service, judging) = (Arc::clone(&service), Arc::clone(&judging));
                async move {
                    let _permit = judging.acquire().await;
                    match draft {
                        Ok(draft) => (name, Ok(service.judged(draft, by, late).await)),
                        Err(error) => (name, Err(error)),
                    }
                }
            }
        });
        let settled = judged.buffered(all).scan(published, |published, (name, mut result)| {
            if let Ok(comment) = &mut result {
                comment.settle(published);
            }
            std::future::ready(Some((name, result)))
        });
        let kept = settled.map(move |(name, result)| {
            let (service, keeping) = (Arc::clone(&self), Arc::clone(&keeping));
            async move {
                let _permit = keeping.acquire().await;
                service.keep(&result).await;
                (name, result)
            }
        });
        // They are there until the batch ends in whatever way.
        kept.buffered(all).inspect(move |_| _ = &there)
    }

    /// Looks at a place's day; what is asked for `together` lends no forecasts.
    async fn outlook(&self, name: &str, together: &BTreeSet<String>) -> Result<Outlook, NoComment> {
        let now = self.now();
        let place = self.place(name)?;
        let date = target_date(now);
        let forecast = self.forecasts.get(place, date, now, together).await?;
        let before = self.forecasts.day_before(place, date).await;
        let day = Day::of(date, &forecast.points).compared_with(before.as_deref().unwrap_or_default());
        Ok(Outlook { place, forecast, day, now })
    }

    /// Lets a judge take another of the best pairs, if there is time; whoever chose is named.
    async fn judged(&self, draft: Draft, by: By, late: Instant) -> Comment {
        let Draft { outlook: Outlook { place, forecast, day, now }, choice } = draft;
        let mut comment = Comment {
            location: place.name.clone(),
            comment: choice.pair.text(),
            outline: day.outline(),
            weather_source: self.forecasts.source(),
            found: forecast.from,
            neighbour: forecast.neighbour,
            stale: forecast.stale,
            chosen_by: RULES,
            passed_over: Vec::new(),
            generated_at: now,
            choice,
            day,
        };
        let (Some(judge), true) = (&self.judge, by != By::Rules) else { return comment };
        let pairs: Vec<_> = std::iter::once(&comment.choice.pair).chain(&comment.choice.alternatives).collect();
        let wanted = if let By::Provider(kind) = by { Some(kind) } else { None };
        let question = Question { place: &place.name, day: &comment.day, pairs: &pairs };
        // Without time left nobody is even asked.
        let verdict =
            if Instant::now() < late { timeout_at(late, judge.choose(&question, wanted)).await.ok() } else { None };
        let verdict = verdict.unwrap_or_else(|| judge::Verdict { chosen: None, passed_over: vec![NO_TIME.to_owned()] });
        let candidates = pairs.len();
        comment.passed_over = verdict.passed_over;
        if let Some((kind, index)) = verdict.chosen {
            comment.choice.reasons.push(format!("{}が候補{candidates}件から選択", kind.word()));
            comment.chosen_by = kind.word();
            comment.take(index);
        }
        comment
    }

    /// Counts a result, and keeps it.
    async fn keep(&self, result: &Result<Comment, NoComment>) {
        let counter = match result {
            Ok(_) => &self.made,
            Err(NoComment::UnknownPlace { .. }) => &self.refused,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if let Ok(comment) = result {
            let about = (comment.location.as_str(), comment.day.date, comment.choice.pair.id.as_str());
            self.history.keep(comment.generated_at, about, comment).await;
        }
    }
}

/// Chooses by the rules, and takes down what was used.
fn draft(outlook: Outlook, exclude: &BTreeSet<String>, recent: &mut Recent) -> Result<Draft, NoComment> {
    let Outlook { place, day, now, .. } = &outlook;
    let seed = now.as_second().unsigned_abs() / SEED_LASTS_SECONDS;
    let choice = choose(Corpus::embedded(), &Request { place, day, seed, exclude, recent })?;
    recent.note(&place.name, day.date, &choice.pair.id);
    Ok(Draft { outlook, choice })
}

impl Comment {
    /// Takes one of the candidates: the pair itself is number 0, the alternatives follow.
    fn take(&mut self, index: usize) {
        let Choice { pair, alternatives, .. } = &mut self.choice;
        if let Some(other) = index.checked_sub(1).and_then(|index| alternatives.get_mut(index)) {
            std::mem::swap(pair, other);
        }
        self.comment = self.choice.pair.text();
    }

    /// Judges do not know of each other: a pair that has had its share of the batch goes to the next best.
    fn settle(&mut self, published: &mut Recent) {
        let rules = Rules::embedded();
        let spent = |id: &str| published.is_spent(rules, id);
        if spent(&self.choice.pair.id)
            && let Some(next) = self.choice.alternatives.iter().position(|pair| !spent(&pair.id))
        {
            self.take(next + 1);
            self.choice.reasons.push("同じ組み合わせが続くため次の候補に変更".to_owned());
        }
        published.note(&self.location, self.day.date, &self.choice.pair.id);
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

/// A batch ends within this, well before the server gives its request up.
pub const LONGEST_BATCH: Duration = Duration::from_secs(100);

const NO_TIME: &str = "the time of the batch was over";

/// For so long the same question has the same answer; an editor who reloads sees the same page.
const SEED_LASTS_SECONDS: u64 = 3600;

#[cfg(test)]
pub(crate) mod tests;
