"""The policy of a file system can be taken away.

moto: knows PutFileSystemPolicy and no DeleteFileSystemPolicy, and answers that with 500.
AWS: has both (the API reference of EFS).
Needed: destroy takes the policy from a file system that it keeps.
"""

from moto.efs.responses import EFSResponse


def install():
    EFSResponse.delete_file_system_policy = _delete


def _delete(self):
    self.efs_backend.file_systems_by_id[self._get_param("FileSystemId")].file_system_policy = None
    return "", {}
