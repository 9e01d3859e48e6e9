"""Disks: a file system is a folder on this machine, an access point a folder in it.

Restored: a task's EFS volume is really there, shared by all tasks and kept over redeploys (ministack
ignores it); it cannot be mounted without a mount target; it belongs to the access point's user; and the
data goes when the file system is deleted.
"""

import shutil

from ministack.services import efs

from stand_in import settings


def install():
    efs._delete_file_system = _with_its_data(efs._delete_file_system)


def _folder(file_system_id):
    return settings.FOLDER / "efs" / file_system_id


def mounted(volume):
    """The folder behind an `efsVolumeConfiguration`, ready for its user; what fails on AWS fails here."""
    file_system_id = volume["fileSystemId"]
    mounts = [mount for mount in efs._mount_targets.values() if mount["FileSystemId"] == file_system_id]
    if file_system_id not in efs._file_systems or not mounts:
        raise RuntimeError(
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
            f'Failed to resolve "{file_system_id}.efs": no mount target of this file system in the task\'s zones'
        )
    access_point_id = (volume.get("authorizationConfig") or {}).get("accessPointId")
    if access_point_id is None:
        return _prepared(_folder(file_system_id), None)
    access_point = efs._access_points.get(access_point_id)
    if access_point is None or access_point["FileSystemId"] != file_system_id:
        raise RuntimeError(f"ResourceInitializationError: access point {access_point_id} is not of {file_system_id}")
    path = access_point["RootDirectory"].get("Path", "/").strip("/")
    return _prepared(_folder(file_system_id) / path, access_point.get("PosixUser"))


def _prepared(folder, user):
    folder.mkdir(parents=True, exist_ok=True)
    try:
        folder.chmod(0o755)
        if user:
            shutil.chown(folder, user["Uid"], user["Gid"])
    except PermissionError:
        # Only root gives folders away. The access point would let its user write; so must this.
        folder.chmod(0o777)
    return folder


def _with_its_data(delete_file_system):
    def delete(file_system_id):
        status, headers, body = delete_file_system(file_system_id)
        if status < 300:
            shutil.rmtree(_folder(file_system_id), ignore_errors=True)
        return status, headers, body

    return delete
