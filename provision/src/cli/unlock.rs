//! `provision unlock`: takes the lock away from a run that is known to be at work no longer.

use anyhow::Result;

use super::arguments::UnlockArguments;
use super::deploy::confirm;
use super::exit::Exit;
use super::session::Session;
use crate::context::Context;
use crate::guard::Access;
use crate::record::Run;

pub(crate) async fn run(session: &Session<'_>, arguments: &UnlockArguments) -> Result<Exit> {
    session.check_account().await?;
    let record = session.record();
    let Some(holder) = record.holder(&Context::silent(session.aws(Access::ReadOnly))).await? else {
        session.terminal.say("nobody holds the lock");
        return Ok(Exit::Done);
    };
    session.terminal.say(format_args!("{holder} holds the lock"));
    confirm(session, arguments.yes, "break its lock, although it may still be at work")?;
    let context = Context::silent(session.aws(Access::ReadWrite));
    record.break_lock(&context, &holder, Run::begin("unlock", session.who())).await?;
    session.terminal.say("the lock is free; if that run still lives, it finishes what it began and starts nothing new");
    Ok(Exit::Done)
}
