"""A seller of index puts who asks nobody: what the governor is compared with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from soak.crash_market import FIRST_DAY, SESSIONS, VIX, Market
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import NS_PER_MINUTE, new_york_ns
from thetawarden.domain.market.calendar import next_session
from thetawarden.domain.units import to_float

LOOKS = (dt.time(9, 50), dt.time(12), dt.time(15, 30))
UNITS, HELD_MAX, DELTA = 8, 10, 0.08
TAKE_FRACTION, STOP_FRACTION = 0.3, 3.0
FILL_NS = 2 * NS_PER_MINUTE
DEPOSIT_USD = 1_000_000.0


class Sold(msgspec.Struct, kw_only=True):
    """One short put of the seller."""

    trade: str
    instrument: Instrument
    units: int
    credit_usd: float


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended."""

    day: dt.date
    nlv_usd: float
    vix: float
    held: int
    state: str


class Outcome(msgspec.Struct):
    """What a run came to."""

    days: list[Day] = []
    approved: int = 0
    refused: int = 0
    halts: list[str] = []
    demands: list[str] = []
    broken: list[str] = []
    messages: int = 0

    @property
    def loss_fraction(self) -> float:
        """The deepest fall from the start."""
        worst = min((one.nlv_usd for one in self.days), default=DEPOSIT_USD)
        return max(0.0, 1.0 - worst / DEPOSIT_USD)

    @property
    def result_fraction(self) -> float:
        """What is left at the end, less what there was."""
        return self.days[-1].nlv_usd / DEPOSIT_USD - 1.0 if self.days else 0.0


class Seller:
    """Sells one put a look while it holds few, takes profit, stops; asks nobody."""

    def __init__(self, seed: int) -> None:
        self.market = Market(seed)
        self.held: dict[str, Sold] = {}
        self.outcome = Outcome()
        self.serial = 0

    def live(self, sessions: int) -> Outcome:
        """Live through so many sessions."""
        day = FIRST_DAY
        for _ in range(sessions):
            for at in LOOKS:
                self.market.advance(new_york_ns(day, at))
                self.look(day)
            self.market.advance(new_york_ns(day, dt.time(16, 30)))
            self.end_day(day)
            day = next_session(day, SESSIONS)
        return self.outcome

    def look(self, day: dt.date) -> None:
        """Take profits, stop losses, sell anew."""
        self.expire(day)
        for sold in list(self.held.values()):
            quote = self.market.exchange.market.quote(sold.instrument.conid)
            ask = None if quote is None else quote.ask
            if ask and not TAKE_FRACTION * sold.credit_usd < ask < STOP_FRACTION * sold.credit_usd:
                self.close(sold, ask)
        while len(self.held) < HELD_MAX and self.sell(day):
            pass

    def sell(self, day: dt.date) -> bool:
        """One put at the delta aimed at; false when nothing came of it."""
        found = self.choose(day)
        if found is None:
            return False
        instrument, bid = found
        self.serial += 1
        return self.send_entry(f"T{self.serial}", instrument, bid)

    def choose(self, day: dt.date) -> tuple[Instrument, float] | None:
        """The put nearest to the delta that is not sold yet, and its bid."""
        puts = self.market.puts(day)
        quotes = self.market.exchange.market.quotes([one.conid for one in puts])
        best: tuple[float, Instrument, float] | None = None
        taken = {one.instrument.conid for one in self.held.values()}
        for put, quote in zip(puts, quotes, strict=True):
            greeks = None if quote is None else quote.model
            if quote is None or greeks is None or not quote.bid or greeks.delta is None:
                continue
            gap = abs(abs(greeks.delta) - DELTA)
            if put.conid not in taken and (best is None or gap < best[0]):
                best = (gap, put, quote.bid)
        return None if best is None else (best[1], best[2])

    def send_entry(self, trade: str, instrument: Instrument, bid: float) -> bool:
        """Sell; false when nothing was filled."""
        filled = self.trade(instrument, units=-UNITS, limit_usd=bid, ref=f"{trade}.1")
        if filled:
            self.held[trade] = Sold(
                trade=trade, instrument=instrument, units=filled, credit_usd=bid
            )
        return filled > 0

    def close(self, sold: Sold, ask: float) -> None:
        """Buy it back, a little above what is asked."""
        limit, ref = round(ask * 1.05, 2), f"{sold.trade}.9"
        filled = self.trade(sold.instrument, units=sold.units, limit_usd=limit, ref=ref)
        self.shrink(sold, filled)

    def shrink(self, sold: Sold, filled: int) -> None:
        """So much of it was bought back."""
        sold.units -= filled
        if sold.units <= 0:
            self.held.pop(sold.trade, None)

    def trade(self, instrument: Instrument, *, units: int, limit_usd: float, ref: str) -> int:
        """Place an order, give it two minutes, cancel the rest; return what it filled."""
        market, before = self.market, len(self.market.fills)
        market.order(instrument, units=units, limit_usd=limit_usd, ref=ref)
        market.advance(market.now + FILL_NS)
        market.exchange.cancel_all()
        market.advance(market.now + FILL_NS)
        done = market.fills[before:]
        return sum(one.quantity for one in done if one.order_ref == ref)

    def expire(self, day: dt.date) -> None:
        """What has run out is held no more."""
        for sold in list(self.held.values()):
            if sold.instrument.expiry is not None and sold.instrument.expiry < day:
                self.held.pop(sold.trade)

    def end_day(self, day: dt.date) -> None:
        """Note how the session ended."""
        values = self.market.values()
        nlv = to_float(values.net_liquidation_usd or Decimal(0))
        vix, held = self.market.price(VIX) or 0.0, len(self.held)
        self.outcome.days.append(Day(day=day, nlv_usd=nlv, vix=vix, held=held, state=self.state()))

    def state(self) -> str:
        """What it may do."""
        return "free"
