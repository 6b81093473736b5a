"""Market data: who wants it, what was quoted, and what a chain looks like."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
from typing_extensions import override

from thetawarden.domain.broker.bars import BarsOf, DailyBar
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.lines import LineUse, LineWant
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import read_quotes, write_quotes
from thetawarden.domain.regime.assess import Regime
from thetawarden.messages.base import Command, Event


class WantLines(Command, frozen=True, kw_only=True):
    """All the market data this actor wants from now on, in the place of what it wanted before."""

    owner: str
    wants: tuple[LineWant, ...]


class SubscribeLine(Command, frozen=True, kw_only=True):
    """Stream an instrument; a listener is an underlying, whose watcher hears it, or `@context`."""

    epoch: int
    listeners: tuple[str, ...]
    instrument: Instrument


class UnsubscribeLine(Command, frozen=True, kw_only=True):
    """Give a stream back."""

    epoch: int
    conid: int


class SnapshotLines(Command, frozen=True, kw_only=True):
    """Ask once for the quotes of these instruments."""

    epoch: int
    listener: str
    instruments: tuple[Instrument, ...]


class LineRefused(Event, frozen=True, kw_only=True):
    """The broker does not give this line, or gives it no more."""

    epoch: int
    conid: int
    code: int
    words: str


class SnapshotsTaken(Event, frozen=True, kw_only=True):
    """A batch of snapshots is over; `unanswered` did not come in time."""

    epoch: int
    listener: str
    answered: int
    unanswered: tuple[int, ...]


class LinesShared(Event, frozen=True, kw_only=True):
    """How the lines are used now, and the wishes that no line is left for."""

    limit: int
    uses: tuple[LineUse, ...]


class QuotesObserved(Event, frozen=True, kw_only=True):
    """What changed since the last one, for the watcher of this underlying.

    `written` are the quotes as rows, see `domain.broker.quote_rows`; they stood in `quotes` before
    there were rows. `told` gives them whichever way they came.
    """

    epoch: int
    underlying: str
    quotes: tuple[Quote, ...] = ()
    written: bytes = b""

    @property
    def told(self) -> tuple[Quote, ...]:
        """All quotes, one by one."""
        return (*self.quotes, *read_quotes(self.written))

    @property
    def rows(self) -> bytes:
        """All quotes, written as rows."""
        return write_quotes(self.quotes) + self.written if self.quotes else self.written

    @override
    def shown(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "underlying": self.underlying, "quotes": self.told}


class ContextObserved(Event, frozen=True, kw_only=True):
    """What changed since the last one, for whoever looks at the market as a whole."""

    epoch: int
    quotes: tuple[Quote, ...]


class FindInstrument(Command, frozen=True, kw_only=True):
    """Find the broker's number of an index, stock or future; futures come as all their months."""

    asked_as: str
    symbol: str
    kind: str


class InstrumentsFound(Event, frozen=True, kw_only=True):
    """What the broker has under this name; empty when it knows none, `words` says why."""

    asked_as: str
    instruments: tuple[Instrument, ...]
    words: str


class DiscoverChain(Command, frozen=True, kw_only=True):
    """Find out which options the broker lists on an underlying."""

    underlying: str


class ListedClass(msgspec.Struct, frozen=True, kw_only=True):
    """One trading class: expiries and strikes as unions; not every pair of them exists."""

    trading_class: str
    exchange: str
    multiplier: int
    expiries: tuple[dt.date, ...]
    strikes: tuple[Decimal, ...]


class ChainDiscovered(Event, frozen=True, kw_only=True):
    """The underlying itself and the classes listed on it."""

    underlying: str
    instrument: Instrument
    classes: tuple[ListedClass, ...]


class QualifySeries(Command, frozen=True, kw_only=True):
    """Find every option that exists in one class and expiry."""

    underlying: str
    trading_class: str
    exchange: str
    expiry: dt.date


class SeriesQualified(Event, frozen=True, kw_only=True):
    """Every option that really exists in one class and expiry; `day` is when it was asked."""

    underlying: str
    trading_class: str
    expiry: dt.date
    day: dt.date
    options: tuple[Instrument, ...]


class DiscoveryFailed(Event, frozen=True, kw_only=True):
    """A chain or series could not be found now; `words` is what the broker said."""

    underlying: str
    trading_class: str
    expiry: dt.date | None
    words: str


class FetchHistory(Command, frozen=True, kw_only=True):
    """Get the daily bars of an instrument back to a day, those already kept not again."""

    instrument: Instrument
    since: dt.date
    what: BarsOf = BarsOf.TRADES


class HistoryFetched(Event, frozen=True, kw_only=True):
    """Daily bars, oldest first, no gap between them; empty with `words` when there are none."""

    instrument: Instrument
    bars: tuple[DailyBar, ...]
    words: str
    what: BarsOf = BarsOf.TRADES


class RegimeAssessed(Event, frozen=True, kw_only=True):
    """What the market's state allows, with its evidence."""

    regime: Regime
