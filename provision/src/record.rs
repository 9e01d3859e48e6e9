//! What the account itself remembers of runs: who is at work now, and what was done before.
//!
//! Both live in one log group beside the stack. A lock needs one thing that only one of two can make, and creating a
//! log stream is that: a second stream of the same name is refused. So no bucket and no table has to exist first,
//! and the retention of the group forgets old runs by itself.

mod history;
mod lock;

use std::fmt;
use std::time::SystemTime;

use anyhow::Result;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::{Deserialize, Serialize};

use crate::aws::AwsError;
use crate::context::Context;
use crate::names::Names;
use crate::resource::Resource as _;
use crate::resources::log_group::{LogGroup, LogGroupSpec};

pub use history::{Entry, Outcome};
pub use lock::{Held, Holder, Lock};

/// For how long runs are remembered.
const RETENTION_DAYS: i32 = 365;

/// One run of a verb that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Tells runs apart.
    pub id: String,
    /// Who runs it: the caller's name in the account, and from where.
    pub who: String,
    /// The verb.
    pub verb: String,
    /// When it began, in UTC as RFC 3339 writes it.
    pub since: String,
}

impl Run {
    /// A run that begins now.
    pub fn begin(verb: &str, who: &str) -> Self {
        let now = SystemTime::now();
        let nanos = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        // The clock to its last digit and the process keep runs apart: the history takes the lines of one id for one
        // run, so that two of the same would hide that the second is at work, or was killed.
        let id = format!("{nanos:x}-{:x}", std::process::id());
        Self { id, who: who.to_owned(), verb: verb.to_owned(), since: utc(now) }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} by {} since {}", self.verb, self.who, self.since)
    }
}

/// A moment in UTC, to the second.
fn utc(at: SystemTime) -> String {
    let at = DateTime::from(at);
    DateTime::from_secs(at.secs()).fmt(Format::DateTime).unwrap_or_else(|_| at.secs().to_string())
}

/// The record of one environment's runs.
#[derive(Clone, Debug)]
pub struct Record {
    group: LogGroup,
}

impl Record {
    /// The record of the deployment with these names.
    pub fn of(names: &Names) -> Self {
        Self { group: LogGroup { name: names.deployments(), resource: "deployments".to_owned() } }
    }

    fn name(&self) -> &str {
        &self.group.name
    }

    /// Makes the log group, if there is none.
    async fn ensure(&self, context: &Context) -> Result<()> {
        // It outlives the stack and holds the lock, so it must be readable when a key of one's own is not.
        let spec = LogGroupSpec { retention_days: RETENTION_DAYS, kms_key: None, tagged: true };
        match self.group.read(context).await? {
            Some(live) if live.spec.retention_days == RETENTION_DAYS => (),
            Some(live) => drop(self.group.update(context, &live, &spec).await?),
            None => self.create(context, &spec).await?,
        }
        Ok(())
    }

    async fn create(&self, context: &Context, spec: &LogGroupSpec) -> Result<()> {
        match self.group.create(context, spec).await {
            Ok(_) => Ok(()),
            // Another run was faster; the lock decides between us.
            Err(error) if error.downcast_ref().is_some_and(|it: &AwsError| it.is("ResourceAlreadyExistsException")) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether there is a record.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn exists(&self, context: &Context) -> Result<bool> {
        Ok(self.group.read(context).await?.is_some())
    }

    /// Forgets everything: the last step of removing an environment with its data.
    ///
    /// # Errors
    /// When AWS does not delete the log group.
    pub async fn delete(&self, context: &Context) -> Result<()> {
        crate::retry::persist(context, || async {
            match self.group.read(context).await? {
                Some(live) => self.group.delete(context, &live).await,
                None => Ok(()),
            }
        })
        .await
    }
}
