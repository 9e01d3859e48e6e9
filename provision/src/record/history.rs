//! The history: one line when a run begins, and one when it ends.

use std::collections::BTreeMap;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Record, Run, utc};
use crate::context::{Context, Hints};
use crate::retry::persist;

const STREAM: &str = "history";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has begun, and nothing was heard since: it is at work, or it was killed.
    Begun,
    /// Everything was done.
    Done,
    /// Something failed.
    Failed,
    /// It was interrupted before everything was done.
    Interrupted,
}

/// One run, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended.
    pub ended: Option<String>,
    /// The image that it deployed.
    pub image: Option<String>,
    /// The task definition that ran at its end.
    pub task_definition: Option<String>,
    /// The task definition that did not come up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<String>,
    /// How many resources it changed.
    pub changed: usize,
    /// What it knew at its end, for the next one.
    #[serde(default)]
    pub hints: Hints,
}

impl Entry {
    /// The line at the beginning.
    pub fn begun(run: Run, image: Option<String>) -> Self {
        Self {
            run,
            outcome: Outcome::Begun,
            ended: None,
            image,
            task_definition: None,
            tried: None,
            changed: 0,
            hints: Hints::default(),
        }
    }

    /// The line at the end; what is known of the end comes with it.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ended: Some(utc(SystemTime::now())), ..self }
    }
}

impl Record {
    /// Remembers a run's beginning or end; the lock was taken before, so the record exists.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn remember(&self, context: &Context, entry: &Entry) -> Result<()> {
        let write = || async {
            self.make_stream(context, STREAM).await?;
            self.write_line(context, STREAM, entry).await
        };
        persist(context, write).await.context("writing the history")
    }

    /// The runs that are remembered, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn runs(&self, context: &Context) -> Result<Vec<Entry>> {
        let mut runs: BTreeMap<(String, String), Entry> = BTreeMap::new();
        for entry in self.lines::<Entry>(context, STREAM).await? {
            let key = (entry.run.since.clone(), entry.run.id.clone());
            let known = runs.entry(key).or_insert_with(|| entry.clone());
            // Lines of one millisecond have no order, but an end comes after its beginning.
            if known.outcome == Outcome::Begun {
                *known = entry;
            }
        }
        Ok(runs.into_values().rev().collect())
    }
}

/// Milliseconds since 1970, as log events count time.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
