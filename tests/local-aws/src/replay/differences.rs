//! What counts as a difference: allowed or refused, the error code, and the states of things.

use crate::tree::Tree;

/// The error code, if it is an error, and the answer.
type Answered<'a> = (Option<String>, &'a Tree);

/// Ends of the names of fields that say how far a thing has come.
const STATES: [&str; 6] = ["state", "status", "code", "count", "failedtasks", "failed"];

/// Says in what two answers differ, AWS's first.
pub(super) fn between(theirs: Answered<'_>, ours: Answered<'_>) -> Vec<String> {
    match (theirs.0, ours.0) {
        (None, None) => states(theirs.1, ours.1),
        (Some(theirs), Some(ours)) if theirs == ours => Vec::new(),
        (Some(theirs), Some(ours)) => vec![format!("AWS refused with {theirs}, the simulation with {ours}")],
        (Some(theirs), None) => vec![format!("AWS refused with {theirs}, the simulation did not")],
        (None, Some(ours)) => vec![format!("AWS did it, the simulation refused with {ours}")],
    }
}

fn states(theirs: &Tree, ours: &Tree) -> Vec<String> {
    let (theirs, ours) = (theirs.leaves(), ours.leaves());
    let mut paths: Vec<_> = theirs.keys().chain(ours.keys()).filter(|path| is_state(path)).collect();
    paths.sort();
    paths.dedup();
    let of = |leaves: &std::collections::BTreeMap<String, Vec<String>>, path: &str| {
        let mut values = leaves.get(path).cloned().unwrap_or_default();
        // Which comes first in a list is nobody's promise.
        values.sort();
        values.join(", ")
    };
    let different = paths.into_iter().map(|path| (path, of(&theirs, path), of(&ours, path)));
    let different = different.filter(|(_, theirs, ours)| theirs != ours);
    different.map(|(path, theirs, ours)| format!("{path}: AWS said [{theirs}], the simulation [{ours}]")).collect()
}

fn is_state(path: &str) -> bool {
    let name = path.trim_end_matches("[]").rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    STATES.iter().any(|end| name.ends_with(end))
}
