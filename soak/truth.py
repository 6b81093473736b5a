"""What the gateway itself says the account holds, read by a client that knows nothing of us."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import ib_async
import msgspec

CLIENT_ID = 98
CONNECT_S = 20.0


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Quantities by contract number, and cash."""

    positions: dict[int, Decimal]
    cash_usd: Decimal


def read_truth(port: int) -> Truth:
    """Ask the gateway for its positions and cash."""
    return asyncio.run(_read(port))


async def _read(port: int) -> Truth:
    ib = ib_async.IB()
    try:
        await ib.connectAsync("127.0.0.1", port, clientId=CLIENT_ID, timeout=CONNECT_S)
        held = {
            each.contract.conId: Decimal(str(each.position))
            for each in ib.positions()
            if each.position
        }
        (cash,) = {
            Decimal(each.value)
            for each in ib.accountValues()
            if each.tag == "TotalCashValue" and each.currency == "USD"
        }
        return Truth(positions=held, cash_usd=cash)
    finally:
        ib.disconnect()
