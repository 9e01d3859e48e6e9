//! File systems and mount targets: they come and go in their own time.

use std::time::Duration;

use serde_json::{Value, json};

use super::interfaces::NewInterface;
use super::{World, text};
use crate::answer::Answer;
use crate::call::Call;

/// From created to available.
const CREATING: Duration = Duration::from_secs(12);
/// From created to available, for a mount target.
const MOUNTING: Duration = Duration::from_secs(90);
/// From available to resolvable by name.
const NAMING: Duration = Duration::from_secs(90);
/// From deleted to gone, for a mount target.
const UNMOUNTING: Duration = Duration::from_secs(40);
/// How long a change of settings keeps the next one out.
const CHANGING: Duration = Duration::from_millis(300);

/// A file system.
#[derive(Clone, Debug)]
pub struct FileSystem {
    created: Duration,
    /// When its settings were last changed.
    changed: Option<Duration>,
}

impl FileSystem {
    /// Whether it takes calls that need it to be available.
    pub fn takes_changes(&self, now: Duration) -> bool {
        now >= self.created + CREATING && self.changed.is_none_or(|changed| now >= changed + CHANGING)
    }
}

/// A mount target.
#[derive(Clone, Debug)]
pub struct MountTarget {
    /// What is mounted.
    pub file_system: String,
    /// Where.
    pub subnet: String,
    created: Duration,
    /// As the emulator last described it, because it forgets at once what AWS keeps for a while.
    description: Value,
    /// When it will be gone, once it was deleted.
    pub gone: Option<Duration>,
}

impl MountTarget {
    /// Whether a task can mount through it: it is available, and its name resolves.
    pub fn resolves(&self, now: Duration) -> bool {
        self.gone.is_none() && now >= self.created + MOUNTING + NAMING
    }
}

pub(super) fn observe(world: &mut World, call: &Call, answer: &mut Answer) {
    let now = world.now;
    match call.operation.as_str() {
        "CreateFileSystem" => {
            if world.holds("file_systems_create") {
                answer.edit(|body| body["LifeCycleState"] = json!("creating"));
            }
            let id = text(&answer.value()["FileSystemId"]);
            world.file_systems.entry(id).or_insert(FileSystem { created: now, changed: None });
        }
        "DescribeFileSystems" if world.holds("file_systems_create") => answer.edit(|body| {
            for found in body["FileSystems"].as_array_mut().into_iter().flatten() {
                let known = world.file_systems.get(&text(&found["FileSystemId"]));
                if known.is_some_and(|known| now < known.created + CREATING) {
                    found["LifeCycleState"] = json!("creating");
                }
            }
        }),
        "PutLifecycleConfiguration"
        | "PutBackupPolicy"
        | "PutFileSystemPolicy"
        | "DeleteFileSystemPolicy"
        | "UpdateFileSystem" => {
            if let Some(changed) = world.file_systems.get_mut(call.text("FileSystemId")) {
                changed.changed = Some(now);
            }
        }
        "DeleteFileSystem" => {
            world.file_systems.remove(call.text("FileSystemId"));
        }
        "CreateAccessPoint" => {
            let id = text(&answer.value()["AccessPointId"]);
            world.access_point_tokens.insert(id, call.text("ClientToken").to_owned());
        }
        "DeleteAccessPoint" => {
            world.access_point_tokens.remove(call.text("AccessPointId"));
        }
        "CreateMountTarget" => create_mount_target(world, call, answer),
        "DescribeMountTargets" => describe_mount_targets(world, call, answer),
        "ModifyMountTargetSecurityGroups" => {
            let groups: Vec<_> = call.fields["SecurityGroups"].as_array().into_iter().flatten().map(text).collect();
            world.interfaces.regroup(call.text("MountTargetId"), &groups);
        }
        "DeleteMountTarget" => {
            let id = call.text("MountTargetId");
            let unmounted = if world.holds("mount_targets_take_time") { now + UNMOUNTING } else { now };
            if let Some(target) = world.mount_targets.get_mut(id) {
                target.gone = Some(unmounted);
            }
            let released = if world.holds("interfaces_linger") { unmounted } else { now };
            world.interfaces.release(id, released);
        }
        _ => (),
    }
}

fn create_mount_target(world: &mut World, call: &Call, answer: &mut Answer) {
    if world.holds("mount_targets_take_time") {
        answer.edit(|body| body["LifeCycleState"] = json!("creating"));
    }
    let description = answer.value();
    let id = text(&description["MountTargetId"]);
    let (file_system, subnet) = (call.text("FileSystemId").to_owned(), call.text("SubnetId").to_owned());
    let groups = call.fields["SecurityGroups"].as_array().into_iter().flatten().map(text).collect();
    let interface = world.interfaces.add(NewInterface {
        description: format!("EFS mount target for {file_system} ({id})"),
        subnet: subnet.clone(),
        groups,
        public: false,
    });
    let mut description = description;
    description["NetworkInterfaceId"] = json!(interface);
    let target = MountTarget { file_system, subnet, created: world.now, description, gone: None };
    world.mount_targets.insert(id, target);
}

fn describe_mount_targets(world: &World, call: &Call, answer: &mut Answer) {
    let now = world.now;
    let wanted = call.text("FileSystemId");
    answer.edit(|body| {
        let Some(listed) = body["MountTargets"].as_array_mut() else { return };
        for found in &mut *listed {
            let known = world.mount_targets.get(&text(&found["MountTargetId"]));
            if let Some(known) = known {
                found["NetworkInterfaceId"] = known.description["NetworkInterfaceId"].clone();
            }
            if known.is_some_and(|known| now < known.created + MOUNTING) && world.holds("mount_targets_take_time") {
                found["LifeCycleState"] = json!("creating");
            }
        }
        let lingering = world.mount_targets.values().filter(|it| it.file_system == wanted);
        for target in lingering.filter(|it| it.gone.is_some_and(|gone| gone > now)) {
            let mut description = target.description.clone();
            description["LifeCycleState"] = json!("deleting");
            listed.push(description);
        }
    });
}
