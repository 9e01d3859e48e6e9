//! `provision cost`: what the deployment costs a month.

use anyhow::Result;
use serde_json::json;

use super::arguments::Output;
use super::exit::{BadInput, Exit};
use super::session::Session;
use crate::cost::bill;

pub(crate) fn run(session: &Session<'_>) -> Result<Exit> {
    let bill = bill(&session.deployment).map_err(|error| BadInput(error.to_string()))?;
    match session.output {
        Output::Text => session.terminal.print(bill),
        Output::Json => session.terminal.print(json!({
            "schema": "provision.cost/1",
            "environment": session.deployment.environment,
            "region": session.deployment.region,
            "bill": bill,
        })),
    }
    Ok(Exit::Done)
}
