//! Forecasts through two caches: in memory, and as files on the disk that all tasks share.
//!
//! One fetch at a time for a key; an old forecast beats an error and is marked as stale; a file
//! that cannot be read counts as absent, and one that cannot be written is only logged.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use config::places::{Place, Places};
use jiff::Timestamp;
use jiff::civil::Date;
use lru::LruCache;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use crate::domain::day::HourlyPoint;
use crate::weather::{Source, Upstream, WeatherError};

/// A forecast, and how it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The hourly points.
    pub points: Arc<Vec<HourlyPoint>>,
    /// Where it was found.
    pub from: From,
    /// Whether it is older than it should be.
    pub stale: bool,
}

/// Where a forecast was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// In memory.
    Memory,
    /// On the shared disk.
    File,
    /// In memory, under the name of a place nearby.
    Neighbour,
    /// At the source.
    Source,
}

/// How often each layer answered, since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// In memory.
    pub memory: AtomicU64,
    /// On the shared disk.
    pub file: AtomicU64,
    /// Nearby.
    pub neighbour: AtomicU64,
    /// At the source.
    pub source: AtomicU64,
    /// Not at all.
    pub failed: AtomicU64,
    /// With an old forecast, because the source failed.
    pub stale: AtomicU64,
}

/// What is written to the disk.
#[derive(Deserialize, Serialize)]
struct Stored {
    fetched: Timestamp,
    points: Vec<HourlyPoint>,
}

struct Remembered {
    points: Arc<Vec<HourlyPoint>>,
    since: Instant,
}

/// How long forecasts are used, and where they are kept.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many are remembered.
    pub entries: NonZeroUsize,
    /// For how long they are remembered.
    pub memory_ttl: Duration,
    /// For how long a file is used.
    pub file_ttl: Duration,
    /// The folder for the files.
    pub folder: PathBuf,
    /// Within how many kilometres another place's forecast may serve.
    pub radius_km: f64,
}

type Key = (String, Date);

/// The forecasts.
pub struct Forecasts {
    source: Source,
    limits: Limits,
    memory: Mutex<LruCache<Key, Remembered>>,
    under_way: Mutex<HashMap<Key, Arc<AsyncMutex<()>>>>,
    /// How often each layer answered.
    pub counts: Counts,
}

impl Forecasts {
    /// Makes empty caches over a source.
    pub fn new(source: Source, limits: Limits) -> Self {
        let memory = Mutex::new(LruCache::new(limits.entries));
        Self { source, limits, memory, under_way: Mutex::default(), counts: Counts::default() }
    }

    /// The name of the source.
    pub fn source(&self) -> &'static str {
        self.source.name()
    }

    /// The service that the source asks over the network, if it does.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.source.upstream()
    }

    /// Gives the forecast of a place for a day, from wherever it is nearest.
    ///
    /// # Errors
    /// When the source fails and nothing older is known either.
    pub async fn get(&self, place: &Place, date: Date, now: Timestamp) -> Result<Forecast, WeatherError> {
        let key = (place.name.clone(), date);
        if let Some(points) = self.remembered(&key) {
            return Ok(self.found(points, From::Memory, false));
        }
        let turn = self.turn(&key);
        let result = {
            let _turn = turn.lock().await;
            self.fetch_in_turn(&key, place, now).await
        };
        self.end_turn(&key, turn);
        result
    }

    async fn fetch_in_turn(&self, key: &Key, place: &Place, now: Timestamp) -> Result<Forecast, WeatherError> {
        // Whoever was before in the queue has fetched it.
        if let Some(points) = self.remembered(key) {
            return Ok(self.found(points, From::Memory, false));
        }
        let stored = self.load(key).await;
        if let Some(stored) = &stored
            && now.duration_since(stored.fetched).unsigned_abs() < self.limits.file_ttl
        {
            let points = self.remember(key, stored.points.clone());
            return Ok(self.found(points, From::File, false));
        }
        if let Some(points) = self.nearby(place, key.1) {
            return Ok(self.found(points, From::Neighbour, false));
        }
        match (self.source.fetch(place, key.1, now).await, stored) {
            (Ok(points), _) => {
                self.store(key, &Stored { fetched: now, points: points.clone() }).await;
                let points = self.remember(key, points);
                Ok(self.found(points, From::Source, false))
            }
            (Err(error), Some(old)) => {
                tracing::warn!(place = key.0, %error, "using an old forecast");
                Ok(self.found(Arc::new(old.points), From::File, true))
            }
            (Err(error), None) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    fn found(&self, points: Arc<Vec<HourlyPoint>>, from: From, stale: bool) -> Forecast {
        let counter = match (stale, from) {
            (true, _) => &self.counts.stale,
            (false, From::Memory) => &self.counts.memory,
            (false, From::File) => &self.counts.file,
            (false, From::Neighbour) => &self.counts.neighbour,
            (false, From::Source) => &self.counts.source,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Forecast { points, from, stale }
    }

    /// The nearest place's forecast that is remembered, if it is near enough and its weather is of the same kind: the
    /// sea makes another one.
    fn nearby(&self, place: &Place, date: Date) -> Option<Arc<Vec<HourlyPoint>>> {
        let others = Places::embedded().all().iter().filter(|other| {
            other.name != place.name
                && other.coastal == place.coastal
                && other.distance_km(place) <= self.limits.radius_km
        });
        let mut others: Vec<_> = others.collect();
        others.sort_by(|a, b| a.distance_km(place).total_cmp(&b.distance_km(place)));
        others.into_iter().find_map(|other| self.remembered(&(other.name.clone(), date)))
    }

    fn remembered(&self, key: &Key) -> Option<Arc<Vec<HourlyPoint>>> {
        let mut memory = self.memory.lock().expect("nobody panics with the memory locked");
        let remembered = memory.get(key)?;
        (remembered.since.elapsed() < self.limits.memory_ttl).then(|| Arc::clone(&remembered.points))
    }

    fn remember(&self, key: &Key, points: Vec<HourlyPoint>) -> Arc<Vec<HourlyPoint>> {
        let points = Arc::new(points);
        let remembered = Remembered { points: Arc::clone(&points), since: Instant::now() };
        self.memory.lock().expect("nobody panics with the memory locked").put(key.clone(), remembered);
        points
    }

    fn turn(&self, key: &Key) -> Arc<AsyncMutex<()>> {
        let mut under_way = self.under_way.lock().expect("nobody panics with the queue locked");
        Arc::clone(under_way.entry(key.clone()).or_default())
    }

    /// The last one in the queue takes it away.
    fn end_turn(&self, key: &Key, turn: Arc<AsyncMutex<()>>) {
        let mut under_way = self.under_way.lock().expect("nobody panics with the queue locked");
        drop(turn);
        if under_way.get(key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            under_way.remove(key);
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        // By source, or sample days would be taken for real ones after a change of settings.
        self.limits.folder.join(self.source()).join(format!("{}-{}.json", key.1, key.0))
    }

    async fn load(&self, key: &Key) -> Option<Stored> {
        let path = self.path(key);
        let text = tokio::fs::read(&path).await.ok()?;
        let stored = serde_json::from_slice(&text);
        if let Err(error) = &stored {
            tracing::warn!(path = %path.display(), %error, "a cached forecast cannot be read and is fetched again");
        }
        stored.ok()
    }

    async fn store(&self, key: &Key, stored: &Stored) {
        if let Err(error) = crate::history::write_whole(&self.path(key), stored).await {
            tracing::warn!(place = key.0, %error, "a forecast could not be put on the shared disk");
        }
    }
}
