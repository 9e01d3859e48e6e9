//! What was generated: one file a result, so that several tasks never touch the same one.
//!
//! A file's name says when, where, for which day and which pair. So every task learns what the others chose by
//! listing the folder, and reads nothing.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::rules::Rules;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::domain::recent::Recent;

/// Keeps results on the shared disk.
#[derive(Debug)]
pub struct History {
    folder: PathBuf,
    /// For so many days.
    days: u16,
    /// Distinguishes results of the same instant.
    count: AtomicU64,
    known: Mutex<Known>,
}

/// What is known of the last days.
#[derive(Debug, Default)]
struct Known {
    recent: Recent,
    /// The files that were taken in.
    seen: HashSet<String>,
    /// The file that last spoke of a place and day; whether an editor took what it says comes first.
    last: HashMap<(String, Date), (bool, String)>,
    looked: Option<Instant>,
    /// The day for which old folders were last removed.
    tidied: Option<Date>,
}

/// So often at most the folder is listed. Its time of change is not asked: network disks are late and coarse with it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl History {
    /// Uses a folder, which need not exist yet, and keeps results for so many days.
    pub fn new(folder: PathBuf, days: u16) -> Self {
        Self { folder, days, count: AtomicU64::new(0), known: Mutex::default() }
    }

    /// Keeps a result; a disk that is full or gone is logged and costs nobody their comment, and the pair rests anyway.
    pub async fn keep(&self, now: Timestamp, about: (&str, Date, &str), result: &impl Serialize) {
        if let Err(error) = self.write(now, about, "", result).await {
            tracing::warn!(%error, "a result could not be kept");
        }
    }

    /// Takes one of the alternatives that were last offered for a place and day, and tells whether it was offered. What an
    /// editor took counts as published, whatever is generated after.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn take(&self, now: Timestamp, (place, date, pair): (&str, Date, &str)) -> io::Result<bool> {
        let is_offer = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(read_name);
            name.is_some_and(|(of, day, _)| of == place && day == date)
        };
        // Who still has a page of before midnight (UTC) open was offered it then.
        for day in newest_first(&self.folder).await.into_iter().filter(|path| date_of(path).is_some()).take(2) {
            for file in newest_first(&day).await.into_iter().filter(is_offer) {
                let text = tokio::fs::read(&file).await.unwrap_or_default();
                let Ok(mut result) = serde_json::from_slice(&text) else { continue };
                if put_first(&mut result, pair).is_some() {
                    self.write(now, (place, date, pair), TAKEN, &result).await?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn write(
        &self,
        now: Timestamp,
        (place, date, pair): (&str, Date, &str),
        mark: &str,
        result: &impl Serialize,
    ) -> io::Result<()> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:013}-{}-{count:06}_{place}_{date}_{pair}{mark}.json", now.as_millisecond(), *PROCESS);
        let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
        let tidy = {
            let mut known = self.known.lock().await;
            known.take_in(&name);
            known.tidied.replace(today) != Some(today)
        };
        let written = write_whole(&self.folder.join(today.to_string()).join(name), result).await;
        if tidy {
            self.tidy(today).await;
        }
        written
    }

    /// Gives the pairs of the last days, so that they may rest: this task's, and what the others have written.
    pub async fn recent(&self) -> Recent {
        let mut known = self.known.lock().await;
        if known.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            // At first every day that rules look back to, then the one that others write to, also over midnight.
            let days = if known.looked.is_none() { usize::from(Rules::embedded().weights.days) + 2 } else { 2 };
            for day in newest_first(&self.folder).await.into_iter().filter(|path| date_of(path).is_some()).take(days) {
                for name in newest_first(&day).await.iter().filter_map(|path| path.file_name()?.to_str()) {
                    known.take_in(name);
                }
            }
            known.looked = Some(Instant::now());
        }
        known.recent.clone()
    }

    /// Reads the latest results, newest first; files that cannot be read are passed over.
    pub async fn latest(&self, limit: usize) -> Vec<Value> {
        let mut results = Vec::new();
        for day in newest_first(&self.folder).await {
            for file in newest_first(&day).await {
                if results.len() == limit {
                    return results;
                }
                let text = tokio::fs::read(&file).await.unwrap_or_default();
                match serde_json::from_slice(&text) {
                    Ok(result) => results.push(result),
                    Err(error) => tracing::warn!(file = %file.display(), %error, "a kept result cannot be read"),
                }
            }
        }
        results
    }

    /// Removes the days that are too old, whole folders at a time; other tasks may do the same.
    async fn tidy(&self, today: Date) {
        let oldest = today.saturating_sub(Span::new().days(self.days));
        for path in newest_first(&self.folder).await {
            if date_of(&path).is_some_and(|date| date < oldest)
                && let Err(error) = tokio::fs::remove_dir_all(&path).await
            {
                tracing::debug!(path = %path.display(), %error, "an old day could not be removed");
            }
        }
    }
}

