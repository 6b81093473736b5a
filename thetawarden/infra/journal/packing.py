"""Decides how large bodies are compressed in the log, and tells such a body from a plain one.

The only importer of zstandard. A message's msgpack is an array, and no array begins with the first
byte of a compressed body; those of format 1 were compressed with zlib and are read as well.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from typing import Final, cast

import zstandard

COMPRESS_ABOVE_BYTES: Final = 2048
FIRST_BYTES: Final = frozenset({zstandard.FRAME_HEADER[0], 0x78})
"""What a compressed body begins with: zstandard's magic number, or zlib's header."""
UNPACKABLE: Final = (zlib.error, zstandard.ZstdError)
"""What `unpacked` raises for a body that is damaged."""
_ZLIB = 0x78
_LEVEL = 1


class _Codec(threading.local):
    """Compresses and back; of one thread alone, as its buffers are kept from body to body."""

    def __init__(self) -> None:
        self.pack = cast(
            "Callable[[bytes], bytes]", zstandard.ZstdCompressor(level=_LEVEL).compress
        )
        self.unpack = cast("Callable[[bytes], bytes]", zstandard.ZstdDecompressor().decompress)


_codec = _Codec()


def packed(body: bytes) -> bytes:
    """The body as it is written: compressed if it is large."""
    return _codec.pack(body) if len(body) > COMPRESS_ABOVE_BYTES else body


def unpacked(body: bytes) -> bytes:
    """The body as it was before it was written."""
    if body[0] not in FIRST_BYTES:
        return body
    return zlib.decompress(body) if body[0] == _ZLIB else _codec.unpack(body)
