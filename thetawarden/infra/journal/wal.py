"""Looks at SQLite's write-ahead file before SQLite does.

After a bad checksum SQLite quietly forgets the rest of that file, which is right for a torn tail
and wrong for a damaged middle: committed records would vanish without a word. A frame that carries
the file's salt and a commit mark *behind* the last good one is the trace of the latter.
"""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


def lost_commits(path: Path) -> int:
    """How many commits SQLite would silently drop from this write-ahead file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return 0
    if len(raw) < _HEADER.size:
        return 0
    magic, _, page_bytes, _, salt1, salt2, sum1, sum2 = _HEADER.unpack_from(raw)
    order = _MAGIC.get(magic, "<")
    running = _checksum(raw[:24], (0, 0), order)
    if magic not in _MAGIC or running != (sum1, sum2):
        return 1 if len(raw) > _HEADER.size else 0
    intact, lost, frame_bytes = True, 0, _FRAME.size + page_bytes
    for start in range(_HEADER.size, len(raw) - frame_bytes + 1, frame_bytes):
        _, commit, frame_salt1, frame_salt2, frame1, frame2 = _FRAME.unpack_from(raw, start)
        if (frame_salt1, frame_salt2) != (salt1, salt2):
            # left over from an older round, or a damaged salt: told apart by what follows
            intact = False
            continue
        if intact:
            body = raw[start : start + 8] + raw[start + _FRAME.size : start + frame_bytes]
            running = _checksum(body, running, order)
            intact = running == (frame1, frame2)
        if not intact and commit:
            lost += 1
    return lost


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
