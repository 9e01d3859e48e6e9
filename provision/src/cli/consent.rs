//! Being asked before something happens that matters.

use anyhow::Result;
use config::service::Environment;

use super::exit::Refused;
use super::session::Session;

/// Asks once; without a terminal nobody can answer, so the answer must be in the arguments.
///
/// On production it takes the environment's name, which nobody types by habit.
pub(super) fn confirm(session: &Session<'_>, yes: bool, what: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    let environment = &session.deployment.environment;
    let (question, answers): (_, &[&str]) = if is_production(session) {
        (format!("{what}? Type {environment} to go on"), &[environment])
    } else {
        (format!("{what}? [y/N]"), &["y", "Y", "yes"])
    };
    match session.terminal.ask(question) {
        Some(answer) if answers.contains(&answer.as_str()) => Ok(()),
        Some(_) => Err(Refused("not confirmed, nothing was changed; run it again to be asked again".to_owned()).into()),
        None => Err(Refused(format!("will not {what} without being asked on a terminal; pass --yes")).into()),
    }
}

/// Asks before something goes away for good: on production, `--yes` alone is not enough.
pub(super) fn confirm_removal(session: &Session<'_>, yes: bool, named: Option<&str>, what: &str) -> Result<()> {
    let environment = &session.deployment.environment;
    match named {
        Some(named) if named != environment => Err(Refused(format!(
            "--confirm names {named}, but this is {environment}; nothing was changed; name what you mean"
        ))
        .into()),
        None if yes && is_production(session) && !session.terminal.is_interactive() => {
            Err(Refused(format!("will not {what} on --yes alone; pass --confirm {environment}, too")).into())
        }
        None if is_production(session) => confirm(session, false, what),
        _ => confirm(session, yes, what),
    }
}

fn is_production(session: &Session<'_>) -> bool {
    session.deployment.settings.environment == Environment::Production
}
