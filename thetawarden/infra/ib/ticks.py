"""One line of market data as its ticks make it: the latest of everything, and what is unknown.

Ticks come as the broker writes them, as text. What it leaves empty, unset, infinite or no number,
what it writes as -1 for "none" or as a size of nothing, is unknown and counted. A price below zero
is one only of a combination. The broker's delayed kinds of tick make the line a delayed one
whatever else it says of itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import ib_async

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import BrokerGreeks, DataType, Quote
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import Right
from thetawarden.infra.ib.translate import UNSET, data_type_of, greeks_of

if TYPE_CHECKING:
    from thetawarden.infra.ib.conflation import Outlet

BID, ASK, LAST, CLOSE, BID_SIZE, ASK_SIZE, VOLUME, INTEREST = range(8)
PRICES: Mapping[str, int] = MappingProxyType(
    {"1": BID, "66": BID, "2": ASK, "67": ASK, "4": LAST, "68": LAST, "9": CLOSE, "75": CLOSE}
)
SIZES: Mapping[str, int] = MappingProxyType(
    {"0": BID_SIZE, "69": BID_SIZE, "3": ASK_SIZE, "70": ASK_SIZE, "8": VOLUME, "74": VOLUME}
)
INTERESTS: Mapping[InstrumentKind, Mapping[Right | None, str]] = MappingProxyType(
    {
        InstrumentKind.OPTION: MappingProxyType({Right.CALL: "27", Right.PUT: "28"}),
        InstrumentKind.FUTURE: MappingProxyType({None: "86"}),
    }
)
"""The kind of tick that tells an instrument's own open interest."""
GENERIC_TICKS: Mapping[InstrumentKind, str] = MappingProxyType(
    {InstrumentKind.OPTION: "101", InstrumentKind.FUTURE: "588"}
)
"""What has to be asked for by name, to get open interest; volume and halts come by themselves."""
MODEL_KINDS = frozenset({"13", "83"})
HALT_KINDS = frozenset({"49", "90"})
DELAYED_KINDS = frozenset(map(str, (*range(66, 77), *range(80, 84), 88, 90)))
HALTED: Mapping[float, bool] = MappingProxyType({0.0: False, 1.0: True, 2.0: True})
UNSET_SIZE = float(2**31 - 1)


