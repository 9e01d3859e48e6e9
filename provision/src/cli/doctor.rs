//! `provision doctor`: everything that could stand in the way of a deploy, looked at all at once.
//!
//! One file for each part of it; what each found is a line with how it is, what was seen, and what to do.

mod account;
mod certificate;
mod image;
mod keys;
mod names;
mod permissions;
mod quotas;
mod resources;
mod runs;

use std::fmt::Display;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::DoctorArguments;
use super::document::Document;
use super::exit::Exit;
use super::session::Session;
use crate::aws::AwsError;
use crate::context::Context;
use crate::guard::Access;
use crate::paint::{Paint, Tone};
use crate::resources::image::ImageSource;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Good,
    /// Works, but somebody should know.
    Note,
    /// In the way of a deploy.
    Bad,
}

/// Everything that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Findings {
    /// One for each thing.
    findings: Vec<Finding>,
}

impl Document for Findings {
    const NAME: &'static str = "provision.doctor/1";
}

/// What was found of one thing.
#[derive(Debug, Serialize, JsonSchema)]
struct Finding {
    /// The thing.
    what: &'static str,
    /// How it is.
    verdict: Verdict,
    /// What was seen, and what to do about it.
    text: String,
    /// Every permission that is missing, of which the text names the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
}

impl Finding {
    fn new(what: &'static str, verdict: Verdict, text: impl Display) -> Self {
        Self { what, verdict, text: text.to_string(), missing: Vec::new() }
    }

    fn good(what: &'static str, text: impl Display) -> Self {
        Self::new(what, Verdict::Good, text)
    }

    fn note(what: &'static str, text: impl Display) -> Self {
        Self::new(what, Verdict::Note, text)
    }

    fn bad(what: &'static str, text: impl Display) -> Self {
        Self::new(what, Verdict::Bad, text)
    }

    /// What only doctor asks stands in nobody's way when it cannot be told.
    fn unasked(what: &'static str, error: &anyhow::Error) -> Self {
        let is_denied = error.downcast_ref().is_some_and(AwsError::is_denied);
        let why = if is_denied { "not looked at, because the caller may not" } else { "could not be looked at" };
        Self::note(what, format_args!("{why}: {error:#}"))
    }

    /// One or the other, as the look at it ended.
    fn of(what: &'static str, found: Result<Self>) -> Self {
        found.unwrap_or_else(|error| Self::bad(what, format_args!("{error:#}")))
    }

    fn line(&self, paint: Paint) -> String {
        let (sign, tone) = match self.verdict {
            Verdict::Good => ("ok  ", Tone::Good),
            Verdict::Note => ("note", Tone::Change),
            Verdict::Bad => ("BAD ", Tone::Bad),
        };
        format!("{}  {:<18} {}", paint.on(tone, sign), self.what, self.text)
    }
}

pub(crate) async fn run(session: &Session<'_>, arguments: &DoctorArguments) -> Result<Exit> {
    let image = session.image(&arguments.image)?;
    let findings = match session.check_account().await {
        // Whatever else could be seen would be another account's, or nothing.
        Err(error) => vec![
            Finding::bad("account", format_args!("{error:#}")),
            Finding::note("everything else", "not looked at before that is mended"),
        ],
        // A dozen looks at once make a large future.
        Ok(()) => Box::pin(look(session, image)).await,
    };
    for finding in &findings {
        session.terminal.print(finding.line(session.terminal.paint_of_results()));
    }
    let is_bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    session.terminal.document(&Findings { findings });
    Ok(if is_bad { Exit::BadInput } else { Exit::Done })
}

/// Everything side by side; only what depends on what exists already waits for that.
async fn look(session: &Session<'_>, source: ImageSource) -> Vec<Finding> {
    let context = Context::silent(session.aws(Access::ReadOnly));
    let ours = session.stack(source.clone());
    let existing = async {
        let there = resources::look(&ours, &context).await;
        let (quotas, permissions) =
            tokio::join!(quotas::look(session, &context, &there), permissions::look(session, &context, &there));
        (there.findings, quotas, permissions)
    };
    let (account, certificate, image, keys, runs, (resources, quotas, permissions)) = tokio::join!(
        account::look(session, &context),
        certificate::look(session, &context),
        image::look(session, &context, source),
        keys::look(session, &context),
        runs::look(session, &context),
        existing,
    );
    let all = [account, permissions, quotas, certificate, names::look(session), resources, image, keys, runs];
    all.into_iter().flatten().collect()
}