impl Known {
    /// Learns from a file's name. Whatever order they are found in, the last result of a day is the one that counts.
    fn take_in(&mut self, name: &str) {
        let Some((place, date, pair)) = read_name(name) else { return };
        if !self.seen.insert(name.to_owned()) {
            return;
        }
        let word = (name.ends_with(&format!("{TAKEN}.json")), name.to_owned());
        let last = self.last.entry((place.to_owned(), date)).or_default();
        if word > *last {
            *last = word;
            self.recent.remember(place, date, pair);
        }
        let oldest = date.saturating_sub(Span::new().days(i64::from(Rules::embedded().weights.days)));
        if self.recent.forget_before(oldest) {
            self.last.retain(|(_, date), _| *date >= oldest);
            self.seen.retain(|name| read_name(name).is_some_and(|(_, date, _)| date >= oldest));
        }
    }
}

/// What a file's name says: the place, the day and the pair.
fn read_name(name: &str) -> Option<(&str, Date, &str)> {
    let mut parts = name.strip_suffix(".json")?.split('_').skip(1);
    let parts = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    parts.2.contains('-').then_some(parts)
}

/// At the end of the name of a result that an editor took.
const TAKEN: &str = "_taken";

/// Makes an alternative of a result its pair, and the pair an alternative; nothing if it is neither.
fn put_first(result: &mut Value, id: &str) -> Option<()> {
    let pair = result.get("pair")?.clone();
    if pair["id"] != id {
        let other = result.get_mut("alternatives")?.as_array_mut()?.iter_mut().find(|other| other["id"] == id)?;
        let taken = std::mem::replace(other, pair);
        result["comment"] = format!("{}\u{3000}{}", taken["weather"].as_str()?, taken["advice"].as_str()?).into();
        result["pair"] = taken;
    }
    result["chosen_by"] = "editor".into();
    Some(())
}

/// The day of a folder, by its name.
fn date_of(path: &Path) -> Option<Date> {
    path.file_name()?.to_str()?.parse().ok()
}

async fn newest_first(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    // No folder: nothing was kept yet.
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return paths };
    while let Ok(Some(entry)) = entries.next_entry().await {
        paths.push(entry.path());
    }
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths.retain(|path| path.extension().is_none_or(|extension| extension == "json"));
    paths
}

static WRITES: AtomicU64 = AtomicU64::new(0);

/// Tells this process's files from those of others on the same disk. Its number would not: in a container it is 1.
static PROCESS: LazyLock<String> = LazyLock::new(|| {
    use std::hash::{BuildHasher as _, Hasher as _};
    format!("{:016x}", std::hash::RandomState::new().build_hasher().finish())
});

