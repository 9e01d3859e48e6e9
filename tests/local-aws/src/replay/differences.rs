//! What counts as a difference: allowed or refused, the error code, and the states of things.

use crate::tree::Tree;

/// The error code, if it is an error, and the answer.
type Answered<'a> = (Option<String>, &'a Tree);

/// Ends of the names of fields that say how far a thing has come; other codes and counts are settings.
const STATES: [&str; 9] = [
    "state",
    "status",
    "stopcode",
    "exitcode",
    "failurecode",
    "failedtasks",
    "runningcount",
    "pendingcount",
    "desiredcount",
];

/// Says in what two answers differ, AWS's first.
pub(super) fn between(theirs: Answered<'_>, ours: Answered<'_>) -> Vec<String> {
    match (theirs.0, ours.0) {
        (None, None) => states(theirs.1, ours.1),
        (Some(theirs), Some(ours)) if theirs == ours => Vec::new(),
        (Some(theirs), Some(ours)) => vec![format!("AWS refused with {theirs}, the simulation with {ours}")],
        (Some(theirs), None) => vec![format!("AWS refused with {theirs}, the simulation did not")],
        (None, Some(code)) => vec![format!("AWS did it, the simulation refused with {code}: {}", message(ours.1))],
    }
}

/// The sentence of a refusal.
fn message(answer: &Tree) -> String {
    let leaves = answer.leaves().into_iter();
    let is_message = |path: &str| path.rsplit('.').next().is_some_and(|name| name.eq_ignore_ascii_case("message"));
    leaves.filter(|(path, _)| is_message(path)).flat_map(|(_, texts)| texts).collect()
}

/// States that become others by themselves.
const PASSING: [&str; 9] = [
    "activating",
    "creating",
    "deleting",
    "deprovisioning",
    "draining",
    "in_progress",
    "initial",
    "pending",
    "provisioning",
];

/// A state in which something is on its way in our answer, and no longer in theirs.
pub(super) fn on_its_way(theirs: &Tree, ours: &Tree) -> Option<String> {
    let theirs = theirs.leaves();
    let passing = |path: &str, state: &String| {
        PASSING.contains(&state.to_ascii_lowercase().as_str())
            && theirs.get(path).is_some_and(|theirs| !theirs.contains(state))
    };
    let ours = ours.leaves().into_iter().filter(|(path, _)| is_state(path));
    ours.flat_map(|(path, states)| states.into_iter().find(|state| passing(&path, state))).next()
}

/// Whether their answer lists things, and ours none.
pub(super) fn shows_nothing(theirs: &Tree, ours: &Tree) -> bool {
    let lists = |tree: &Tree| tree.leaves().into_keys().any(|path| path.contains("[]"));
    lists(theirs) && !lists(ours)
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
    // Load balancers have their state in a `Code`.
    name == "code" || STATES.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_told_from_what_is_otherwise() {
        let of = |state: &str| Tree::of_text(&format!(r#"{{"Things": [{{"State": "{state}", "Name": "pending"}}]}}"#));
        assert_eq!(on_its_way(&of("available"), &of("creating")).as_deref(), Some("creating"));
        assert_eq!(on_its_way(&of("creating"), &of("creating")), None);
        assert_eq!(on_its_way(&of("creating"), &of("available")), None);
        assert_eq!(on_its_way(&of("available"), &of("failed")), None);
    }

    #[test]
    fn an_empty_list_shows_nothing() {
        let (one, none) = (Tree::of_text(r#"{"Things": [{"Id": "a"}]}"#), Tree::of_text(r#"{"Things": []}"#));
        assert!(shows_nothing(&one, &none) && !shows_nothing(&none, &one) && !shows_nothing(&one, &one));
    }

    #[test]
    fn settings_and_accounts_are_no_states() {
        assert!(is_state("LoadBalancers.member[].State.Code") && is_state("services[].runningCount"));
        assert!(!is_state("GetCallerIdentityResult.Account") && !is_state("member[].Matcher.HttpCode"));
    }
}
