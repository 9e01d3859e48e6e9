//! How tasks end: what AWS says of each, in its own words.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::text;

/// How a task ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEnd {
    /// Why the task stopped.
    pub reason: String,
    /// Why its container did, if AWS says more of that.
    pub container: Option<String>,
    /// The exit code of its container, if that ever ran.
    pub exit: Option<i64>,
    /// What the load balancer has against it while it runs: the code of its reason, and the reason.
    pub(super) unwell: Option<(&'static str, &'static str)>,
}

impl TaskEnd {
    /// The program ends as soon as it starts.
    pub fn exits(code: i64) -> Self {
        let reason = "Essential container in task exited".to_owned();
        Self { reason, container: None, exit: Some(code), unwell: None }
    }

    /// The program uses more memory than it may.
    pub fn out_of_memory() -> Self {
        let container = "OutOfMemoryError: Container killed due to memory usage".to_owned();
        Self { container: Some(container), ..Self::exits(137) }
    }

    /// The program never starts, for a reason in AWS's words.
    pub fn before_it_runs(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), container: None, exit: None, unwell: None }
    }

    /// The program runs, and the load balancer gets no good answer from it.
    pub fn fails_checks(code: &'static str, reason: &'static str) -> Self {
        let unwell = Some((code, reason));
        Self { reason: "Task failed ELB health checks".to_owned(), container: None, exit: Some(143), unwell }
    }

    /// As it is told of a service with these load balancers.
    pub(super) fn behind(&self, balancers: &Value) -> Self {
        let mut end = self.clone();
        if end.unwell.is_some() {
            end.reason = format!("{} in (target-group {})", end.reason, group(balancers));
        }
        end
    }

    pub(super) fn stop_code(&self) -> &'static str {
        match (self.unwell, self.exit) {
            (Some(_), _) => "ServiceSchedulerInitiated",
            (None, Some(_)) => "EssentialContainerExited",
            (None, None) => "TaskFailedToStart",
        }
    }
}

fn group(balancers: &Value) -> String {
    text(&balancers[0]["targetGroupArn"])
}

/// What the scheduler says of a task that the load balancer does not like.
pub(super) fn unhealthy(balancers: &Value, reason: &str) -> String {
    let port = &balancers[0]["containerPort"];
    format!("(port {port}) is unhealthy in (target-group {}) due to (reason {reason}).", group(balancers))
}

/// Images, by digest, whose tasks do not stay.
#[derive(Debug, Default)]
pub struct BrokenImages(BTreeMap<String, TaskEnd>);

impl BrokenImages {
    /// Lets tasks of an image end with exit code 1 as soon as they start.
    pub fn insert(&mut self, digest: String) {
        self.end(digest, TaskEnd::exits(1));
    }

    /// Lets tasks of an image end in some way.
    pub fn end(&mut self, digest: String, end: TaskEnd) {
        self.0.insert(digest, end);
    }

    pub(super) fn end_of(&self, digest: &str) -> Option<&TaskEnd> {
        self.0.get(digest)
    }
}

impl Extend<String> for BrokenImages {
    fn extend<T: IntoIterator<Item = String>>(&mut self, digests: T) {
        digests.into_iter().for_each(|digest| self.insert(digest));
    }
}
