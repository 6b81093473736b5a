"""Keeps the gateway's state in one file, replaced atomically, so that a restart goes on from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from thetawarden.errors import RefusedError
from thetawarden.practice.gateway.order_ids import OrderIds

if TYPE_CHECKING:
    from pathlib import Path

    from thetawarden.practice.gateway.core import Gateway

FILE_NAME = "gateway.state"
LAYOUT = 1


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that survives a restart."""

    layout: int
    market: bytes
    exchange: bytes
    order_ids: bytes


class StateFile:
    """The state file of one gateway in its folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def save(self, gateway: Gateway) -> None:
        """Write everything beside the old state, then put it in its place."""
        saved = Saved(
            layout=LAYOUT,
            market=gateway.market.save(),
            exchange=gateway.exchange.save(),
            order_ids=gateway.order_ids.save(),
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.msgpack.encode(saved))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def restore(self, gateway: Gateway) -> bool:
        """Go on from the file; False when there is none. Raises RefusedError when it is unfit."""
        if not self._path.exists():
            return False
        try:
            saved = msgspec.msgpack.decode(self._path.read_bytes(), type=Saved)
            if saved.layout != LAYOUT:
                raise RefusedError(
                    f"{self._path}: layout {saved.layout} found, {LAYOUT} allowed; "
                    "move the file away to start anew"
                )
            gateway.market.restore(saved.market)
            gateway.exchange.restore(saved.exchange)
            gateway.order_ids = OrderIds.restored(saved.order_ids)
        except (msgspec.MsgspecError, ValueError) as error:
            raise RefusedError(
                f"{self._path}: not a state of this gateway ({error}); move it away to start anew"
            ) from None
        return True
