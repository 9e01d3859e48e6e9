//! A load balancer tries the bucket that it is to write into, and is told off if the bucket does not let it.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "ModifyLoadBalancerAttributes") {
        return FINE;
    }
    let at = |index: u32, part: &str| call.fields[format!("Attributes.member.{index}.{part}")].as_str();
    let asked = |name: &str| {
        let mut keys = (1..).map_while(|index| Some((index, at(index, "Key")?)));
        keys.find(|(_, key)| *key == name).and_then(|(index, _)| at(index, "Value"))
    };
    let bucket = asked("access_logs.s3.bucket").unwrap_or_default();
    if asked("access_logs.s3.enabled") == Some("true") && !world.log_buckets.contains(bucket) {
        let message = format!("Access Denied for bucket: {bucket}. Please check S3bucket permission");
        return no("InvalidConfigurationRequest", message);
    }
    FINE
}
