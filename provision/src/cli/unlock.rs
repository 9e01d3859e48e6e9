//! `provision unlock`: takes the lock away from a run that is known to be at work no longer.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::UnlockArguments;
use super::consent::confirm;
use super::document::Document;
use super::exit::Exit;
use super::session::Session;
use crate::context::Context;
use crate::guard::Access;
use crate::record::Run;

/// Whose lock was broken.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Unlocked {
    /// Nothing when nobody held the lock.
    holder: Option<String>,
}

impl Document for Unlocked {
    const NAME: &'static str = "provision.unlock/1";
}

pub(crate) async fn run(session: &Session<'_>, arguments: &UnlockArguments) -> Result<Exit> {
    session.check_account().await?;
    let record = session.record();
    let Some(holder) = record.holder(&Context::silent(session.aws(Access::ReadOnly))).await? else {
        session.terminal.say("nobody holds the lock");
        session.terminal.document(&Unlocked { holder: None });
        return Ok(Exit::Done);
    };
    session.terminal.say(format_args!("{holder} holds the lock"));
    confirm(session, arguments.yes, "break its lock, although it may still be at work")?;
    let context = Context::silent(session.aws(Access::ReadWrite));
    record.break_lock(&context, &holder, Run::begin("unlock", &session.who())).await?;
    session.terminal.say("the lock is free; if that run still lives, it finishes what it began and starts nothing new");
    session.terminal.document(&Unlocked { holder: Some(holder.to_string()) });
    Ok(Exit::Done)
}
