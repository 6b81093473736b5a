"""Turns the exchange's state into bytes and back; refuses what is not one of its own."""

from __future__ import annotations

import msgspec

from thetawarden.practice.exchange.state import FORMAT_VERSION, State


def encode(state: State) -> bytes:
    """Return the whole state as MessagePack."""
    return msgspec.msgpack.encode(state)


def decode(saved: bytes) -> State:
    """Return a saved state; ValueError when it is damaged or of another format."""
    try:
        version = msgspec.msgpack.decode(saved, type=_Version).version
        if version != FORMAT_VERSION:
            raise ValueError(f"state has format {version}, this exchange reads {FORMAT_VERSION}")
        return msgspec.msgpack.decode(saved, type=State)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a state of the practice exchange: {error}") from None


class _Version(msgspec.Struct):
    version: int
