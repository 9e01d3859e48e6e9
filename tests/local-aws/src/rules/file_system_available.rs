//! Settings and mount targets of a file system wait until it is available, and one change waits for the other.

use super::FINE;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

const NEEDS_IT: [&str; 7] = [
    "CreateMountTarget",
    "CreateAccessPoint",
    "PutLifecycleConfiguration",
    "PutBackupPolicy",
    "PutFileSystemPolicy",
    "DeleteFileSystemPolicy",
    "UpdateFileSystem",
];

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "elasticfilesystem" || !NEEDS_IT.contains(&call.operation.as_str()) {
        return FINE;
    }
    let id = call.text("FileSystemId");
    let file_system = world.file_systems.get(id)?;
    if file_system.takes_changes(world.now) {
        return FINE;
    }
    let message = format!("None of the file system {id} can be changed in its current life cycle state");
    Some(Refusal { status: 409, ..Refusal::new("IncorrectFileSystemLifeCycleState", message) })
}
