"""Cuts a byte stream into frames and back: four bytes of big-endian length, then the payload.

Any split or merge of the stream gives the same frames. Memory is bounded: a length beyond the cap
is refused before a byte of it is stored.
"""

from __future__ import annotations

import struct

LENGTH_BYTES = 4
PAYLOAD_BYTES_MAX = 1 << 20
"""A client's largest honest message (a long order) is a few kilobytes."""

_length = struct.Struct(">I")


class FrameTooLongError(ValueError):
    """The peer announced a frame no client sends: garbage, or another protocol. Drop the link."""

    def __init__(self, *, found_bytes: int, allowed_bytes: int) -> None:
        super().__init__(f"frame of {found_bytes} bytes announced, at most {allowed_bytes} allowed")
        self.found_bytes, self.allowed_bytes = found_bytes, allowed_bytes


class FrameSplitter:
    """Collects received bytes and gives back whole payloads, in order."""

    def __init__(self, *, payload_bytes_max: int = PAYLOAD_BYTES_MAX) -> None:
        self._buffer = bytearray()
        self._payload_bytes_max = payload_bytes_max

    @property
    def waiting_bytes(self) -> int:
        """Received bytes that do not make a whole frame yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; return the payloads they complete. Raises FrameTooLongError."""
        buffer = self._buffer
        buffer += data
        payloads: list[bytes] = []
        start, end = 0, len(buffer)
        try:
            while end - start >= LENGTH_BYTES:
                length: int = _length.unpack_from(buffer, start)[0]
                if length > self._payload_bytes_max:
                    raise FrameTooLongError(
                        found_bytes=length, allowed_bytes=self._payload_bytes_max
                    )
                stop = start + LENGTH_BYTES + length
                if stop > end:
                    break
                payloads.append(bytes(buffer[start + LENGTH_BYTES : stop]))
                start = stop
        finally:
            del buffer[:start]
        return payloads


def frame(payload: bytes) -> bytes:
    """Return the payload with its length in front."""
    return _length.pack(len(payload)) + payload
