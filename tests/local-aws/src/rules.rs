//! What AWS does and the emulator does not: one small file for each refusal, one name for each life cycle.
//!
//! Every rule has the number of its row in the project's list of fifty-five facts about AWS, or 0 when it stands beside
//! that list, and every rule can be switched off: `tests/rules` shows for each that the same probe then ends otherwise.

use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name; a refusal's is its file's.
    pub name: &'static str,
    /// The number of the fact that it enforces, in the project's list of what AWS really does.
    pub fact: u8,
    /// Looks at a call, and refuses it as AWS would.
    pub refuses: fn(&Call, &World) -> Option<Refusal>,
}

macro_rules! rules {
    ($($name:ident = $fact:literal),+ $(,)?) => {
        $(mod $name;)+

        /// All rules.
        pub fn all() -> Vec<Rule> {
            let refusals = vec![$(Rule { name: stringify!($name), fact: $fact, refuses: $name::refuses }),+];
            let cycles = CYCLES.map(|(name, fact)| Rule { name, fact, refuses: |_, _| FINE });
            let model = Rule { name: MODEL, fact: 0, refuses: |call, _| crate::model::refuses(call) };
            std::iter::once(model).chain(refusals).chain(cycles).collect()
        }
    };
}

rules! {
    two_zones = 1,
    one_subnet_a_zone = 2,
    internet_gateway_first = 3,
    load_balancer_name = 4,
    same_load_balancer = 5,
    same_target_group = 6,
    certificate_for_https = 8,
    certificate_exists = 10,
    certificate_issued = 9,
    known_tls_policy = 11,
    one_listener_a_port = 12,
    priority_in_use = 13,
    target_group_on_a_listener = 14,
    ip_targets = 15,
    container_and_port_exist = 16,
    network_configuration = 17,
    grace_with_load_balancer = 18,
    fargate_sizes = 19,
    awsvpc_only = 19,
    execution_role = 20,
    host_ports = 21,
    containers = 22,
    no_empty_tags = 22,
    file_system_volumes = 23,
    roles_of_tasks = 24,
    linked_role_first = 26,
    linked_role_twice = 27,
    service_twice = 28,
    deployment_over = 30,
    service_scaled_above_zero = 31,
    cluster_with_services = 32,
    active_task_definition = 33,
    inactive_task_definition = 33,
    group_in_use = 34,
    subnet_in_use = 35,
    mapped_addresses = 36,
    network_in_use = 38,
    file_system_available = 39,
    one_mount_target_a_zone = 40,
    access_point_twice = 41,
    secret_in_recovery = 42,
    secret_names = 43,
    retention_days = 44,
    log_group_names = 44,
    policy_documents = 45,
    policy_sizes = 45,
    role_names = 45,
    role_descriptions = 45,
    github_subject = 46,
    group_names = 47,
    scaling_of_a_service = 49,
    scaling_needs_a_target = 49,
    alarm_periods = 51,
    dashboard_names = 51,
    topic_tags = 51,
    not_visible_yet = 52,
    throttle_buckets = 53,
    authorisation = 54,
    protected_from_deletion = 0,
    duplicate_rule = 0,
    associated_once = 0,
    attached_gateway = 0,
    bucket_for_access_logs = 0,
    firewall_knows_both = 0,
    firewall_hears_late = 0,
    endpoint_names_conflict = 0,
    flow_log_twice = 0,
    key_of_a_log_group = 0,
    log_of_sessions = 0,
    one_endpoint_subnet_a_zone = 0,
    one_gateway_endpoint_a_table = 0,
    role_of_a_flow_log = 0,
    open_from_the_start = 0,
    interactive_sessions = 0,
    cluster_exists = 0,
    web_identity = 0,
}

/// What takes its time, goes its own way or is refused in the middle of the work; `world` asks whether these hold.
const CYCLES: [(&str, u8); 23] = [
    // From created to active.
    ("load_balancers_provision", 7),
    // New roles cannot be assumed for a while.
    ("roles_propagate", 25),
    // Tasks start, become healthy and drain in their own time.
    ("deployments_take_time", 29),
    // Failing deployments are given up, and what ran before runs again.
    ("circuit_breaker", 29),
    // A deleted service drains before it is inactive.
    ("services_drain", 31),
    // Without its role, a draining service never gets there; beside the list, fact 11 of its first part.
    ("draining_needs_its_role", 0),
    // Interfaces outlive what they belong to.
    ("interfaces_linger", 37),
    ("file_systems_create", 39),
    // Mount targets come, get their names, and go, in their own time.
    ("mount_targets_take_time", 40),
    // A task does not start without the keys that it names.
    ("secret_keys_at_start", 43),
    // A secret with a key of its own is read only by a role that may use the key.
    ("secrets_need_their_key", 0),
    // What was made a moment ago does not show in lists.
    ("read_your_write_gap", 52),
    // A changed attribute reads as it was, for a moment.
    ("stale_attributes", 52),
    // A certificate waits for its record.
    ("certificate_validation", 9),
    // A certificate that a listener has stays.
    ("certificate_in_use", 50),
    // A record is deleted by saying exactly what it is.
    ("record_deletions", 48),
    // An alias of a load balancer names the zone of load balancers.
    ("alias_zones", 48),
    // A zone is busy with one batch of changes at a time.
    ("one_batch_at_a_time", 0),
    // Changes of names are pending for a while.
    ("changes_of_names_spread", 0),
    // NAT gateways come up slowly, or fail with a code.
    ("nat_gateways_take_time", 0),
    // Endpoints with addresses come and go slowly.
    ("endpoints_take_time", 0),
    // The agent that runs commands in a task is connected only some time after the task began.
    ("agents_connect", 0),
    // The work is done and nobody hears of it: the fault plan decides when.
    ("answers_get_lost", 55),
];

/// The rule of all fields: they fit AWS's own service models.
pub const MODEL: &str = "service_model";

/// The names of the life cycles.
pub(crate) fn cycles() -> impl Iterator<Item = &'static str> {
    CYCLES.iter().map(|(name, _)| *name)
}

/// A rule's answer when everything is in order.
const FINE: Option<Refusal> = None;

/// A refusal, ready to be returned.
fn no(code: &str, message: impl Into<String>) -> Option<Refusal> {
    Some(Refusal::new(code, message))
}

/// Whether a task definition is for Fargate.
fn is_fargate(call: &Call) -> bool {
    let mut needs = call.fields["requiresCompatibilities"].as_array().into_iter().flatten();
    needs.any(|it| it.as_str() == Some("FARGATE"))
}
