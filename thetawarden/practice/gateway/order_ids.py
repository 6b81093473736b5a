"""Remembers the highest order id each client ever used, across sessions and restarts."""

from __future__ import annotations

import msgspec

UNSET_INT = 2147483647


class OrderIds(msgspec.Struct):
    """Highest order id by client id."""

    highest: dict[int, int] = {}

    def next_for(self, client_id: int) -> int:
        """The first order id this client has not used."""
        return self.highest.get(client_id, 0) + 1

    def note(self, client_id: int, order_id: int) -> None:
        """The client used this order id."""
        if self.highest.get(client_id, 0) < order_id < UNSET_INT:
            self.highest[client_id] = order_id

    def save(self) -> bytes:
        """Return everything as bytes."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def restored(cls, saved: bytes) -> OrderIds:
        """Return what was saved; raises msgspec.DecodeError for anything else."""
        return msgspec.msgpack.decode(saved, type=cls)
