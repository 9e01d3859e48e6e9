//! The kinds of resources: one file each. To add one, copy the file most like it.

use crate::aws::NotOurs;
use crate::context::OURS;

pub mod access_point;
pub mod alarms;
pub mod alias_record;
pub mod availability_zones;
pub mod certificate;
pub(crate) mod certificates;
pub mod dashboard;
pub mod default_security_group;
pub(crate) mod dns;
mod ec2_calls;
pub(crate) mod ec2_tags;
pub mod ecr_repository;
pub mod ecs_cluster;
pub mod ecs_service;
pub mod elastic_ip;
pub mod file_system;
pub mod file_system_policy;
pub mod flow_log;
pub mod hosted_zone;
pub mod iam_role;
pub mod identity;
pub mod image;
pub mod internet_gateway;
pub mod listener;
pub mod listener_rule;
pub mod load_balancer;
pub mod log_group;
pub mod mount_target;
pub mod nat_gateway;
pub mod oidc_provider;
pub mod old_certificates;
pub mod old_target_groups;
pub mod policy_document;
pub mod requested_certificate;
pub mod route_table;
pub mod scalable_target;
pub mod scaling_policy;
pub mod secret;
pub mod security_group;
pub mod security_group_rules;
pub mod service_linked_role;
pub mod subnet;
pub mod target_group;
pub mod task_definition;
pub mod topic;
pub mod vpc;
pub mod vpc_endpoint;
pub mod web_acl_association;

/// The error for an update of something that cannot change at all; planning blocks it before.
fn never_changes(kind: &str) -> anyhow::Error {
    anyhow::anyhow!("{kind} cannot change in place, and the plan should have said so; please report this")
}

/// Takes a field that AWS always sends, or says which one it did not.
fn sent<T>(field: Option<T>, name: &str) -> anyhow::Result<T> {
    use anyhow::Context as _;
    field.with_context(|| format!("AWS answered without {name}"))
}

/// Whether something carries our tags. Without them it is somebody else's, unless an earlier run knew it to be ours.
async fn is_marked(checked: Result<(), NotOurs>, known: impl AsyncFnOnce() -> bool) -> anyhow::Result<bool> {
    match checked {
        Ok(()) => Ok(true),
        Err(_) if known().await => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sorts what AWS lists in any order.
fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<_> = items.collect();
    items.sort_unstable();
    items
}

/// The name of the hint that an ARN is ours; its value tells later things of the same ARN apart.
pub(crate) fn owned(arn: &str) -> String {
    format!("{OURS}{arn}")
}
