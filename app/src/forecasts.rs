//! Forecasts through three caches: in memory, as files on the disk that all tasks share, and of places nearby.
//!
//! One fetch at a time for a key; an old forecast beats an error and is marked as stale.

mod disk;
mod turns;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use config::places::{Place, Places};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use lru::LruCache;
use serde::Serialize;
use tokio::time::Instant;

use crate::domain::day::{Day, HOURS, HourlyPoint};
use crate::weather::{Source, Upstream, WeatherError};
use disk::{Disk, Stored};
use turns::Turns;

/// A forecast, and how it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The hourly points.
    pub points: Arc<Vec<HourlyPoint>>,
    /// Where it was found.
    pub from: From,
    /// Whose forecast it is, if another place's.
    pub neighbour: Option<Neighbour>,
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
    /// In memory or on the disk, under the name of a place nearby.
    Neighbour,
    /// At the source.
    Source,
}

/// A place nearby whose forecast serves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub place: &'static str,
    /// How far it is, in tenths of a kilometre.
    pub distance_km: f64,
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
    /// With an old forecast, because the source failed, or left out hours that the old one has.
    pub stale: AtomicU64,
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

/// No forecast is taken from a place so many metres higher or lower: that is more than a degree.
const STEEPEST: f64 = 200.0;

/// The forecasts.
pub struct Forecasts {
    source: Source,
    limits: Limits,
    memory: Mutex<LruCache<Key, Remembered>>,
    disk: Disk,
    turns: Turns<Key>,
    /// How often each layer answered.
    pub counts: Counts,
}

impl Forecasts {
    /// Makes empty caches over a source.
    pub fn new(source: Source, limits: Limits) -> Self {
        let memory = Mutex::new(LruCache::new(limits.entries));
        let disk = Disk::new(limits.folder.join(source.name()));
        Self { source, limits, memory, disk, turns: Turns::default(), counts: Counts::default() }
    }

    /// The name of the source.
    pub fn source(&self) -> &'static str {
        self.source.name()
    }

    /// The service that the source asks over the network, if it does.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.source.upstream()
    }

    /// Gives the forecast of a place for a day, from wherever it is nearest; not from the neighbours in `alone`, which
    /// are being asked for at the same time, so that it would depend on who is first.
    ///
    /// # Errors
    /// When the source fails and nothing older is known either.
    pub async fn get(
        &self,
        place: &Place,
        date: Date,
        now: Timestamp,
        alone: &BTreeSet<String>,
    ) -> Result<Forecast, WeatherError> {
        let key = (place.name.clone(), date);
        if let Some(points) = self.remembered(&key) {
            return Ok(self.found(points, From::Memory));
        }
        let ticket = self.turns.ticket(&key);
        let _turn = ticket.turn().await;
        // Whoever was before in the queue has fetched it.
        if let Some(points) = self.remembered(&key) {
            return Ok(self.found(points, From::Memory));
        }
        let stored = self.disk.load(&key).await;
        if let Some(stored) = &stored
            && self.is_fresh(stored, now)
        {
            return Ok(self.found(self.remember(&key, stored.points.clone()), From::File));
        }
        let mut neighbours = self.neighbours(place);
        neighbours.retain(|neighbour| !alone.contains(neighbour.place));
        if let Some(forecast) = self.nearby(&neighbours, date, now).await {
            return Ok(forecast);
        }
        match self.source.fetch(place, date, now).await {
            Ok(points) => {
                let slots = |points: &[HourlyPoint]| Day::of(date, points).slots.len();
                // One with holes serves only while it is remembered, and never in place of a fuller one.
                if slots(&points) == HOURS.len() {
                    self.disk.store(&key, &Stored { fetched: now, points: points.clone() }).await;
                } else if let Some(fuller) = stored.filter(|stored| slots(&stored.points) > slots(&points)) {
                    return Ok(self.old(&"the new one lacks hours of the day", fuller, From::File, None));
                }
                Ok(self.found(self.remember(&key, points), From::Source))
            }
            Err(error) => self.anything_older(stored, &neighbours, date, error).await,
        }
    }

    /// What was forecast for the day before, if that is still known.
    pub async fn day_before(&self, place: &Place, date: Date) -> Option<Vec<HourlyPoint>> {
        let before = date.checked_sub(Span::new().days(1)).ok()?;
        Some(self.disk.load(&(place.name.clone(), before)).await?.points)
    }

    /// The places near enough whose weather is of the same kind, nearest first: the sea makes another weather, and so
    /// does a mountain.
    fn neighbours(&self, place: &Place) -> Vec<Neighbour> {
        let others = Places::embedded().all().iter();
        let others = others.filter(|other| {
            let level = other.climb(place).is_none_or(|metres| metres <= STEEPEST);
            other.name != place.name && other.coastal == place.coastal && level
        });
        let mut others: Vec<_> = others.map(|other| (other, other.distance_km(place))).collect();
        others.retain(|(_, distance)| *distance <= self.limits.radius_km);
        others.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let tenths = |distance: f64| (distance * 10.0).round() / 10.0;
        others.into_iter().map(|(it, distance)| Neighbour { place: &it.name, distance_km: tenths(distance) }).collect()
    }

    /// The forecast of the nearest neighbour that has a fresh one, in memory or on the disk.
    async fn nearby(&self, neighbours: &[Neighbour], date: Date, now: Timestamp) -> Option<Forecast> {
        for neighbour in neighbours {
            let key = (neighbour.place.to_owned(), date);
            let mut points = self.remembered(&key);
            if points.is_none() {
                let stored = self.disk.load(&key).await.filter(|stored| self.is_fresh(stored, now));
                points = stored.map(|stored| self.remember(&key, stored.points));
            }
            if let Some(points) = points {
                return Some(Forecast { neighbour: Some(*neighbour), ..self.found(points, From::Neighbour) });
            }
        }
        None
    }

    /// An old forecast beats an error: the place's own, or the nearest neighbour's.
    async fn anything_older(
        &self,
        own: Option<Stored>,
        neighbours: &[Neighbour],
        date: Date,
        error: WeatherError,
    ) -> Result<Forecast, WeatherError> {
        let mut old = own.map(|own| (own, From::File, None));
        for neighbour in neighbours {
            if old.is_none() {
                let stored = self.disk.load(&(neighbour.place.to_owned(), date)).await;
                old = stored.map(|stored| (stored, From::Neighbour, Some(*neighbour)));
            }
        }
        let Some((old, from, neighbour)) = old else {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        };
        Ok(self.old(&error, old, from, neighbour))
    }

    /// Counts an old forecast, and says why it is used.
    fn old(&self, reason: &dyn Display, old: Stored, from: From, neighbour: Option<Neighbour>) -> Forecast {
        tracing::warn!(%reason, fetched = %old.fetched, "using an old forecast");
        self.counts.stale.fetch_add(1, Ordering::Relaxed);
        Forecast { points: Arc::new(old.points), from, neighbour, stale: true }
    }

    /// Counts what was found while it is fresh.
    fn found(&self, points: Arc<Vec<HourlyPoint>>, from: From) -> Forecast {
        let counter = match from {
            From::Memory => &self.counts.memory,
            From::File => &self.counts.file,
            From::Neighbour => &self.counts.neighbour,
            From::Source => &self.counts.source,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Forecast { points, from, neighbour: None, stale: false }
    }

    fn is_fresh(&self, stored: &Stored, now: Timestamp) -> bool {
        now.duration_since(stored.fetched).unsigned_abs() < self.limits.file_ttl
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
}
