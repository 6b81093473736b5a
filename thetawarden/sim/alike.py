"""Compares what an older version wrote with what today's code says.

A struct only gains fields at its end. What was written before a field was there says nothing of it,
so it is compared in what it does say; all else must be equal to the byte.
"""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.msgpack.encode


def is_alike(written: bytes, said: Any) -> bool:
    """Whether the msgpack of an older version says the same as this object."""
    return _alike(msgspec.msgpack.decode(written), said)


def _alike(written: Any, said: Any) -> bool:
    if isinstance(said, msgspec.Struct):
        return _struct_alike(written, said)
    if isinstance(said, list | tuple):
        return (
            isinstance(written, list | tuple)
            and len(written) == len(said)
            and all(map(_alike, written, said))
        )
    if isinstance(said, dict) and isinstance(written, dict):
        values = {_plain(key): value for key, value in said.items()}
        return written.keys() == values.keys() and all(
            _alike(value, values[key]) for key, value in written.items()
        )
    return _encode(written) == _encode(said)


def _struct_alike(written: Any, said: msgspec.Struct) -> bool:
    config = said.__struct_config__
    values = [getattr(said, name) for name in said.__struct_fields__]
    if config.array_like:
        if config.tag is not None:
            values.insert(0, config.tag)
        return (
            isinstance(written, list | tuple)
            and len(written) <= len(values)
            and all(map(_alike, written, values))
        )
    named = dict(zip(said.__struct_encode_fields__, values, strict=True))
    if config.tag is not None:
        named[config.tag_field or "type"] = config.tag
    return isinstance(written, dict) and all(
        name in named and _alike(value, named[name]) for name, value in written.items()
    )


def _plain(key: Any) -> Any:
    """A key as it is read back from msgpack."""
    return key if type(key) in {str, int} else msgspec.msgpack.decode(_encode(key))
