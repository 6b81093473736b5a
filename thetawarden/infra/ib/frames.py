"""Stands between the socket and ib_async's decoder: only whole, honest frames go through.

ib_async believes any length it is told and would wait for 4 GiB without ever noticing. Here a frame
longer than the official client's bound, an empty one, or one that does not begin with the digits of
a message's number is garbage, and a frame that has begun must be whole within a deadline. Pure:
bytes in, bytes out, the caller brings the time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

LENGTH_BYTES = 4
FRAME_BYTES_MAX = 0xFFFFFF
"""The official client's MAX_MSG_LEN."""
PIECE_BYTES = 2048
DIGITS = frozenset(b"0123456789")


class GarbageError(Exception):
    """The peer sent bytes that are no frames; the link must go."""


class FrameGate:
    """Cuts a stream of bytes at the ends of frames and holds back what is not whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._began_ns: int | None = None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._rest)

    def overdue(self, now_ns: int, deadline_ns: int) -> bool:
        """Whether a frame has been unfinished for longer than allowed."""
        return self._began_ns is not None and now_ns - self._began_ns > deadline_ns

    def feed(self, data: bytes, now_ns: int) -> bytes:
        """Return all that is whole by now; raises GarbageError."""
        buffered = self._rest + data if self._rest else data
        end, size = 0, len(buffered)
        while size - end >= LENGTH_BYTES:
            (length,) = struct.unpack_from(">I", buffered, end)
            if not 0 < length <= FRAME_BYTES_MAX:
                raise GarbageError(f"a frame of {length} bytes; allowed: 1 to {FRAME_BYTES_MAX}")
            if size - end > LENGTH_BYTES and buffered[end + LENGTH_BYTES] not in DIGITS:
                raise GarbageError("a frame that does not begin with a message's number")
            if size - end < LENGTH_BYTES + length:
                break
            end += LENGTH_BYTES + length
        self._rest = buffered[end:]
        if not self._rest:
            self._began_ns = None
        elif end or self._began_ns is None:
            self._began_ns = now_ns
        return buffered[:end]


def pieces(frames: bytes) -> Iterator[bytes]:
    """Cut whole frames into small pieces of whole frames.

    For each message the library copies all that is left of what it was handed: a quarter of a
    megabyte of ticks at once would cost it half its time, and the loop a fifth of a second.
    """
    start = end = 0
    size = len(frames)
    while end < size:
        (length,) = struct.unpack_from(">I", frames, end)
        end += LENGTH_BYTES + length
        if end - start >= PIECE_BYTES or end == size:
            yield frames[start:end]
            start = end
