//! Whether there is a case for every field of every kind of resource, and for its loss.

use std::collections::{BTreeMap, BTreeSet};

use provision::context::Context;
use provision::context::Look;
use provision::guard::Access;
use provision::our_stack::{OurStack, pipeline};
use provision::plan::{World, observe};
use provision::run::look;
use provision::stack::Stack;
use serde_json::Value;

use crate::account::Account;
use crate::case::Case;
use crate::{containers, edge, hardened, identity, monitoring, network, storage, untagged};

const ALL: [&[Case]; 35] = [
    network::CHANGED,
    network::BEHIND_NAT,
    network::MADE_OTHERWISE,
    network::MADE_ANEW,
    network::MADE_ANEW_BEHIND_NAT,
    network::GATEWAY,
    edge::LOAD_BALANCER,
    edge::TARGETS,
    edge::LISTENERS,
    edge::MADE_ANEW,
    edge::NAME,
    storage::DISK,
    storage::MADE_ANEW,
    storage::MADE_OTHERWISE,
    storage::KEPT,
    storage::UNTAGGED,
    identity::ROLES,
    identity::PIPELINE,
    containers::TASK,
    containers::SERVICE,
    containers::SCALING,
    containers::UNTAGGED,
    monitoring::CASES,
    untagged::NETWORK,
    untagged::BEHIND_NAT,
    untagged::OPTIONS,
    hardened::ENDPOINTS,
    hardened::FLOW_LOG,
    hardened::ACCESS_LOGS,
    hardened::FIREWALL,
    hardened::NO_FIREWALL,
    hardened::KEY,
    hardened::SESSIONS,
    hardened::MADE_OTHERWISE,
    hardened::MADE_BEFORE,
];

/// Maps whose keys are names that we gave: one case for any of them will do.
const NAMED: [(&str, &str); 8] = [
    ("CloudWatch alarms", ""),
    ("CloudWatch alarms", "*.queries"),
    ("CloudWatch dashboard", "widgets"),
    ("IAM role", "policies"),
    ("task definition", "container.environment"),
    ("task definition", "container.secrets"),
    ("task definition", "container.mounts"),
    ("ECR repository", "lifecycle_policy"),
];

/// Documents that are compared as a whole, whatever is in them.
const WHOLE: [(&str, &str); 11] = [
    ("CloudWatch alarms", "*.metric.dimensions"),
    ("CloudWatch alarms", "*.queries.*.metric.dimensions"),
    ("CloudWatch dashboard", "widgets.*"),
    ("CloudWatch dashboard", "settings"),
    ("ECR repository", "lifecycle_policy.*"),
    ("EFS policy", "policy"),
    ("IAM role", "trust"),
    ("IAM role", "policies.*"),
    ("SNS topic", "policy"),
    ("task definition", "container.environment.*"),
    ("VPC endpoint", "policy"),
];

/// Fields without a case, each with its reason.
const NO_CASE: [(&str, &str, &str); 15] = [
    ("EFS access point", "file_system_id", "an access point is looked for in our file system only"),
    ("EFS access point", "path", "it is found by its path; with another path it is another one"),
    ("EFS file system", "state", "passes by itself; a run that was killed while waiting leaves it"),
    ("EFS mount target", "file_system_id", "it is found by what it connects, and AWS changes neither end"),
    ("EFS mount target", "subnet_id", "it is found by what it connects, and AWS changes neither end"),
    ("EFS mount target", "state", "passes by itself; a run that was killed while waiting leaves it"),
    ("ECS service", "rollout", "what came of the newest deployment; `deploys` and `matrix` let it fail"),
    ("NAT gateway", "state", "passes by itself; a run that was killed while waiting leaves it"),
    ("VPC endpoint", "state", "passes by itself; a run that was killed while waiting leaves it"),
    ("alias record", "target_zone", "AWS refuses an alias of a load balancer in another zone than its own"),
    ("certificate", "domain", "it is found by its domain, which AWS never changes"),
    ("certificate", "state", "passes by itself; `domain` lets it fail"),
    ("elastic IP", "domain", "AWS gives addresses in networks only"),
    ("load balancer", "state", "passes by itself; a run that was killed while waiting leaves it"),
    ("security group rules", "group_id", "they are those of our group, whose loss is a case of the group"),
];

/// Kinds that nobody can take away from us, or whose loss is no matter of a deploy, each with its reason.
const NO_LOSS: [(&str, &str); 8] = [
    ("VPC", "AWS deletes no network with anything in it: `what_is_in_use_cannot_be_taken_away`"),
    ("account", "it is where we are"),
    ("availability zones", "AWS's own"),
    ("hosted zone", "somebody's; without it the plan stops: `domain`"),
    ("security group", "AWS deletes none that an interface has: `what_is_in_use_cannot_be_taken_away`"),
    ("security group rules", "they come with their group, and are compared one by one"),
    ("service-linked role", "AWS deletes none while something of ours uses it"),
    ("subnet", "AWS deletes none with interfaces in it: `what_is_in_use_cannot_be_taken_away`"),
];

