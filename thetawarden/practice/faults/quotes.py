"""Market data that lies, stops or floods (M01 to M14). `con_id` 0 means every contract."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import fault
from thetawarden.practice.faults.stage import NS_PER_S, added
from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.seams import Entitlement
from thetawarden.practice.model import Executed, Greeks
from thetawarden.practice.wire.encode import ticks as encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.model import ExchangeEvent, Quote

BAD_NUMBERS: dict[str, float | None] = {
    "missing": None,
    "minus-one": -1.0,
    "zero": 0.0,
    "negative": -5.0,
    "nan": math.nan,
    "inf": math.inf,
}
DELAYED = 3
_ABSURD = Greeks(
    iv_annual=9.99,
    price=1e9,
    delta=17.0,
    gamma=-3.0,
    vega=-1e6,
    theta=1e6,
    pv_dividend=-5.0,
    under_price=0.0,
)


def _on_quotes(stage: Stage, con_id: int, change: Callable[[Quote], Quote]) -> Undo:
    """Change what clients see of one contract, or of all."""

    def alter(quote: Quote) -> Quote:
        return change(quote) if con_id in (0, quote.con_id) else quote

    return added(stage.seams.quotes, alter)


@fault("M01", "frozen-feed", "no more ticks though the link is fine")
def frozen_feed(stage: Stage, *, con_id: int = 0) -> Undo:
    """Stop one contract's ticks, or all."""
    seen: dict[int, Quote] = {}
    return _on_quotes(stage, con_id, lambda quote: seen.setdefault(quote.con_id, quote))


@fault("M02", "crossed", "bids above asks, or equal to them with locked=1")
def crossed(stage: Stage, *, con_id: int = 0, locked: bool = False) -> Undo:
    """Swap the sides of the quote, or lock them at the ask."""

    def change(quote: Quote) -> Quote:
        bid = quote.ask
        ask = quote.ask if locked else quote.bid
        return msgspec.structs.replace(quote, bid=bid, ask=ask)

    return _on_quotes(stage, con_id, change)


@fault("M03", "bad-price", "bid and ask are missing, minus-one, zero or negative")
def bad_price(stage: Stage, *, con_id: int = 0, value: str = "minus-one") -> Undo:
    """Replace both prices."""
    return _bad_numbers(stage, con_id, value)


@fault("M04", "not-a-number", "bid and ask are nan or inf")
def not_a_number(stage: Stage, *, con_id: int = 0, value: str = "nan") -> Undo:
    """Replace both prices by what is no number."""
    return _bad_numbers(stage, con_id, value)


def _bad_numbers(stage: Stage, con_id: int, value: str) -> Undo:
    if value not in BAD_NUMBERS:
        raise RefusedError(f"value is {value!r}, one of {', '.join(BAD_NUMBERS)} allowed")
    number = BAD_NUMBERS[value]

    def change(quote: Quote) -> Quote:
        return msgspec.structs.replace(quote, bid=number, ask=number)

    return _on_quotes(stage, con_id, change)


@fault("M05", "stale-leg", "one contract stands still while its neighbours move")
def stale_leg(stage: Stage, *, con_id: int = 0) -> Undo:
    """Freeze the named contract, or the first watched one."""
    return frozen_feed(stage, con_id=stage.con_id(con_id))


@fault("M06", "halt", "trading of an underlying and its options is halted")
def halt(stage: Stage, *, con_id: int = 0) -> Undo:
    """Halt until ended."""
    levers, halted = stage.market_levers(), stage.con_id(con_id)
    levers.halt(con_id=halted, halted=True)
    return lambda: levers.halt(con_id=halted, halted=False)


@fault("M07", "spike", "quotes jump by a factor; with real=1 the market itself does")
def spike(stage: Stage, *, con_id: int = 0, factor: float = 1.15, real: bool = False) -> Undo:
    """A bad print, until ended; or a real jump, which ending does not take back."""
    if factor <= 0:
        raise RefusedError(f"factor is {factor}, more than 0 allowed")
    if real:
        stage.market_levers().jump(con_id=stage.con_id(con_id), log_return=math.log(factor))
        return lambda: None

    def times(price: float | None) -> float | None:
        return None if price is None else round(price * factor, 2)

    def change(quote: Quote) -> Quote:
        return msgspec.structs.replace(
            quote, bid=times(quote.bid), ask=times(quote.ask), last=times(quote.last)
        )

    return _on_quotes(stage, con_id, change)


@fault("M08", "delayed", "10167: delayed data is substituted on every line")
def delayed(stage: Stage) -> Undo:
    """Turn running lines into delayed ones, and new ones too where the client accepts that."""
    _substitute(stage, to_delayed=True)

    def undo() -> None:
        _substitute(stage, to_delayed=False)

    return undo


