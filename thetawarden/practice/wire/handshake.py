"""Agrees on a protocol version: the smaller of ours and the client's, never below what we speak.

Versions 176 to 178 differ in one field each, see the encoders. Above 178 the framing changes step
by step towards protobuf, so we never announce more.
"""

from __future__ import annotations

import re

VERSION_MIN = 176
VERSION_MAX = 178
PREFIX = b"API\0"
_versions = re.compile(rb"v(\d{1,5})(?:\.\.(\d{1,5}))?(?: ([\x20-\x7e]{0,200}))?\0?")


def negotiate(payload: bytes) -> int | None:
    """Return the version to announce, or None when the client and we have none in common."""
    match = _versions.fullmatch(payload)
    if match is None:
        return None
    lowest = int(match[1])
    highest = int(match[2]) if match[2] else lowest
    agreed = min(VERSION_MAX, highest)
    return agreed if max(VERSION_MIN, lowest) <= agreed else None


def wants_pacing(payload: bytes) -> bool:
    """Whether the client asked to be slowed down rather than refused (`+PACEAPI`)."""
    return b"+PACEAPI" in payload
