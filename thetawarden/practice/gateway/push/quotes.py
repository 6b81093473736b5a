"""Pushes market data: each step, whatever changed since a line was last told.

The ticks from one quote to the next are worked out once and shared by all lines that stand at the
same quote. A congested client is left out and later told the difference: conflation, never a queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway.push import generics
from thetawarden.practice.gateway.push.combos import combo_quote
from thetawarden.practice.gateway.push.ticks import option_ticks, price_ticks
from thetawarden.practice.wire.encode import ticks as encode

if TYPE_CHECKING:
    from thetawarden.practice.gateway.core import Gateway
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.gateway.subscriptions import Line
    from thetawarden.practice.model import Quote
    from thetawarden.practice.wire.encode.ticks import Tick

_Shared = dict[tuple[int, int, int], list["Tick"]]


class QuotePusher:
    """Knows which contracts anybody watches, and tells everybody's lines about them."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._watched: dict[int, int] = {}
        self._con_ids: list[int] | None = []

    def add(self, session: Session, line: Line) -> None:
        """Start a line: what it is, and everything known now except Greeks, which follow."""
        session.subscriptions.lines[line.req_id] = line
        for con_id in line.con_ids():
            self._watched[con_id] = self._watched.get(con_id, 0) + 1
            self._gateway.market.watch(con_id)
        self._con_ids = None
        line.last = self.snapshot(session, line, greeks=False)

    def snapshot(self, session: Session, line: Line, *, greeks: bool) -> Quote | None:
        """Send everything that is known of a contract now, and return the quote told."""
        gateway = self._gateway
        ids = line.con_ids()
        quotes = dict(zip(ids, gateway.market.quotes(ids), strict=True))
        quote = self._seen(line, quotes | self.freeze(line))
        if quote is None:
            return None
        ticks = price_ticks(None, quote, delayed=line.delayed)
        ticks += generics.quote_ticks(line.generics, line.contract, None, quote)
        if greeks:
            ticks += option_ticks(None, quote, delayed=line.delayed)
        if line.generics:
            known = gateway.market.reference(line.contract.con_id)
            ticks += generics.reference_ticks(line.generics, known)
        session.send(encode.assemble(line.req_id, ticks))
        return quote

    def freeze(self, line: Line) -> dict[int, Quote | None]:
        """Note whether a line that wants it is frozen, and return what is: closed contracts."""
        if not line.wants_frozen:
            return {}
        market = self._gateway.market
        found = {con_id: market.frozen_quote(con_id) for con_id in line.con_ids()}
        frozen = {con_id: quote for con_id, quote in found.items() if quote is not None}
        line.frozen = bool(frozen)
        return dict(frozen)

    def remove(self, session: Session, req_id: int) -> bool:
        """End a line; False when there is none."""
        line = session.subscriptions.lines.pop(req_id, None)
        if line is None:
            return False
        for con_id in line.con_ids():
            self._watched[con_id] -= 1
            self._gateway.market.unwatch(con_id)
            if not self._watched[con_id]:
                del self._watched[con_id]
        self._con_ids = None
        return True

    def drop(self, session: Session) -> None:
        """End all lines of a client that left."""
        for req_id in list(session.subscriptions.lines):
            self.remove(session, req_id)

    def push(self) -> None:
        """Tell every line what changed."""
        gateway = self._gateway
        if gateway.seams.freeze_quotes or not self._watched:
            return
        if self._con_ids is None:
            self._con_ids = sorted(self._watched)
        quotes = dict(zip(self._con_ids, gateway.market.quotes(self._con_ids), strict=True))
        shared: _Shared = {}
        for session in gateway.sessions.values():
            if not session.is_congested():
                for line in session.subscriptions.lines.values():
                    self._tell(session, line, quotes, shared)

    def _tell(
        self,
        session: Session,
        line: Line,
        quotes: dict[int, Quote | None],
        shared: _Shared,
    ) -> None:
        if line.wants_frozen:
            told = line.data_type
            quotes = quotes | self.freeze(line)
            if line.data_type != told:
                session.send(encode.market_data_type(line.req_id, line.data_type))
        quote = self._seen(line, quotes)
        if quote is None or (quote is line.last and not line.owes_greeks):
            return
        for _ in range(self._gateway.seams.burst):
            ticks = self._ticks(line, quote, shared)
            if line.generics:
                ticks = ticks + generics.quote_ticks(line.generics, line.contract, line.last, quote)
            if ticks:
                session.send(encode.assemble(line.req_id, ticks))
        line.last, line.owes_greeks = quote, False

    def _ticks(self, line: Line, quote: Quote, shared: _Shared) -> list[Tick]:
        old = line.last
        if line.owes_greeks:
            ticks = price_ticks(old, quote, delayed=line.delayed)
            return ticks + option_ticks(None, quote, delayed=line.delayed)
        key = (quote.con_id, id(old), line.data_type)
        known = shared.get(key)
        if known is None or line.contract.legs:
            known = price_ticks(old, quote, delayed=line.delayed)
            known += option_ticks(old, quote, delayed=line.delayed)
            shared[key] = known
        return known

    def _seen(self, line: Line, quotes: dict[int, Quote | None]) -> Quote | None:
        seams = self._gateway.seams
        if seams.quotes:
            quotes = {con_id: seams.quote(quotes.get(con_id)) for con_id in line.con_ids()}
        if line.contract.legs:
            return combo_quote(line.contract, quotes)
        return quotes.get(line.contract.con_id)