def _substitute(stage: Stage, *, to_delayed: bool) -> None:
    stage.seams.entitlement = Entitlement.DELAYED if to_delayed else Entitlement.LIVE
    for session in stage.sessions():
        for line in session.subscriptions.lines.values():
            if to_delayed:
                session.error(line.req_id, Code.DELAYED_SHOWN, codes.DELAYED_SHOWN_TEXT)
            kind = DELAYED if to_delayed else 1
            session.send(encode.market_data_type(line.req_id, kind))
            line.delayed, line.last, line.owes_greeks = to_delayed, None, True


@fault("M08", "frozen-type", "lines are marked frozen (type 2) and stand still")
def frozen_type(stage: Stage) -> Undo:
    """The last quotes of a closed market."""
    _mark(stage, 2)
    remove = frozen_feed(stage)

    def undo() -> None:
        remove()
        _mark(stage, 1)

    return undo


def _mark(stage: Stage, kind: int) -> None:
    for session in stage.sessions():
        for req_id in session.subscriptions.lines:
            session.send(encode.market_data_type(req_id, kind))


@fault("M08", "not-subscribed", "354 or 10168 for new lines: no market data permission")
def not_subscribed(stage: Stage, *, delayed_disabled: bool = False) -> Undo:
    """Refuse new lines."""
    stage.seams.entitlement = Entitlement.DELAYED_DISABLED if delayed_disabled else Entitlement.NONE

    def undo() -> None:
        stage.seams.entitlement = Entitlement.LIVE

    return undo


@fault("M09", "wide", "spreads are many times as wide; zero_bid=1 takes the bid to zero")
def wide(stage: Stage, *, con_id: int = 0, factor: float = 20.0, zero_bid: bool = False) -> Undo:
    """Widen around the middle."""

    def change(quote: Quote) -> Quote:
        if quote.bid is None or quote.ask is None:
            return quote
        half = (quote.ask - quote.bid) / 2 * factor
        middle = (quote.ask + quote.bid) / 2
        bid = 0.0 if zero_bid else max(0.0, round(middle - half, 2))
        return msgspec.structs.replace(quote, bid=bid, ask=round(middle + half, 2))

    return _on_quotes(stage, con_id, change)


@fault("M09", "wide-market", "the market itself quotes wider: orders feel it too")
def wide_market(stage: Stage, *, con_id: int = 0, factor: float = 20.0) -> Undo:
    """Widen the real spreads of a contract, or of an underlying's chain."""
    levers, widened = stage.market_levers(), stage.con_id(con_id)
    levers.widen(con_id=widened, factor=factor)
    return lambda: levers.widen(con_id=widened, factor=1.0)


@fault("M12", "burst", "every change of a quote is told many times over")
def burst(stage: Stage, *, factor: int = 50) -> Undo:
    """Flood the clients."""
    stage.seams.burst = max(1, factor)

    def undo() -> None:
        stage.seams.burst = 1

    return undo


@fault("M13", "bad-greeks", "option computations are missing or absurd")
def bad_greeks(stage: Stage, *, con_id: int = 0, kind: str = "absurd") -> Undo:
    """Replace all Greeks, by nonsense or by nothing."""
    empty = Greeks(
        iv_annual=None,
        price=None,
        delta=None,
        gamma=None,
        vega=None,
        theta=None,
        pv_dividend=None,
        under_price=None,
    )
    greeks = _ABSURD if kind == "absurd" else empty

    def change(quote: Quote) -> Quote:
        if quote.model is None:
            return quote
        return msgspec.structs.replace(
            quote, model=greeks, bid_greeks=greeks, ask_greeks=greeks, last_greeks=greeks
        )

    return _on_quotes(stage, con_id, change)


@fault("M14", "bad-times", "times of trades and fills are hours off")
def bad_times(stage: Stage, *, shift_s: float = 7200.0) -> Undo:
    """Shift what is told of times, not the market."""
    shift_ns = int(shift_s * NS_PER_S)

    def change(quote: Quote) -> Quote:
        if quote.last_at_ns is None:
            return quote
        return msgspec.structs.replace(quote, last_at_ns=max(0, quote.last_at_ns + shift_ns))

    def tell(event: ExchangeEvent) -> tuple[ExchangeEvent, ...]:
        if not isinstance(event, Executed):
            return (event,)
        fill = event.execution
        moved = msgspec.structs.replace(fill, at_ns=max(0, fill.at_ns + shift_ns))
        return (Executed(execution=moved),)

    first = _on_quotes(stage, 0, change)
    second = added(stage.seams.events, tell)

    def undo() -> None:
        first()
        second()

    return undo
