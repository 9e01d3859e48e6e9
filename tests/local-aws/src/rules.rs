//! What AWS refuses and the emulator does not: one small file a rule, each naming its row in the list of facts.

use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, which is its file's.
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
            vec![$(Rule { name: stringify!($name), fact: $fact, refuses: $name::refuses }),+]
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
    certificate_issued = 9,
    known_tls_policy = 11,
    one_listener_a_port = 12,
    priority_in_use = 13,
    target_group_on_a_listener = 14,
    ip_targets = 15,
    container_and_port_exist = 16,
    network_configuration = 17,
    fargate_sizes = 19,
    linked_role_first = 26,
    service_twice = 28,
    cluster_with_services = 32,
    group_in_use = 34,
    subnet_in_use = 35,
    mapped_addresses = 36,
    file_system_available = 39,
    one_mount_target_a_zone = 40,
    access_point_twice = 41,
    protected_from_deletion = 55,
    retention_days = 44,
    group_names = 47,
    scaling_of_a_service = 49,
    duplicate_rule = 55,
    associated_once = 55,
}

/// A rule's answer when everything is in order.
const FINE: Option<Refusal> = None;

/// A refusal, ready to be returned.
fn no(code: &str, message: impl Into<String>) -> Option<Refusal> {
    Some(Refusal::new(code, message))
}
