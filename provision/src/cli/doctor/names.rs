//! The names on AWS: that they fit, and which were cut.

use std::collections::BTreeSet;

use super::super::session::Session;
use super::Finding;
use crate::names::Names;

const WHAT: &str = "names";

pub(super) fn look(session: &Session<'_>) -> Vec<Finding> {
    let names = Names::of(&session.deployment);
    let all = names.all();
    let long = all.iter().filter(|name| name.text.len() > name.longest).map(|name| {
        let (of, text, longest) = (name.of, &name.text, name.longest);
        Finding::bad(WHAT, format_args!("{of} {text} is longer than {longest} characters; shorten `app`"))
    });
    let mut findings: Vec<_> = long.collect();
    if findings.is_empty() {
        let cut: BTreeSet<_> = all.iter().filter(|name| names.is_cut(name)).map(|name| name.of).collect();
        let cut: Vec<_> = cut.into_iter().collect();
        let text = format!("all {} fit", all.len());
        findings.push(Finding::good(
            WHAT,
            match cut.as_slice() {
                [] => text,
                cut => format!("{text}; those of {} are cut and end in a hash", cut.join(" and ")),
            },
        ));
    }
    findings
}
