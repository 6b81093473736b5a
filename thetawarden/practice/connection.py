"""One TCP connection: bytes to frames, the handshake, and who has been silent for too long.

The first four bytes decide what it is: `API` a trading client, `ADM` the admin channel, anything
else is dropped. Nothing received here can raise out of the event loop.
"""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from typing import TYPE_CHECKING

import structlog
from typing_extensions import override

from thetawarden.practice.admin import ADMIN_PREFIX, LINE_BYTES_MAX, answer_line
from thetawarden.practice.gateway.session import Session
from thetawarden.practice.wire.encode import session as encode
from thetawarden.practice.wire.framing import FrameSplitter, FrameTooLongError
from thetawarden.practice.wire.handshake import PREFIX, negotiate, wants_pacing
from thetawarden.practice.wire.incoming import Incoming
from thetawarden.practice.wire.reader import MalformedError
from thetawarden.practice.wire.requests.simple import StartApi
from thetawarden.practice.wire.requests.table import decode

if TYPE_CHECKING:
    from thetawarden.practice.server import Server

_log = structlog.get_logger(__name__)
_PREFIX_BYTES = 4
UNHEARD_BYTES_MAX = 1 << 20
"""What a mute gateway keeps of each peer, to carry out when it wakes up."""


class Stage(enum.StrEnum):
    """How far a connection has come."""

    PREFIX = "prefix"
    ADMIN = "admin"
    VERSION = "version"
    START = "start"
    RUNNING = "running"
    CLOSED = "closed"


class Connection(asyncio.Protocol):
    """A peer, from its first byte to its last."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._gateway = server.gateway
        self._stage = Stage.PREFIX
        self._head = bytearray()
        self._unheard = bytearray()
        self._unheard_since_s = 0.0
        self._frames = FrameSplitter()
        self._version = 0
        self._paced = False
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None
        self._waiting_since_s: float | None = None

    @property
    def is_operator(self) -> bool:
        """Whether it is somebody at the admin channel, and no client."""
        return self._stage is Stage.ADMIN

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the peer in, unless there are too many."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP servers give nothing else
        self._transport = transport
        self._waiting_since_s = self._server.now_s()
        if not self._server.admit(self):
            self.close(abort=True)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone, however it went."""
        self._stage = Stage.CLOSED
        self._server.forget(self)
        if self._session is not None:
            self._session.close(abort=True)

    @override
    def data_received(self, data: bytes) -> None:
        """Take bytes; drop the peer at garbage."""
        if self._stage is Stage.CLOSED:
            return
        if self._stage in (Stage.PREFIX, Stage.ADMIN):
            self._head += data
            if len(self._head) > LINE_BYTES_MAX:
                self._drop("prefix_too_long")
                return
            data = self._leave_prefix()
            if not data:
                return
        if self._gateway.seams.mute:
            if not self._unheard:
                self._unheard_since_s = self._server.now_s()
            self._unheard += data
            if len(self._unheard) > UNHEARD_BYTES_MAX:
                self._drop("unheard_too_long")
            return
        now_s = self._server.now_s()
        since_s = self._server.stalls.unread_since_s(now_s)
        self._server.stalls.note_work(now_s)
        self._hear(data, since_s=since_s, now_s=now_s)

    def _hear(self, data: bytes, *, since_s: float, now_s: float) -> None:
        """Carry out what has come since then, and was read now."""
        try:
            payloads = self._frames.feed(data)
        except FrameTooLongError as error:
            self._drop(str(error))
            return
        self._note_progress(payloads)
        for payload in payloads:
            self._take(payload, since_s=since_s, read_s=now_s)
        self._gateway.flush()

    def check(self, now_s: float) -> None:
        """Hear what came while mute; drop a peer that leaves a frame unfinished for too long."""
        if self._gateway.seams.mute or self._stage is Stage.CLOSED:
            return
        if self._unheard:
            unheard = bytes(self._unheard)
            self._unheard.clear()
            self._hear(unheard, since_s=self._unheard_since_s, now_s=now_s)
        if self._waiting_since_s is None:
            return
        settings = self._gateway.settings
        running = self._stage is Stage.RUNNING
        allowed_s = settings.frame_deadline_s if running else settings.handshake_deadline_s
        if now_s - self._waiting_since_s > allowed_s:
            self._drop("deadline")

    def write(self, data: bytes) -> None:
        """Take bytes for the peer."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def backlog_bytes(self) -> int:
        """Bytes the peer has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def close(self, *, abort: bool) -> None:
        """End the connection, at once or when the rest is written."""
        self._stage = Stage.CLOSED
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()

    def reset(self) -> None:
        """End the connection with a TCP reset: unsent bytes are lost."""
        if self._transport is not None:
            peer = self._transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close(abort=True)

    def _leave_prefix(self) -> bytes:
        """Find out what the peer is; return the bytes behind the prefix of a trading client."""
        if self._stage is Stage.PREFIX and len(self._head) >= _PREFIX_BYTES:
            prefix = bytes(self._head[:_PREFIX_BYTES])
            if prefix == PREFIX and not self._gateway.seams.refuse_connections:
                self._stage = Stage.VERSION
                rest = bytes(self._head[_PREFIX_BYTES:])
                self._head.clear()
                return rest
            if prefix != ADMIN_PREFIX or not self._server.is_local(self._transport):
                self._drop("unknown_prefix")
                return b""
            self._stage = Stage.ADMIN
            del self._head[:_PREFIX_BYTES]
        if self._stage is Stage.ADMIN and b"\n" in self._head:
            line = bytes(self._head).split(b"\n", 1)[0]
            self.write(answer_line(self._server, line))
            self.close(abort=False)
        return b""

    def _note_progress(self, payloads: list[bytes]) -> None:
        if self._stage is not Stage.RUNNING:
            return
        if not self._frames.waiting_bytes:
            self._waiting_since_s = None
        elif payloads or self._waiting_since_s is None:
            self._waiting_since_s = self._server.now_s()

    def _take(self, payload: bytes, *, since_s: float, read_s: float) -> None:
        if self._stage is Stage.VERSION:
            self._agree(payload)
        elif self._stage is Stage.START:
            self._start(payload)
        elif self._stage is Stage.RUNNING and self._session is not None:
            now_s = self._server.now_s()
            self._gateway.handle(
                self._session, payload, now_s=now_s, since_s=since_s, read_s=read_s
            )

    def _agree(self, payload: bytes) -> None:
        version = negotiate(payload)
        if version is None:
            self._drop("no_common_version")
            return
        self._paced = wants_pacing(payload)
        self._version = min(version, self._gateway.settings.version_max)
        announced = self._gateway.seams.version or self._version
        self.write(encode.greeting(version=announced, at_ns=self._gateway.now_ns))
        self._stage = Stage.START

    def _start(self, payload: bytes) -> None:
        try:
            incoming, request = decode(payload, client_id=0, version=self._version)
        except MalformedError as error:
            self._drop(str(error))
            return
        if incoming is not Incoming.START_API or not isinstance(request, StartApi):
            return
        self._stage = Stage.RUNNING
        self._waiting_since_s = None
        session = Session(
            gateway=self._gateway,
            sink=self,
            version=self._version,
            client_id=request.client_id,
            paced=self._paced,
        )
        self._session = session
        self._gateway.join(session)

    def _drop(self, reason: str) -> None:
        if self._stage is not Stage.CLOSED:
            _log.warning("connection_dropped", reason=reason, stage=self._stage.value)
            self.close(abort=True)
