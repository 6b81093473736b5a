"""Market data lines of one link: which are open, and what they show on a cadence.

Every look asks the market for all lines at once and tells each listener all of its own in one
bundle: between two looks something of every line has ticked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.slots.wishes import CONTEXT
from thetawarden.messages.base import Message
from thetawarden.messages.market import ContextObserved, LineRefused, QuotesObserved
from thetawarden.practice import model
from thetawarden.sim.broker.gateway import SimGateway
from thetawarden.sim.broker.translate import quote_of

TOO_MANY_LINES = 101
_CONTEXT = (CONTEXT,)


class Line:
    """One open line: who hears it, and what was told of it last."""

    def __init__(self, instrument: Instrument, listeners: tuple[str, ...]) -> None:
        self.instrument = instrument
        self.listeners = listeners
        self.two_sided_ns = UnixNs(0)


class Feed:
    """All lines of a link, as the gateway shows them."""

    def __init__(
        self, *, epoch: int, gateway: SimGateway, lines_max: int, context_every: int
    ) -> None:
        self._epoch = epoch
        self._gateway = gateway
        self._market = gateway.exchange.market
        self.lines_max = lines_max
        self._context_every = context_every
        self._looks = 0
        self.lines: dict[int, Line] = {}
        self._not_live: set[int] = set()

    def open(self, instrument: Instrument, listeners: tuple[str, ...]) -> tuple[Message, ...]:
        """Open a line, or let others hear one that is open; there may be no place for it."""
        known = self.lines.get(instrument.conid)
        if known is not None:
            known.listeners = listeners
            return ()
        if len(self.lines) >= self.lines_max:
            words = "Max number of tickers has been reached"
            return (self._refused(instrument.conid, TOO_MANY_LINES, words),)
        self.lines[instrument.conid] = Line(instrument, listeners)
        return ()

    def not_live(self, conids: Iterable[int]) -> tuple[int, ...]:
        """Those whose data was last told to be delayed or frozen."""
        return tuple(one for one in conids if one in self._not_live)

    def redirect(self, conid: int, listeners: tuple[str, ...]) -> None:
        """Let these hear the line from now on."""
        line = self.lines.get(conid)
        if line is not None:
            line.listeners = listeners

    def close(self, conid: int) -> None:
        """Give a line back."""
        self.lines.pop(conid, None)

    def refuse_all(self, code: int, words: str) -> tuple[Message, ...]:
        """Take every line away, as when another session has the data."""
        gone, self.lines = tuple(self.lines), {}
        return tuple(self._refused(conid, code, words) for conid in gone)

    def look(self, now: UnixNs) -> tuple[Message, ...]:
        """What the lines show, one message a listener.

        Lines that only tell of the market as a whole are looked at less often.
        """
        context = self._looks % self._context_every == 0
        self._looks += 1
        lines = tuple(one for one in self.lines.values() if context or one.listeners != _CONTEXT)
        quotes = self._quotes(one.instrument.conid for one in lines)
        bundles: dict[str, list[Quote]] = {}
        for line, shown in zip(lines, quotes, strict=True):
            quote = None if shown is None else self._news(line, shown, now)
            if quote is not None:
                for listener in line.listeners:
                    bundles.setdefault(listener, []).append(quote)
        return tuple(self._bundle(listener, found) for listener, found in bundles.items())

    def snapshot(
        self, listener: str, instruments: tuple[Instrument, ...], now: UnixNs
    ) -> tuple[Message, ...]:
        """The quotes of these instruments as they are now, in one message."""
        shown = self._quotes(one.conid for one in instruments)
        seen = (self._gateway.distorted(one) for one in shown if one is not None)
        found = [self._told(one, now, two_sided_ns=UnixNs(0)) for one in seen if one is not None]
        return (self._bundle(listener, found),) if found else ()

    def _quotes(self, conids: Iterable[int]) -> Sequence[model.Quote | None]:
        wanted = tuple(conids)
        return self._market.quotes(wanted) if wanted else ()

    def _news(self, line: Line, shown: model.Quote, now: UnixNs) -> Quote | None:
        seen = self._gateway.distorted(shown)
        if seen is None:
            return None
        quote = self._told(seen, now, two_sided_ns=line.two_sided_ns)
        line.two_sided_ns = quote.two_sided_ns
        return quote

    def _told(self, seen: model.Quote, now: UnixNs, *, two_sided_ns: UnixNs) -> Quote:
        data_type = self._gateway.data_type
        quote = quote_of(seen, at_ns=now, two_sided_ns=two_sided_ns, data_type=data_type)
        if data_type is DataType.LIVE:
            self._not_live.discard(quote.conid)
        else:
            self._not_live.add(quote.conid)
        return quote

    def _bundle(self, listener: str, quotes: list[Quote]) -> Message:
        if listener == CONTEXT:
            return ContextObserved(epoch=self._epoch, quotes=tuple(quotes))
        written = write_quotes(quotes)
        return QuotesObserved(epoch=self._epoch, underlying=listener, written=written)

    def _refused(self, conid: int, code: int, words: str) -> LineRefused:
        return LineRefused(epoch=self._epoch, conid=conid, code=code, words=words)
