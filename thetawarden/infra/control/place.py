"""Where the control socket of a store is: in the store, in a folder that is ours alone."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from thetawarden.config.problems import one_line
from thetawarden.errors import RefusedError

HOST = "desk"
"""The one name the API answers to: none that any resolver could be made to give it."""
_ADDRESS_BYTES_MAX = 100  # the kernel takes 107
_UCRED = struct.Struct("3i")


class UnsafeSocketFolderError(RefusedError):
    """Somebody else owns or can enter the socket's folder. The person removes it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"control socket folder {one_line(str(folder), 400)} belongs to somebody else or is"
            " open to others; it must be ours with mode 0700. Remove it and start again"
        )


def socket_path(store: Path) -> Path:
    """The socket's path; server and client come to the same one without asking each other."""
    return store / "control" / "desk.sock"


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """What to bind or connect to: the path, or a short name for it where the kernel needs one."""
    if len(os.fsencode(path)) <= _ADDRESS_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def prepare_socket_folder(path: Path) -> None:
    """Make the folder with mode 0700, or refuse one that is not ours alone."""
    folder = path.parent
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not ours or stat.S_IMODE(status.st_mode) & 0o077:
        raise UnsafeSocketFolderError(folder)


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end, by the kernel's word."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])
