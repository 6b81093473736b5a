"""Looks at SQLite's write-ahead file before SQLite does.

After a bad checksum SQLite quietly forgets the rest of that file, which is right for a torn tail
and wrong for damage: committed records would vanish without a word. The two look different. Frames
are written one after another into a file that was cut to nothing before, so a killed process leaves
a file that merely ends early. Where old frames are overwritten in place, a torn one is followed by
nothing but those of the round before, which carry other salts. And a loss of power may leave holes
of zeros, in the one transaction that was not yet synced. Everything else that is broken is damage.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from thetawarden.infra.journal.errors import DamagedLogError, UnreadableLogError

_FIRST_BYTES = b"SQLite format 3\0"
_LOOKS = 20
_LOOK_AGAIN_S = 0.02
_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
_UNWRITTEN = bytes(_FRAME.size)


class _Frame(msgspec.Struct, frozen=True):
    commits: bool
    ours: bool
    related: bool
    unwritten: bool
    intact: bool


def wal_path(path: Path) -> Path:
    """Where SQLite keeps the write-ahead file of a database."""
    return path.with_name(path.name + "-wal")


def wal_damage(raw: bytes) -> str | None:
    """What committed records SQLite would silently drop from this write-ahead file, or None."""
    if len(raw) <= _HEADER.size:
        return None
    magic, _, page_bytes, _, salt1, salt2, *sums = _HEADER.unpack_from(raw)
    order = _MAGIC.get(magic)
    if order is None or _checksum(raw[:24], (0, 0), order) != tuple(sums):
        return "the header of the write-ahead file is damaged"
    frames = _frames(raw, page_bytes=page_bytes, salts=(salt1, salt2), order=order)
    for number, frame in enumerate(frames, 1):
        if not frame.intact:
            behind = [frame, *frames]
            return None if _is_torn_tail(behind) else _words(number, behind)
    return None


def _is_torn_tail(behind: list[_Frame]) -> bool:
    first, *rest = behind
    if not any(frame.related for frame in behind):
        return True
    commits = sum(frame.commits and frame.ours for frame in behind)
    if commits <= 1 and any(frame.unwritten for frame in behind):
        return True
    return first.ours and bool(rest) and not any(frame.related for frame in rest)


def _words(number: int, behind: list[_Frame]) -> str:
    commits = sum(frame.commits and frame.ours for frame in behind)
    return f"the write-ahead file is damaged at frame {number}, before {commits} commit(s)"


def _frames(raw: bytes, *, page_bytes: int, salts: tuple[int, int], order: str) -> Iterator[_Frame]:
    """The whole frames, each with what tells a torn one from a damaged one."""
    running = _checksum(raw[:24], (0, 0), order)
    frame_bytes = _FRAME.size + page_bytes
    intact = True
    for start in range(_HEADER.size, len(raw) - frame_bytes + 1, frame_bytes):
        _, commit, salt1, salt2, sum1, sum2 = _FRAME.unpack_from(raw, start)
        ours = (salt1, salt2) == salts
        if intact and ours:
            body = raw[start : start + 8] + raw[start + _FRAME.size : start + frame_bytes]
            running = _checksum(body, running, order)
        intact = intact and ours and running == (sum1, sum2)
        yield _Frame(
            commits=commit != 0,
            ours=ours,
            related=salt1 == salts[0] or salt2 == salts[1],
            unwritten=raw[start : start + _FRAME.size] == _UNWRITTEN,
            intact=intact,
        )


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def refuse_lost_commits(path: Path) -> None:
    """Raise DamagedLogError where SQLite would drop what was committed, or delete the evidence.

    A desk may be writing: only what stays the same from one look to the next is judged.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_FIRST_BYTES)) != _FIRST_BYTES:
                raise DamagedLogError(path, "it does not begin like a log file")
        before = b""
        for _ in range(_LOOKS):
            raw = _read(wal_path(path))
            damage = wal_damage(raw)
            if damage is None:
                return
            if raw == before:
                raise DamagedLogError(path, damage)
            before = raw
            time.sleep(_LOOK_AGAIN_S)
    except OSError as error:
        raise UnreadableLogError(path, str(error)) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
