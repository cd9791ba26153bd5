"""One file under two names: a hard link where the file system has them, else a copy."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from modelzoo.common.files import atomic_path

NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}
"""What file systems answer that cannot link these two places."""


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name; what has that name is replaced when the new file is whole.

    Args:
        source: The file; where it is a symbolic link, what that leads to.
        target: Its second name; the folder must exist.

    Raises:
        WriteError: It cannot be written.
    """
    source = source.resolve() if source.is_symlink() else source
    if target.exists() and target.samefile(source):  # renaming one link over another would leave both
        return
    with atomic_path(target) as partial:
        partial.unlink(missing_ok=True)
        try:
            os.link(source, partial)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            shutil.copyfile(source, partial)
