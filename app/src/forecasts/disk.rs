//! Forecasts on the disk that all tasks share: one file for a place and a day.
//!
//! A file that cannot be read counts as absent, and one that cannot be written is only logged. Files outlive their use
//! as forecasts, because the next day is compared with them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::domain::day::HourlyPoint;

/// For so many days forecasts are kept.
const DAYS: i64 = 8;

/// A forecast as it is written.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Stored {
    /// When it was fetched.
    pub(super) fetched: Timestamp,
    /// The hourly points.
    pub(super) points: Vec<HourlyPoint>,
}

/// The files of one source: sample days are not taken for real ones after a change of settings.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    /// The day for which old files were last removed.
    tidied: Mutex<Option<Date>>,
}

impl Disk {
    /// Uses a folder, which need not exist yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, tidied: Mutex::new(None) }
    }

    fn path(&self, (place, date): &Key) -> PathBuf {
        self.folder.join(format!("{date}-{place}.json"))
    }

    pub(super) async fn load(&self, key: &Key) -> Option<Stored> {
        let path = self.path(key);
        let text = tokio::fs::read(&path).await.ok()?;
        let stored = serde_json::from_slice(&text);
        if let Err(error) = &stored {
            tracing::warn!(path = %path.display(), %error, "a cached forecast cannot be read and is fetched again");
        }
        stored.ok()
    }

    pub(super) async fn store(&self, key: &Key, stored: &Stored) {
        if let Err(error) = crate::history::write_whole(&self.path(key), stored).await {
            tracing::warn!(place = key.0, %error, "a forecast could not be put on the shared disk");
        }
        let last = self.tidied.lock().expect("nobody panics with the date locked").replace(key.1);
        if last != Some(key.1) {
            self.tidy(key.1).await;
        }
    }

    /// Removes what is older than anything will be compared with; other tasks may do the same.
    async fn tidy(&self, today: Date) {
        let oldest = today.saturating_sub(Span::new().days(DAYS));
        let Ok(mut entries) = tokio::fs::read_dir(&self.folder).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let path = entry.path();
            if date_of(&path).is_some_and(|date| date < oldest)
                && let Err(error) = tokio::fs::remove_file(&path).await
            {
                tracing::debug!(path = %path.display(), %error, "an old forecast could not be removed");
            }
        }
    }
}

/// The day that a file is for, by its name.
fn date_of(path: &Path) -> Option<Date> {
    path.file_name()?.to_str()?.get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tempfile::TempDir;

    use super::*;

    fn stored() -> Stored {
        Stored { fetched: "2026-11-24T01:00:00Z".parse().unwrap(), points: Vec::new() }
    }

    #[tokio::test]
    async fn what_was_stored_is_there_for_another_task_and_what_is_broken_is_absent() {
        let folder = TempDir::new().unwrap();
        let disk = || Disk::new(folder.path().join("wxtech"));
        let key = ("東京".to_owned(), date(2026, 11, 25));
        assert_eq!(disk().load(&key).await, None);
        disk().store(&key, &stored()).await;
        assert_eq!(disk().load(&key).await, Some(stored()));
        for broken in ["", r#"{"fetched":"2026-11-24T01:0"#, "[]"] {
            std::fs::write(disk().path(&key), broken).unwrap();
            assert_eq!(disk().load(&key).await, None, "{broken:?}");
        }
    }

    #[tokio::test]
    async fn a_disk_that_refuses_costs_nobody_their_forecast() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("a file where the folder should be");
        std::fs::write(&file, "").unwrap();
        let (disk, key) = (Disk::new(file), ("東京".to_owned(), date(2026, 11, 25)));
        disk.store(&key, &stored()).await;
        assert_eq!(disk.load(&key).await, None);
    }

    #[tokio::test]
    async fn files_are_kept_for_eight_days_and_what_is_no_forecast_stays() {
        let folder = TempDir::new().unwrap();
        for name in ["2026-11-16-東京.json", "2026-11-16-東京.9-1.tmp", "2026-11-17-東京.json", "README", "札幌.json"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let disk = Disk::new(folder.path().to_owned());
        disk.store(&("東京".to_owned(), date(2026, 11, 25)), &stored()).await;
        let left = std::fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["2026-11-17-東京.json", "2026-11-25-東京.json", "README", "札幌.json"]);
    }
}
