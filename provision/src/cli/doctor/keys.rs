//! The API keys: which are set, and which the service does not start without.

use std::collections::BTreeSet;

use anyhow::Result;
use aws_smithy_types::date_time::Format;

use super::super::session::Session;
use super::Finding;
use crate::aws::AwsError;
use crate::context::Context;
use crate::names::Names;
use crate::resources::secret::{Presence, Secret};

const WHAT: &str = "API keys";

pub(super) async fn look(session: &Session<'_>, context: &Context) -> Vec<Finding> {
    let secret = Secret { name: Names::of(&session.deployment).secret() };
    keys(session, context, &secret).await.unwrap_or_else(|error| {
        // A deploy never reads them; a value that is no JSON would keep every task from starting.
        let is_denied = error.downcast_ref().is_some_and(AwsError::is_denied);
        vec![if is_denied { Finding::unasked(WHAT, &error) } else { Finding::bad(WHAT, format_args!("{error:#}")) }]
    })
}

async fn keys(session: &Session<'_>, context: &Context, secret: &Secret) -> Result<Vec<Finding>> {
    let needed = session.deployment.settings.needed_keys();
    let presence = secret.presence(context).await?;
    let mut findings = Vec::new();
    if let Presence::Leaving(at) = presence {
        let at = at.fmt(Format::DateTime).unwrap_or_default();
        let text = format!("secret {} goes at {at}; a deploy takes it back, with the keys that it had", secret.name);
        findings.push(Finding::note("secret", text));
    }
    let set: BTreeSet<String> = match presence {
        Presence::There => secret.keys_with_values(context).await?.into_iter().collect(),
        Presence::Absent => BTreeSet::new(),
        // Until then its value cannot be read.
        Presence::Leaving(_) => return Ok(findings),
    };
    let missing: Vec<_> = needed.iter().filter(|(key, _)| !set.contains(*key)).collect();
    for (key, because) in &missing {
        let text = format!("{key} has no value, and {because}, so the service will not start");
        findings.push(Finding::bad(WHAT, format_args!("{text}; run `provision secrets set {key}`")));
    }
    if !set.is_empty() {
        let set: Vec<_> = set.into_iter().collect();
        findings.push(Finding::good(WHAT, format_args!("{} set", set.join(", "))));
    } else if missing.is_empty() {
        let text = "none is set; Open-Meteo and the rules need none, `provision secrets set` adds one";
        findings.push(Finding::note(WHAT, text));
    }
    Ok(findings)
}
