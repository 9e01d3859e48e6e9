//! The service's own metrics for CloudWatch: a line of JSON on standard output, in the embedded metric format.
//!
//! CloudWatch Logs takes the numbers out of such lines, so the task needs no right to send metrics. A line says what
//! was counted since the last one; a minute in which nothing happened has no line and costs nothing.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::metrics;
use config::service::App;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::judge::Judge;
use crate::service::Service;
use crate::weather::Upstream;

/// As fine as CloudWatch keeps metrics at this price.
const EVERY: Duration = Duration::from_secs(60);

/// Counts since the service began, by the names that CloudWatch knows.
type Sums = BTreeMap<&'static str, f64>;

/// Tells CloudWatch what is new.
#[derive(Debug)]
pub struct Reporter {
    /// Whose metrics they are; without it nothing is told.
    namespace: Option<String>,
    environment: &'static str,
    told: Sums,
}

impl Reporter {
    /// A reporter that has told nothing yet.
    pub fn of(settings: &App) -> Self {
        Self {
            namespace: settings.metrics_namespace.clone(),
            environment: settings.environment.word(),
            told: Sums::new(),
        }
    }

    /// Writes a line a minute if there is something to say; never ends.
    pub async fn run(&mut self, service: &Service, mut write: impl FnMut(String)) -> Infallible {
        loop {
            tokio::time::sleep(EVERY).await;
            self.line(service, Timestamp::now()).into_iter().for_each(&mut write);
        }
    }

    /// What is new since the last line, if anything is.
    pub fn line(&mut self, service: &Service, at: Timestamp) -> Option<String> {
        let namespace = self.namespace.as_ref()?;
        let sums = sums(service);
        let new = |(name, sum): (&&'static str, &f64)| (*name, sum - self.told.get(name).unwrap_or(&0.0));
        let new: Sums = sums.iter().map(new).collect();
        if new.values().all(|number| *number == 0.0) {
            return None;
        }
        self.told = sums;
        let unit = |name: &str| if name.ends_with("Seconds") { "Seconds" } else { "Count" };
        let names: Vec<_> = new.keys().map(|name| json!({"Name": name, "Unit": unit(name)})).collect();
        let about = json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [[metrics::DIMENSION]], "Metrics": names}],
        });
        let mut line =
            Map::from_iter([("_aws".to_owned(), about), (metrics::DIMENSION.to_owned(), json!(self.environment))]);
        line.extend(new.into_iter().map(|(name, number)| (name.to_owned(), json!(number))));
        Some(Value::Object(line).to_string())
    }
}

fn sums(service: &Service) -> Sums {
    let read = |count: &AtomicU64| number(count.load(Ordering::Relaxed));
    let found = &service.forecasts.counts;
    let mut sums = Sums::from([
        (metrics::COMMENTS_MADE, read(&service.made)),
        (metrics::COMMENTS_FAILED, read(&service.failed)),
        (metrics::FOUND_IN_MEMORY, read(&found.memory)),
        (metrics::FOUND_IN_FILE, read(&found.file)),
        (metrics::FOUND_NEARBY, read(&found.neighbour)),
        (metrics::FOUND_AT_SOURCE, read(&found.source)),
        (metrics::WORK_SECONDS, service.busy.work().as_secs_f64()),
        (metrics::WORKER_SECONDS, service.busy.there().as_secs_f64()),
    ]);
    let outcomes: Vec<_> = service.forecasts.upstream().into_iter().flat_map(Upstream::outcomes).collect();
    let asked = outcomes.iter().map(|(_, count)| count).sum();
    let failed = outcomes.iter().filter(|(outcome, _)| *outcome != "ok").map(|(_, count)| count).sum();
    sums.extend([(metrics::WEATHER_CALLS, number(asked)), (metrics::WEATHER_CALLS_FAILED, number(failed))]);
    // Each name costs money, so this one is not there where no model is asked.
    if let Some(judge) = &service.judge {
        let asked = Judge::providers(judge).iter().map(|it| read(&it.counts.asked)).sum();
        sums.insert(metrics::MODEL_CALLS, asked);
    }
    sums
}

/// A count as CloudWatch takes it; no process lives long enough to count further.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