/// What a case may name: kind and name of each resource of the stacks, and every field of every kind.
#[derive(Default)]
struct Known {
    kinds: BTreeMap<String, String>,
    fields: BTreeSet<(String, String)>,
}

impl Known {
    fn learn(&mut self, stack: &Stack, world: &World) {
        for id in stack.described() {
            self.kinds.insert(stack.name(id).to_owned(), stack.kind(id).to_owned());
        }
        for (id, spec) in world.specs() {
            let kind = stack.kind(id);
            leaves(kind, "", spec, &mut self.fields);
        }
    }

    /// A field that is nothing in one resource and has parts in another one has a case in its parts.
    fn without_parents(self) -> Self {
        let fields: BTreeSet<_> = self.fields.iter().cloned().collect();
        let is_parent = |(kind, path): &(String, String)| {
            fields.iter().any(|(other, below)| other == kind && below.starts_with(&format!("{path}.")))
        };
        Self { fields: self.fields.into_iter().filter(|field| !is_parent(field)).collect(), ..self }
    }
}

fn is(list: &[(&str, &str)], kind: &str, path: &str) -> bool {
    list.contains(&(kind, path))
}

fn leaves(kind: &str, path: &str, value: &Value, into: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() && !is(&WHOLE, kind, path) => {
            for (key, value) in fields {
                let key = if is(&NAMED, kind, path) { "*" } else { key };
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                leaves(kind, &path, value, into);
            }
        }
        // A resource without fields has nothing to change.
        _ if path.is_empty() => (),
        _ => drop(into.insert((kind.to_owned(), path.to_owned()))),
    }
}

/// A path of a plan in the form of the leaves.
fn general(kind: &str, path: &str) -> String {
    let mut general = String::new();
    for part in path.split('.') {
        if is(&WHOLE, kind, &general) {
            break;
        }
        let part = if is(&NAMED, kind, &general) { "*" } else { part };
        general = if general.is_empty() { part.to_owned() } else { format!("{general}.{part}") };
    }
    general
}

/// All that there may be: the stack with and without its options, and that of the pipeline.
async fn known() -> Known {
    let mut known = Known::default();
    for account in [Account::with_nat().await, Account::with_domain().await, Account::hardened().await] {
        let ours = OurStack::new(&account.runs.deployment, account.runs.image.clone());
        let aws = account.runs.cloud.aws(account.runs.owner(), Access::ReadOnly);
        known.learn(&ours.stack, &look(&ours, &account.runs.record(), &aws, Look::Afresh).await.unwrap());
    }
    let account = Account::empty().await;
    identity::apply(&account).await;
    let stack = pipeline::stack(&account.runs.deployment, &identity::github());
    let aws = account.runs.cloud.aws(account.runs.owner(), Access::ReadOnly);
    known.learn(&stack, &observe(&stack, &Context::silent(aws)).await.unwrap());
    known.without_parents()
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_kind_has_a_case_and_so_has_every_loss() {
    let known = known().await;
    let (mut changed, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for line in ALL.into_iter().flatten().flat_map(|case| case.finds) {
        let mut words = line.split(' ');
        let (sign, name) = (words.next().unwrap(), words.next().unwrap());
        if sign == "x" {
            continue;
        }
        let kind = known.kinds.get(name).unwrap_or_else(|| panic!("no stack has the {name} of {line:?}"));
        match sign {
            "~" | "!" => changed.extend(words.map(|path| (kind.clone(), general(kind, path)))),
            "+" => drop(lost.insert(kind.clone())),
            _ => (),
        }
    }
    let excepted: BTreeSet<_> =
        NO_CASE.iter().map(|(kind, path, _)| ((*kind).to_owned(), (*path).to_owned())).collect();
    let missing: Vec<_> = known.fields.iter().filter(|it| !changed.contains(*it) && !excepted.contains(*it)).collect();
    assert!(missing.is_empty(), "no case changes these fields (give each one, or a reason in NO_CASE): {missing:#?}");
    let idle: Vec<_> = excepted.iter().filter(|it| changed.contains(*it) || !known.fields.contains(*it)).collect();
    assert!(idle.is_empty(), "NO_CASE has lines that nothing needs: {idle:#?}");
    let kinds: BTreeSet<_> = known.kinds.values().cloned().collect();
    let stays: BTreeSet<_> = NO_LOSS.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    let missing: Vec<_> = kinds.iter().filter(|kind| !lost.contains(*kind) && !stays.contains(*kind)).collect();
    assert!(missing.is_empty(), "no case takes these away (give each one, or a reason in NO_LOSS): {missing:?}");
    let idle: Vec<_> = stays.iter().filter(|kind| lost.contains(*kind) || !kinds.contains(*kind)).collect();
    assert!(idle.is_empty(), "NO_LOSS has lines that nothing needs: {idle:?}");
}
