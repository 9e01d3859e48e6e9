//! GitHub Actions: annotations among the words, a summary of the step, and who set the workflow going.

use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;

/// The workflow run that this command is a step of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workflow {
    /// Who set it going.
    pub actor: Option<String>,
    /// Where one can see it.
    pub url: Option<String>,
    /// The file to which the step's summary is appended, in Markdown.
    pub summary: Option<PathBuf>,
}

impl Workflow {
    /// Reads the variables that GitHub sets; without `GITHUB_ACTIONS=true` this is no workflow.
    pub fn find(read: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if read("GITHUB_ACTIONS").as_deref() != Some("true") {
            return None;
        }
        let part = |name| read(name).filter(|value| !value.is_empty());
        let url = || {
            let (server, repository, run) =
                (part("GITHUB_SERVER_URL")?, part("GITHUB_REPOSITORY")?, part("GITHUB_RUN_ID")?);
            Some(format!("{server}/{repository}/actions/runs/{run}"))
        };
        Some(Self { actor: part("GITHUB_ACTOR"), url: url(), summary: part("GITHUB_STEP_SUMMARY").map(PathBuf::from) })
    }

    /// Names who is behind an identity that all workflows of a repository share.
    pub(super) fn behind(&self, who: &str) -> String {
        let parts = [Some(who.to_owned()), self.actor.as_ref().map(|it| format!("for {it}")), self.url.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Appends to the step's summary.
    pub(super) fn summarise(&self, markdown: &str) -> std::io::Result<()> {
        let Some(file) = &self.summary else { return Ok(()) };
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
        writeln!(file, "{markdown}")
    }
}

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
    Notice,
}

/// A line that GitHub shows at the top of the run.
pub(super) fn annotation(level: Level, title: &str, text: impl Display) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    format!("::{level} title={}::{}", property(title), data(&text.to_string()))
}

/// The line that opens a foldable group.
pub(super) fn group(title: &str) -> String {
    format!("::group::{}", data(title))
}

/// The line that closes it.
pub(super) const END_OF_GROUP: &str = "::endgroup::";

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A text as it may stand in a cell of a Markdown table.
pub(super) fn cell(text: impl Display) -> String {
    let text = text.to_string();
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('\n', "<br>")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn find(set: &[(&str, &str)]) -> Option<Workflow> {
        let set: BTreeMap<_, _> = set.iter().copied().collect();
        Workflow::find(|name| set.get(name).map(ToString::to_string))
    }

    #[test]
    fn a_workflow_is_known_by_its_variables_and_names_who_is_behind_it() {
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[("GITHUB_ACTIONS", "false")]), None);
        assert_eq!(find(&[("GITHUB_ACTIONS", "true")]).unwrap().behind("role/x"), "role/x");
        let workflow = find(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "alice"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "weather/service"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!(
            workflow.unwrap().behind("assumed-role/ci"),
            "assumed-role/ci for alice https://github.com/weather/service/actions/runs/7"
        );
    }

    #[test]
    fn nothing_in_a_text_can_end_an_annotation_or_begin_another() {
        assert_eq!(
            annotation(Level::Error, "a: b, c", "100 %\n::notice::x"),
            "::error title=a%3A b%2C c::100 %25%0A::notice::x"
        );
        assert_eq!(group("one\ntwo"), "::group::one%0Atwo");
        assert_eq!(cell("a|b\nc"), "a\\|b<br>c");
    }
}
