"""One client's conversation: who it is, what it subscribed to, and its unsent output.

Output is gathered and written in one piece when `flush` is called, after each batch of requests and
after each step of the market.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from thetawarden.practice.gateway.pacing import HistoryPacing
from thetawarden.practice.gateway.rate import RateLimiter
from thetawarden.practice.gateway.subscriptions import Subscriptions
from thetawarden.practice.wire.encode import session as encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thetawarden.practice.gateway.core import Gateway

LIVE_DATA = 1
STREAMS_MAX = 100


class Sink(Protocol):
    """Where a session's bytes go."""

    def write(self, data: bytes) -> None:
        """Take bytes for the client; never blocks."""

    def backlog_bytes(self) -> int:
        """Bytes the client has not taken yet."""

    def close(self, *, abort: bool) -> None:
        """End the connection, at once or when the rest is written."""


class Session:
    """A client that has said startApi.

    A `paced` client asked to be slowed down, not refused: its surplus messages are `waiting`.
    """

    def __init__(
        self,
        *,
        gateway: Gateway,
        sink: Sink,
        version: int,
        client_id: int,
        paced: bool = False,
    ) -> None:
        settings = gateway.settings
        self.gateway = gateway
        self.version = version
        self.client_id = client_id
        self.subscriptions = Subscriptions()
        self.data_type = LIVE_DATA
        self.paced = paced
        self.waiting: deque[bytes] = deque()
        self.alive = True
        self.history_pacing = HistoryPacing()
        self.rate = RateLimiter(
            per_s_max=settings.messages_per_s_max,
            per_s_warn=settings.messages_per_s_warn,
            violations_max=settings.rate_violations_max,
        )
        self._sink = sink
        self._unsent: list[bytes] = []
        self._unsent_bytes = 0
        self._streams: deque[Iterator[bytes]] = deque()

    def send(self, data: bytes) -> None:
        """Add whole messages to the output."""
        if self.gateway.seams.frames:
            for piece in self.gateway.seams.cut(self, data):
                self.send_raw(piece)
            return
        self.send_raw(data)

    def stream(self, messages: Iterator[bytes]) -> None:
        """Send a long answer piece by piece, as fast as the client takes it; answers keep order."""
        self._streams.append(messages)
        self.pump()

    def is_streaming_much(self) -> bool:
        """Whether so many long answers wait that another one has to be refused."""
        return len(self._streams) >= STREAMS_MAX

    def pump(self) -> None:
        """Send on with long answers while there is room."""
        room = self.gateway.settings.outbox_stream_bytes
        while self._streams and self.alive and self.backlog_bytes() < room:
            piece = next(self._streams[0], None)
            if piece is None:
                self._streams.popleft()
            else:
                self.send(piece)

    def send_raw(self, data: bytes) -> None:
        """Add bytes that no fault touches any more."""
        self._unsent.append(data)
        self._unsent_bytes += len(data)

    def error(self, req_id: int, code: int, text: str, *, reject_json: str = "") -> None:
        """Send an error, warning or notice."""
        self.send(encode.error(req_id, code, text, reject_json=reject_json))

    def notice(self, code: int, text: str) -> None:
        """Send a notice about no request."""
        self.error(encode.NO_ID, code, text)

    def flush(self) -> None:
        """Write what was gathered; drop the client when it takes nothing for too long."""
        if self._unsent and self.alive:
            if not self.gateway.seams.mute:
                self._write(b"".join(self._unsent))
            self._unsent.clear()
            self._unsent_bytes = 0
            if self._sink.backlog_bytes() > self.gateway.settings.outbox_hard_bytes:
                self.close(abort=True)

    def _write(self, data: bytes) -> None:
        step = self.gateway.seams.split_bytes
        if step is None:
            self._sink.write(data)
            return
        for start in range(0, len(data), step):
            self._sink.write(data[start : start + step])

    def is_congested(self) -> bool:
        """Whether market data should wait, to be conflated, until the client has caught up."""
        return self.backlog_bytes() > self.gateway.settings.outbox_soft_bytes

    def backlog_bytes(self) -> int:
        """Output the client has not taken yet."""
        return self._sink.backlog_bytes() + self._unsent_bytes

    def close(self, *, abort: bool = False) -> None:
        """Flush, unless aborting, and end the connection."""
        if not self.alive:
            return
        if not abort:
            self.flush()
        self.alive = False
        self._sink.close(abort=abort)
        self.gateway.leave(self)