/// Writes a file so that readers see all of it or none: aside, to the disk, then into place.
///
/// # Errors
/// When the disk refuses.
pub async fn write_whole(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let count = WRITES.fetch_add(1, Ordering::Relaxed);
    let aside = path.with_extension(format!("{}-{count}.tmp", *PROCESS));
    let mut file = tokio::fs::File::create(&aside).await?;
    file.write_all(&text).await?;
    file.sync_all().await?;
    tokio::fs::rename(&aside, path).await
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    fn history(folder: &TempDir) -> History {
        History::new(folder.path().join("comments"), 400)
    }

    async fn keep(history: &History, now: &str, place: &str, day: Date, pair: &str) {
        history.keep(now.parse().unwrap(), (place, day, pair), &json!({ "pair": pair })).await;
    }

    async fn resting(history: &History, place: &str, day: Date) -> Vec<String> {
        let recent = history.recent().await;
        recent.resting(Rules::embedded(), place, day).into_iter().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn the_pairs_of_the_last_days_are_known_after_a_restart_and_old_ones_forgotten() {
        let folder = TempDir::new().unwrap();
        keep(&history(&folder), "2026-05-02T12:00:00Z", "東京", date(2026, 5, 3), "w1-a1").await;
        let after = history(&folder);
        assert_eq!(resting(&after, "東京", date(2026, 5, 4)).await, ["w1-a1"]);
        keep(&after, "2026-05-19T12:00:00Z", "東京", date(2026, 5, 20), "w2-a2").await;
        assert_eq!(resting(&after, "東京", date(2026, 5, 21)).await, ["w2-a2"]);
        let known = after.known.lock().await;
        assert_eq!((known.seen.len(), known.last.len()), (1, 1), "what no rule asks for is not kept in memory");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_learns_what_the_others_chose_a_moment_ago_and_the_last_word_counts() {
        let folder = TempDir::new().unwrap();
        let (one, other) = (history(&folder), history(&folder));
        let (day, next) = (date(2026, 5, 4), date(2026, 5, 5));
        assert!(resting(&one, "東京", next).await.is_empty() && resting(&other, "東京", next).await.is_empty());
        keep(&other, "2026-05-03T12:00:00.500Z", "東京", day, "w2-a2").await;
        assert!(resting(&one, "東京", next).await.is_empty(), "it does not list the folder at every question");
        tokio::time::advance(LOOK_EVERY).await;
        assert_eq!(resting(&one, "東京", next).await, ["w2-a2"]);
        // Found later, but written before.
        keep(&other, "2026-05-03T11:00:00Z", "東京", day, "w1-a1").await;
        keep(&one, "2026-05-03T12:00:01Z", "大阪", day, "w3-a3").await;
        tokio::time::advance(LOOK_EVERY).await;
        for task in [&one, &other] {
            assert_eq!(resting(task, "東京", next).await, ["w2-a2"]);
            assert_eq!(resting(task, "大阪", next).await, ["w3-a3"]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_editor_takes_is_what_was_published_whatever_is_generated_after() {
        let folder = TempDir::new().unwrap();
        let (one, other) = (history(&folder), history(&folder));
        let (day, next) = (date(2026, 5, 4), date(2026, 5, 5));
        let pair = |id: &str| json!({ "id": id, "weather": format!("空{id}"), "advice": format!("服{id}") });
        let alternatives = [pair("w2-a2"), pair("w3-a3")];
        let offer = json!({ "pair": pair("w1-a1"), "alternatives": alternatives, "chosen_by": "rules" });
        let at = |time: &str| format!("2026-05-03T{time}Z").parse().unwrap();
        let take = async |time: &str, place: &str, id: &str| other.take(at(time), (place, day, id)).await.unwrap();
        assert!(!take("12:00:00", "東京", "w2-a2").await, "nothing was offered yet");
        one.keep(at("12:00:00"), ("東京", day, "w1-a1"), &offer).await;
        assert!(!take("12:00:01", "東京", "w9-a9").await && !take("12:00:01", "大阪", "w2-a2").await);
        assert!(take("12:00:01", "東京", "w2-a2").await);
        one.keep(at("12:00:02"), ("東京", day, "w1-a1"), &offer).await;
        tokio::time::advance(LOOK_EVERY).await;
        for task in [&one, &other, &history(&folder)] {
            assert_eq!(resting(task, "東京", next).await, ["w2-a2"]);
        }
        let taken = one.latest(2).await.pop().unwrap();
        assert_eq!(taken["comment"], "空w2-a2\u{3000}服w2-a2");
        assert_eq!((&taken["pair"], &taken["chosen_by"]), (&pair("w2-a2"), &json!("editor")));
        assert_eq!(taken["alternatives"], json!([pair("w1-a1"), pair("w3-a3")]));
        // Second thoughts.
        assert!(take("12:00:03", "東京", "w1-a1").await);
        tokio::time::advance(LOOK_EVERY).await;
        assert_eq!(resting(&one, "東京", next).await, ["w1-a1"]);
    }

    #[tokio::test]
    async fn whole_days_that_are_too_old_are_removed_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let comments = folder.path().join("comments");
        for name in ["2026-04-22", "2026-04-23", "2026-05-02", "notes"] {
            std::fs::create_dir_all(comments.join(name)).unwrap();
            std::fs::write(comments.join(name).join("1.json"), "{}").unwrap();
        }
        let history = History::new(comments.clone(), 10);
        keep(&history, "2026-05-03T12:00:00Z", "東京", date(2026, 5, 4), "w1-a1").await;
        let left = newest_first(&comments).await;
        let mut left: Vec<_> = left.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        left.sort_unstable();
        assert_eq!(left, ["2026-04-23", "2026-05-02", "2026-05-03", "notes"]);
        // Once a day is enough.
        std::fs::create_dir_all(comments.join("2026-04-01")).unwrap();
        keep(&history, "2026-05-03T13:00:00Z", "東京", date(2026, 5, 4), "w1-a1").await;
        assert!(comments.join("2026-04-01").exists());
        keep(&history, "2026-05-04T13:00:00Z", "東京", date(2026, 5, 5), "w1-a1").await;
        assert!(!comments.join("2026-04-01").exists());
    }

    #[test]
    fn a_name_says_where_for_which_day_and_what_or_nothing() {
        let name = "1764000000000-00ff-000001_東京_2026-11-25_w0001-a0002.json";
        assert_eq!(read_name(name), Some(("東京", date(2026, 11, 25), "w0001-a0002")));
        for other in [
            "1764000000000-1-000001.json",
            "1_東京_soon_w1-a1.json",
            "1_東京_2026-11-25_w1.json",
            "1_東京_2026-11-25_w1-a1.tmp",
        ] {
            assert_eq!(read_name(other), None, "{other}");
        }
    }
}
