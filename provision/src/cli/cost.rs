//! `provision cost`: what the deployment costs a month.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::exit::{BadInput, Exit};
use super::session::Session;
use crate::cost::{Bill, bill};

/// The bill of a month.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Cost {
    /// The environment.
    environment: String,
    /// The AWS region.
    region: String,
    /// What is paid for.
    bill: Bill,
}

impl Document for Cost {
    const NAME: &'static str = "provision.cost/1";
}

pub(crate) fn run(session: &Session<'_>) -> Result<Exit> {
    let bill = bill(&session.deployment).map_err(|error| BadInput(error.to_string()))?;
    session.terminal.print(&bill);
    let (environment, region) = (session.deployment.environment.clone(), session.deployment.region.clone());
    session.terminal.document(&Cost { environment, region, bill });
    Ok(Exit::Done)
}
