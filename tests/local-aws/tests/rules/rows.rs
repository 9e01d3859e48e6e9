//! The table: every one of the fifty-five facts is a rule, and every rule has its probe.

use std::collections::BTreeSet;

use local_aws::rules;

use crate::{balancing, containers, identity, names_and_metrics, network, services, storage};

fn probed() -> BTreeSet<&'static str> {
    let lists = [
        balancing::PROBED,
        containers::PROBED,
        identity::PROBED,
        names_and_metrics::PROBED,
        network::PROBED,
        services::PROBED,
        storage::PROBED,
    ];
    lists.concat().into_iter().collect()
}

#[test]
fn every_rule_has_a_probe() {
    // The rule of all fields has its own tests in tests/models.rs.
    let rules = rules::all().into_iter().map(|rule| rule.name).filter(|name| *name != rules::MODEL);
    let rules: BTreeSet<_> = rules.collect();
    let probed = probed();
    let missing: Vec<_> = rules.difference(&probed).collect();
    assert!(missing.is_empty(), "rules without a probe: {missing:?}");
    let unknown: Vec<_> = probed.difference(&rules).collect();
    assert!(unknown.is_empty(), "probes without a rule: {unknown:?}");
}

#[test]
fn every_one_of_the_fifty_five_facts_is_a_rule() {
    let rows: BTreeSet<_> = rules::all().iter().map(|rule| rule.fact).collect();
    let missing: Vec<_> = (1..=55).filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "facts that no rule enforces: {missing:?}");
}

/// The facts that would break a first run, each with the rules in which it is.
const FIRST_RUN: [(u8, &[&str]); 14] = [
    (1, &["circuit_breaker"]),
    (2, &["web_identity"]),
    (3, &["github_subject"]),
    (4, &["target_group_on_a_listener"]),
    (5, &["certificate_issued"]),
    (6, &["linked_role_first"]),
    (7, &["mount_targets_take_time"]),
    (8, &["roles_propagate"]),
    (9, &["mapped_addresses", "group_in_use", "interfaces_linger"]),
    (10, &["deployments_take_time", "services_drain"]),
    (11, &["draining_needs_its_role"]),
    (12, &["secret_in_recovery"]),
    (13, &["circuit_breaker"]),
    (14, &["role_descriptions", "group_names"]),
];

#[test]
fn the_facts_that_would_break_a_first_run_are_rules() {
    // The other one, 15, is why provision compares codes and not types.
    let rules: BTreeSet<_> = rules::all().iter().map(|rule| rule.name).collect();
    for (fact, names) in FIRST_RUN {
        for name in names {
            assert!(rules.contains(name), "fact {fact} should be in {name}");
        }
    }
}
