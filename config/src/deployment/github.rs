//! `[github]`: whose workflows may deploy.

use serde::Serialize;

use super::{Check, wrong};
use crate::reader::Reader;

/// The repository whose workflows may deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Github {
    /// `OWNER/NAME`.
    pub repository: String,
    /// The repository's number, which it keeps when it is renamed.
    pub repository_id: u64,
    /// The owner's number.
    pub owner_id: u64,
    /// The environments of the repository whose jobs may deploy.
    pub environments: Vec<String>,
}

impl Github {
    /// `None` when there is no such section.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        if !reader.has_section("github") {
            return None;
        }
        let github = Self {
            repository: reader.text("github.repository", repository),
            repository_id: reader.number("github.repository_id", 1..=u64::MAX),
            owner_id: reader.number("github.owner_id", 1..=u64::MAX),
            environments: reader.list("github.environments", github_environment),
        };
        if github.environments.is_empty() {
            let hint = "name at least one, as in the workflow's `environment:`, for example [\"production\"]";
            reader.problem("github.environments", "names no environment, so nobody could deploy", hint);
        }
        Some(github)
    }
}

/// A wildcard here would let other repositories in.
fn repository(text: &str) -> Check {
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name)) {
        return Ok(());
    }
    wrong(format!("{text:?} is not a repository on GitHub"), "write OWNER/NAME, without wildcards")
}

fn github_environment(text: &str) -> Check {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain {
        return Ok(());
    }
    wrong(format!("{text:?} is not the plain name of an environment"), "use letters, digits, `-`, `_` and `.`")
}
