"""Serves the control API on a unix socket that only our own user can reach.

Three locks, one behind the other: the folder (0700), the socket (0600, made so before anybody can
connect), and the kernel's word on who is at the other end. One request a connection, and it must
have come whole within the time a request may take, so that nobody can hold the door.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import Any

import h11
import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from thetawarden.infra.control.app import Operator, control_app
from thetawarden.infra.control.place import peer_uid, prepare_socket_folder, socket_address

CONNECTIONS_MAX = 64
HEADER_BYTES_MAX = 16 * 1024
STOP_TIMEOUT_S = 5.0
_COMING = (h11.IDLE, h11.SEND_BODY)


class _Connection(H11Protocol):
    """One caller: refused when it is not our user, hung up on when it does not get to the end."""

    request_timeout_s: float

    @override
    def connection_made(self, transport: Any) -> None:
        if peer_uid(transport.get_extra_info("socket")) != os.geteuid():
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._request_timer = self.loop.call_later(self.request_timeout_s, self._give_up_request)
        # the answer has its own time limit; a caller that will not read it has as long again
        self._answer_timer = self.loop.call_later(3 * self.request_timeout_s, transport.abort)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.flow is not None:
            self._request_timer.cancel()
            self._answer_timer.cancel()
        super().connection_lost(exc)

    def _give_up_request(self) -> None:
        if self.conn.their_state in _COMING:
            self.transport.abort()


class ControlServer:
    """The socket, served by a thread of its own."""

    def __init__(
        self, operator: Operator, path: Path, *, max_request_bytes: int, request_timeout_s: float
    ) -> None:
        self.path = path
        app = control_app(
            operator, max_request_bytes=max_request_bytes, request_timeout_s=request_timeout_s
        )
        config = uvicorn.Config(
            app,
            http=type("Connection", (_Connection,), {"request_timeout_s": request_timeout_s}),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            headers=[("connection", "close")],
            limit_concurrency=CONNECTIONS_MAX,
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
        with socket_address(self.path) as address:
            before = os.umask(0o177)
            try:
                self._socket.bind(address)
            finally:
                os.umask(before)
        self._socket.listen(CONNECTIONS_MAX)
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close and remove the socket."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _run(self) -> None:
        if self._socket is not None:
            asyncio.run(self._server.serve(sockets=[self._socket]))
