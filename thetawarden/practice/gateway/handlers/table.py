"""Which request is carried out by which function: every message id a client may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway.handlers import (
    account,
    contracts,
    history,
    market_data,
    news,
    orders,
    startup,
)

if TYPE_CHECKING:
    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.wire.incoming import Incoming

HANDLERS: dict[Incoming, Handler] = {
    **startup.HANDLERS,
    **orders.HANDLERS,
    **market_data.HANDLERS,
    **account.HANDLERS,
    **contracts.HANDLERS,
    **history.HANDLERS,
    **news.HANDLERS,
}
