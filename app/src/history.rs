//! What was generated: one file a result, so that several tasks never touch the same one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use config::rules::Rules;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::OnceCell;

use crate::domain::recent::Recent;

/// Keeps results on the shared disk.
#[derive(Debug)]
pub struct History {
    folder: PathBuf,
    /// Distinguishes results of the same instant.
    count: AtomicU64,
    /// The pairs of the last days, read from the folder once.
    recent: OnceCell<Mutex<Recent>>,
}

/// So many results are read for the pairs of the last days: a week of the whole country, twice a day.
const READ_FOR_RECENT: usize = 2000;

impl History {
    /// Uses a folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, count: AtomicU64::new(0), recent: OnceCell::new() }
    }

    /// Keeps a result; a disk that is full or gone is logged and costs nobody their comment.
    pub async fn keep(&self, now: Timestamp, result: &impl Serialize) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let day = now.strftime("%Y-%m-%d").to_string();
        // Tasks share the disk, and the process's number is part of what tells their files apart.
        let name = format!("{:013}-{}-{count:06}.json", now.as_millisecond(), std::process::id());
        if let Err(error) = write_whole(&self.folder.join(day).join(name), result).await {
            tracing::warn!(%error, "a result could not be kept");
        }
    }

    /// Gives the pairs of the last days, so that they may rest.
    pub async fn recent(&self) -> Recent {
        self.known_pairs().await.lock().expect("nobody panics with the pairs locked").clone()
    }

    /// Takes down a pair for the days to come.
    pub async fn note(&self, place: &str, date: Date, pair: &str) {
        let pairs = self.known_pairs().await;
        let mut pairs = pairs.lock().expect("nobody panics with the pairs locked");
        pairs.remember(place, date, pair);
        let week = jiff::Span::new().days(i64::from(Rules::embedded().weights.days));
        pairs.forget_before(date.saturating_sub(week));
    }

    async fn known_pairs(&self) -> &Mutex<Recent> {
        let read = async {
            let mut recent = Recent::default();
            // Oldest first, because the last pair of a day is the one that was published.
            for result in self.latest(READ_FOR_RECENT).await.iter().rev() {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let (place, pair) = (text(&result["location"]), text(&result["pair"]["id"]));
                let date = text(&result["day"]["date"]).and_then(|date| date.parse().ok());
                if let (Some(place), Some(date), Some(pair)) = (place, date, pair) {
                    recent.remember(&place, date, &pair);
                }
            }
            Mutex::new(recent)
        };
        self.recent.get_or_init(|| read).await
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
    let aside = path.with_extension(format!("{}-{count}.tmp", std::process::id()));
    let mut file = tokio::fs::File::create(&aside).await?;
    file.write_all(&text).await?;
    file.sync_all().await?;
    tokio::fs::rename(&aside, path).await
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_pairs_of_the_last_days_are_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let before = History::new(folder.path().to_owned());
        let result = json!({"location": "東京", "day": {"date": "2026-05-03"}, "pair": {"id": "w1-a1"}});
        before.keep("2026-05-02T12:00:00Z".parse().unwrap(), &result).await;
        let after = History::new(folder.path().to_owned());
        let day = date(2026, 5, 4);
        assert_eq!(after.recent().await.resting(Rules::embedded(), "東京", day), ["w1-a1"]);
        after.note("東京", date(2026, 5, 20), "w2-a2").await;
        assert_eq!(after.recent().await.resting(Rules::embedded(), "東京", date(2026, 5, 21)), ["w2-a2"]);
    }
}
