"""Where the control socket of a store is, short enough for the kernel, ours alone."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from thetawarden.errors import RefusedError

_PATH_BYTES_MAX = 100


class UnsafeSocketFolderError(RefusedError):
    """Somebody else owns or can enter the socket's folder. The person removes it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"control socket folder {folder} belongs to somebody else or is open to others;"
            " it must be ours with mode 0700. Remove it and start again"
        )


def socket_path(store: Path) -> Path:
    """The socket's path; server and client come to the same one without asking each other."""
    path = store / "control" / "desk.sock"
    if len(os.fsencode(path)) <= _PATH_BYTES_MAX:
        return path
    name = hashlib.sha256(os.fsencode(store.absolute())).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    return folder / f"thetawarden-{os.getuid()}-{name}" / "desk.sock"


def prepare_socket_folder(path: Path) -> None:
    """Make the folder with mode 0700, or refuse one that is not ours alone."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not ours or stat.S_IMODE(status.st_mode) & 0o077:
        raise UnsafeSocketFolderError(folder)
