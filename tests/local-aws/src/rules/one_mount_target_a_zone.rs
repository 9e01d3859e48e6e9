//! A file system has one mount target in a zone, and stays while it has any.

use super::FINE;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let file_system = call.text("FileSystemId");
    let zone = |subnet: &str| world.network.subnets.get(subnet).map(|it| it.zone.clone());
    let mut there = world
        .mount_targets
        .values()
        .filter(|it| it.file_system == file_system && it.gone.is_none_or(|gone| gone > world.now));
    if call.is("elasticfilesystem", "CreateMountTarget")
        && there.any(|it| zone(&it.subnet) == zone(call.text("SubnetId")))
    {
        let refusal = Refusal::new("MountTargetConflict", "mount target already exists in this AZ");
        return Some(Refusal { status: 409, ..refusal });
    }
    if call.is("elasticfilesystem", "DeleteFileSystem") && there.next().is_some() {
        let message = format!("file system {file_system} has mount targets and cannot be deleted");
        return Some(Refusal { status: 409, ..Refusal::new("FileSystemInUse", message) });
    }
    FINE
}
