"""A file system can be backed up.

moto: does not know PutBackupPolicy, and answers 500.
AWS: switches backups on and off for an available file system (row 39).
Needed: backups of the disk are on from the first deploy.
"""

import json

from moto.efs.responses import EFSResponse


def install():
    EFSResponse.put_backup_policy = _put


def _put(self):
    policy = self._get_param("BackupPolicy")
    self.efs_backend.file_systems_by_id[self._get_param("FileSystemId")]._backup = policy["Status"] == "ENABLED"
    return json.dumps({"BackupPolicy": policy}), {"Content-Type": "application/json"}
