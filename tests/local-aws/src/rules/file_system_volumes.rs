//! A volume with an access point is mounted encrypted, and at the access point's own root.

use serde_json::json;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") {
        return FINE;
    }
    let volumes = call.fields["volumes"].as_array().into_iter().flatten();
    for volume in volumes.map(|it| &it["efsVolumeConfiguration"]) {
        let authorization = &volume["authorizationConfig"];
        let has_access_point = !authorization["accessPointId"].is_null();
        let root = volume["rootDirectory"].as_str().unwrap_or("/");
        if has_access_point && root != "/" {
            return no(
                "ClientException",
                "If an access point is specified in the authorizationConfig, the root directory must be omitted or '/'.",
            );
        }
        let needs = has_access_point || authorization["iam"] == json!("ENABLED");
        if needs && volume["transitEncryption"] != json!("ENABLED") {
            return no(
                "ClientException",
                "Transit encryption must be enabled when an access point or IAM authorization is used.",
            );
        }
    }
    FINE
}
