//! `provision validate`: the configuration alone; AWS is not asked.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::exit::Exit;
use super::session::Session;

/// A configuration without problems; one with problems is an error.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Valid {
    /// The application.
    app: String,
    /// The environment.
    environment: String,
    /// The AWS region.
    region: String,
}

impl Document for Valid {
    const NAME: &'static str = "provision.validate/1";
}

/// Everything was read and checked to get here.
pub(crate) fn run(session: &Session<'_>) -> Exit {
    let deployment = &session.deployment;
    let (app, environment, region) =
        (deployment.app.clone(), deployment.environment.clone(), deployment.region.clone());
    session.terminal.say(format_args!("the configuration of {app} {environment} for {region} is valid"));
    session.terminal.document(&Valid { app, environment, region });
    Exit::Done
}