class Line:
    """The latest of one instrument; `ticks` counts what changed it, `unusable` what told nothing.

    `outlets` are where its quotes go. `quiet` is true while no outlet waits for more of it.
    """

    __slots__ = (
        "_interest",
        "_may_be_negative",
        "_sizeless",
        "ask_size",
        "ask_usd",
        "at_ns",
        "bid_size",
        "bid_usd",
        "close_usd",
        "data_type",
        "greeks",
        "halted",
        "heard",
        "instrument",
        "last_usd",
        "open_interest",
        "outlets",
        "quiet",
        "ticks",
        "two_sided_ns",
        "unusable",
        "volume",
    )

    def __init__(self, instrument: Instrument, outlets: tuple[Outlet, ...] = ()) -> None:
        kind = instrument.kind
        self.instrument = instrument
        self.outlets = outlets
        self._may_be_negative = kind is InstrumentKind.COMBO
        self._sizeless = kind is InstrumentKind.INDEX
        self._interest = INTERESTS.get(kind, {}).get(instrument.right, "")
        self.at_ns = self.two_sided_ns = UnixNs(0)
        self.data_type = DataType.LIVE
        self.bid_usd: float | None = None
        self.ask_usd: float | None = None
        self.bid_size: float | None = None
        self.ask_size: float | None = None
        self.last_usd: float | None = None
        self.close_usd: float | None = None
        self.volume: float | None = None
        self.open_interest: float | None = None
        self.halted: bool | None = None
        self.greeks: BrokerGreeks | None = None
        self.ticks = self.unusable = 0
        self.quiet, self.heard = True, False

    def take_price(self, kind: str, text: str, size_text: str, now_ns: UnixNs) -> bool:
        """Take a price with its size; false when it changes nothing we keep."""
        which = PRICES.get(kind)
        if which is None:
            return False
        if which == LAST:
            self.last_usd = self._price(text)
        elif which == CLOSE:
            self.close_usd = self._price(text)
        else:
            size = self._size(size_text)
            nobody = size == 0 and not self._sizeless
            price = self._price(text)
            if which == BID:
                self.bid_usd, self.bid_size = None if nobody else price, size
            else:
                self.ask_usd, self.ask_size = None if nobody else price, size
            self._note_sides(now_ns)
        self._count(kind, now_ns)
        return True

    def take_size(self, kind: str, text: str, now_ns: UnixNs) -> bool:
        """Take a size, a volume or an open interest; false when it changes nothing we keep."""
        which = SIZES.get(kind)
        if which is None:
            if kind != self._interest:
                return False
            self.open_interest = self._size(text)
        elif which == VOLUME:
            self.volume = self._size(text)
        else:
            size = self._size(text)
            nobody = size == 0 and not self._sizeless
            if which == BID_SIZE:
                self.bid_size = size
                if nobody:
                    self.bid_usd = None
            else:
                self.ask_size = size
                if nobody:
                    self.ask_usd = None
            self._note_sides(now_ns)
        self._count(kind, now_ns)
        return True

    def take_model(self, kind: str, figures: list[str], now_ns: UnixNs) -> bool:
        """Take the broker's model; computations of bid, ask and last are its own affair."""
        if kind not in MODEL_KINDS:
            return False
        iv, delta, price, dividend, gamma, vega, theta, underlying = map(_number, figures)
        self.greeks = greeks_of(
            ib_async.OptionComputation(
                tickAttrib=0,
                impliedVol=iv,
                delta=delta,
                optPrice=price,
                pvDividend=dividend,
                gamma=gamma,
                vega=vega,
                theta=theta,
                undPrice=underlying,
            )
        )
        self.unusable += self.greeks is None
        self._count(kind, now_ns)
        return True

    def take_generic(self, kind: str, text: str, now_ns: UnixNs) -> bool:
        """Take whether trading is halted; anything but the broker's three words is unknown."""
        if kind not in HALT_KINDS:
            return False
        self.halted = HALTED.get(_number(text))
        self._count(kind, now_ns)
        return True

    def take_data_type(self, number: int, now_ns: UnixNs) -> bool:
        """Take what the broker says of the data; false when it says so again."""
        data_type = data_type_of(number)
        if data_type is self.data_type:
            return False
        self.data_type = data_type
        self._count("", now_ns)
        return True

    def quote(self, updates: int) -> Quote:
        """Return what is known now."""
        return Quote(
            conid=self.instrument.conid,
            at_ns=self.at_ns,
            two_sided_ns=self.two_sided_ns,
            data_type=self.data_type,
            bid_usd=self.bid_usd,
            ask_usd=self.ask_usd,
            bid_size=self.bid_size,
            ask_size=self.ask_size,
            last_usd=self.last_usd,
            close_usd=self.close_usd,
            volume=self.volume,
            open_interest=self.open_interest,
            halted=self.halted,
            greeks=self.greeks,
            updates=updates,
        )

    def _count(self, kind: str, now_ns: UnixNs) -> None:
        self.at_ns = now_ns
        self.ticks += 1
        if kind in DELAYED_KINDS and self.data_type is DataType.LIVE:
            self.data_type = DataType.DELAYED

    def _note_sides(self, now_ns: UnixNs) -> None:
        if self.bid_usd is not None and self.ask_usd is not None:
            self.two_sided_ns = now_ns

    def _price(self, text: str) -> float | None:
        value = _number(text)
        if (value >= 0 or self._may_be_negative) and -UNSET < value < UNSET:
            return value
        self.unusable += 1
        return None

    def _size(self, text: str) -> float | None:
        value = _number(text)
        if 0 <= value < UNSET and value != UNSET_SIZE:
            return value
        self.unusable += 1
        return None


def _number(text: str) -> float:
    """Read a number; a word in its place is none, and no reason to give the link up."""
    try:
        return float(text)
    except ValueError:
        return math.nan
