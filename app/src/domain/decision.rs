//! Why a phrase or a pair was kept or refused, in a form that programs can read.

use config::rules::Rule;
use serde::Serialize;

/// One thing that a rule asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// What it wants.
    pub needs: String,
    /// What the day or the pair has.
    pub is: String,
    /// Whether that is enough.
    pub kept: bool,
}

impl Check {
    pub(crate) fn new(rule: Rule, needs: impl Into<String>, is: impl Into<String>, kept: bool) -> Self {
        Self { rule, needs: needs.into(), is: is.into(), kept }
    }
}

/// What was asked of a phrase or a pair, in the order of the rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Its number.
    pub id: String,
    /// Its words.
    pub text: String,
    /// The rule that refused it first, if any did.
    pub rejected: Option<Rule>,
    /// Every check that it gave rise to.
    pub checks: Vec<Check>,
}

impl Verdict {
    pub(crate) fn of(id: &str, text: impl Into<String>, checks: Vec<Check>) -> Self {
        let rejected = checks.iter().find(|check| !check.kept).map(|check| check.rule);
        Self { id: id.to_owned(), text: text.into(), rejected, checks }
    }
}
