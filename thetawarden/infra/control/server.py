"""Serves the control API on a unix socket that only our own user can reach.

Three locks, one behind the other: the folder (0700), the socket (0600, made so before anybody can
connect), and the kernel's word on who is at the other end.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from thetawarden.infra.control.app import Operator, control_app
from thetawarden.infra.control.place import prepare_socket_folder

_UCRED = struct.Struct("3i")
CONNECTIONS_MAX = 64
HEADER_BYTES_MAX = 16 * 1024


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end, by the kernel's word."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


class _OnlyOurUser(H11Protocol):
    @override
    def connection_made(self, transport: Any) -> None:
        if peer_uid(transport.get_extra_info("socket")) != os.getuid():
            transport.abort()
            return
        super().connection_made(transport)


class ControlServer:
    """The socket, served by a thread of its own."""

    def __init__(self, operator: Operator, path: Path, *, max_request_bytes: int) -> None:
        self.path = path
        app = control_app(operator, max_request_bytes=max_request_bytes)
        config = uvicorn.Config(
            app,
            http=_OnlyOurUser,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        )
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Bind and listen; the socket answers when this returns."""
        prepare_socket_folder(self.path)
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(self.path))
        finally:
            os.umask(before)
        self._socket.listen(CONNECTIONS_MAX)
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close and remove the socket."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(5)
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        if self._socket is not None:
            asyncio.run(self._server.serve(sockets=[self._socket]))
