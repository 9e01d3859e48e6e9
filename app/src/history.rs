//! What was generated: one file a result, so that several tasks never touch the same one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

/// Keeps results on the shared disk.
#[derive(Debug)]
pub struct History {
    folder: PathBuf,
    /// Distinguishes results of the same instant.
    count: AtomicU64,
}

impl History {
    /// Uses a folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, count: AtomicU64::new(0) }
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
