//! The end of a deploy: whether what was deployed answers to people.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::report;
use super::session::Session;
use crate::front_door::{Closed, FrontDoor};
use crate::guard::Access;
use crate::our_stack::OurStack;
use crate::stack::Outputs;

/// What one request through the load balancer got.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Asked {
    /// What was asked.
    pub(super) url: String,
    /// What came of it.
    pub(super) verdict: Verdict,
    /// Why it is not open, if it is not.
    pub(super) seen: Option<String>,
}

/// What one request shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It answered 200, and proved to be the one.
    Answers,
    /// It cannot be reached from here, and not everybody may reach it.
    NotFromHere,
    /// It does not answer as it should.
    Fails,
}

/// Asks; nothing when there is nothing to ask yet, or when somebody does not want to wait for it.
///
/// # Errors
/// When AWS does not say what to ask.
pub(super) async fn ask(session: &Session<'_>, ours: &OurStack, known: &Outputs) -> Result<Option<Asked>> {
    let (Some(load_balancer), Some(certificate)) = (ours.load_balancer.of(known), ours.certificate(known)) else {
        return Ok(None);
    };
    let mut interrupted = session.begin_work();
    let ask = report::alone(session, session.aws(Access::ReadOnly), async |context| {
        let door = FrontDoor::of(&context, &load_balancer.dns_name, &certificate).await?;
        let connector = session.front().map_or_else(|| door.connector(), |given| Ok(given.clone()))?;
        Ok((door.url(), door.answers(&context, &connector).await))
    });
    let (url, end) = tokio::select! {
        end = ask => end?,
        Ok(_) = interrupted.wait_for(|interrupted| *interrupted) => return Ok(None),
    };
    let everybody = session.deployment.edge.ingress_cidrs.iter().any(|range| range == "0.0.0.0/0");
    let verdict = match &end {
        Ok(()) => Verdict::Answers,
        Err(Closed::Unreachable(_)) if !everybody => Verdict::NotFromHere,
        Err(_) => Verdict::Fails,
    };
    Ok(Some(Asked { url, verdict, seen: end.err().map(|closed| closed.to_string()) }))
}

impl Asked {
    /// What failed, and what to do about it.
    pub(super) fn failure(&self) -> Option<String> {
        let seen = self.seen.as_ref().filter(|_| self.verdict == Verdict::Fails)?;
        Some(format!("{} does not answer with 200: {seen}", self.url))
    }
}
