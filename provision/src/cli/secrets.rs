//! `provision secrets`: puts API keys in, and says which are there; values come from a prompt, a pipe or a file,
//! and go nowhere but to AWS.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::{SecretsArguments, SecretsVerb};
use super::document::Document;
use super::exit::{BadInput, Exit};
use super::session::Session;
use crate::context::Context;
use crate::guard::Access;
use crate::names::Names;
use crate::our_stack::api_keys;
use crate::resources::secret::Secret;

/// The keys; their values are never shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Keys {
    /// The secret that holds them.
    secret: String,
    /// By key, whether it has a value.
    keys: BTreeMap<&'static str, State>,
}

/// Whether a key has a value.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It has one.
    Set,
    /// It has none.
    Empty,
}

impl Document for Keys {
    const NAME: &'static str = "provision.secrets/1";
}

pub(crate) async fn run(session: &Session<'_>, arguments: &SecretsArguments) -> Result<Exit> {
    // Before anybody is asked for anything.
    let new = match &arguments.verb {
        SecretsVerb::List => None,
        SecretsVerb::Set { key } => {
            known(key)?;
            Some(BTreeMap::from([(key.clone(), value_of(session, key)?)]))
        }
        SecretsVerb::Import { file } => Some(import(file)?),
    };
    session.check_account().await?;
    let secret = Secret { name: Names::of(&session.deployment).secret() };
    match new {
        Some(new) => {
            let names: Vec<_> = new.keys().cloned().collect();
            let context = Context::silent(session.aws(Access::ReadWrite));
            let is_new = secret.merge(&context, &api_keys(&session.deployment), new).await?;
            let then = if is_new {
                "which is new; a deploy takes it up as its own"
            } else {
                "tasks read keys when they start, so the next deploy brings them"
            };
            session.terminal.say(format_args!("{} set in {}; {then}", names.join(", "), secret.name));
            session.terminal.document(&keys(session, &secret).await?);
        }
        None => {
            let keys = keys(session, &secret).await?;
            for (key, state) in &keys.keys {
                let state = match state {
                    State::Set => "set",
                    State::Empty => "empty",
                };
                session.terminal.print(format_args!("{key:<20} {state}"));
            }
            session.terminal.document(&keys);
        }
    }
    Ok(Exit::Done)
}

async fn keys(session: &Session<'_>, secret: &Secret) -> Result<Keys> {
    let there = secret.keys_with_values(&Context::silent(session.aws(Access::ReadOnly))).await?;
    let state = |key: &str| if there.iter().any(|set| set == key) { State::Set } else { State::Empty };
    let keys = config::SECRET_KEYS.iter().map(|key| (*key, state(key))).collect();
    Ok(Keys { secret: secret.name.clone(), keys })
}

fn known(key: &str) -> Result<(), BadInput> {
    if config::SECRET_KEYS.contains(&key) {
        return Ok(());
    }
    Err(BadInput(format!("{key:?} is no key of this service; it knows {}", config::SECRET_KEYS.join(", "))))
}

/// From a person, or from what is piped in; never from an argument, which everybody on the machine could read.
fn value_of(session: &Session<'_>, key: &str) -> Result<String> {
    let value = if session.terminal.is_typed_at() {
        session.terminal.ask_secret(format_args!("value of {key}"))?
    } else {
        session.terminal.read_all().context("reading the value from the pipe")?
    };
    let value = value.trim().to_owned();
    if value.is_empty() {
        return Err(BadInput(format!("the value of {key} is empty; type it, or pipe it in")).into());
    }
    Ok(value)
}

/// Reads lines `KEY=value`, as in a file for the environment.
fn import(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| BadInput(format!("{}: {error}; name a file with lines KEY=value", file.display())))?;
    let mut keys = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches("export ");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line itself is not shown: it may hold a value.
        let place = format!("{}:{}", file.display(), number + 1);
        let Some((key, value)) = line.split_once('=') else {
            return Err(BadInput(format!("{place}: not a line KEY=value")).into());
        };
        known(key.trim()).map_err(|error| BadInput(format!("{place}: {error}")))?;
        let value = value.trim().trim_matches(['"', '\'']);
        if !value.is_empty() {
            keys.insert(key.trim().to_owned(), value.to_owned());
        }
    }
    if keys.is_empty() {
        return Err(BadInput(format!("{}: no keys in it", file.display())).into());
    }
    Ok(keys)
}
