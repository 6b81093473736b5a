"""What is broken on purpose: each takes a function of the package and returns one with a bug."""

from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np

from thetawarden.actors import executing
from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.broker.quote_rows import read_quotes, write_quotes
from thetawarden.domain.chains.doubts import Doubt
from thetawarden.domain.halt import Latch
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.trading import TradingResumed
from thetawarden.practice import model
from thetawarden.sim.settings import FEW_SPREADS

_replace = msgspec.structs.replace


def nothing(_original: Any) -> Any:
    return lambda *_args, **_named: ()


def none(_original: Any) -> Any:
    return lambda *_args, **_named: None


def empty(_original: Any) -> Any:
    return lambda *_args, **_named: ""


# --- the way to the broker


def undurable(_original: Any) -> Any:
    return lambda desk: desk._perform_one()


def other_side(original: Any) -> Any:
    def ticket(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        flipped = model.Action.SELL if made.action is model.Action.BUY else model.Action.BUY
        return _replace(made, action=flipped)

    return ticket


def one_more(original: Any) -> Any:
    def ticket(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        return _replace(made, quantity=made.quantity + 1)

    return ticket


def worse_price(original: Any) -> Any:
    def ticket(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        price = made.limit_price
        return made if price is None else _replace(made, limit_price=round(price + 0.05, 2))

    return ticket


def twice(original: Any) -> Any:
    def send(self: Any, wire: Any, tickets: Any) -> None:
        original(self, wire, tickets)
        key = lambda one: _replace(one.key, order_id=one.key.order_id + 5000)  # noqa: E731
        original(self, wire, [_replace(one, key=key(one)) for one in tickets])

    return send


def as_first_sent(original: Any) -> Any:
    def send(self: Any, wire: Any, tickets: Any) -> None:
        first = {one.key: one for one in reversed(self._gateway.sent)}
        kept = ("transmit", "parent_id", "oca_group", "oca_type")
        stale = [
            _replace(first.get(one.key, one), **{name: getattr(one, name) for name in kept})
            for one in tickets
        ]
        original(self, wire, stale)

    return send


def again_on_reconnect(original: Any) -> Any:
    def let_in(self: Any, epoch: int) -> None:
        original(self, epoch)
        if self.wire is not None and self.gateway.sent:
            last = self.gateway.sent[-1]
            key = _replace(last.key, order_id=last.key.order_id + 7000)
            self.orders._send(self.wire, [_replace(last, key=key)])

    return let_in


def one_approval(original: Any) -> Any:
    def approve(*args: Any, **named: Any) -> Any:
        made = original(*args, **named)
        if not hasattr(made, "approval"):
            return made
        return _replace(made, approval=_replace(made.approval, key="A1"))

    return approve


def more_units(original: Any) -> Any:
    return lambda *args, **named: original(*args, **named) + 1


def says_it_reduces(original: Any) -> Any:
    return lambda *args, **named: original(*args, **(named | {"reducing": True}))


# --- the brakes


def deaf_to_halt(original: Any) -> Any:
    def desk_of(state: Any, settings: Any) -> Any:
        made = original(state, settings)
        latch = Latch(epoch=state.latch.epoch, halt=None)
        return _replace(made, posture=_replace(made.posture, latch=latch))

    return desk_of


def unhalted(original: Any) -> Any:
    def receive(self: Any, message: Any, now: Any) -> Any:
        said = original(self, message, now)
        self.state.halted = False
        return said

    return receive


def lifts_itself(original: Any) -> Any:
    def receive(self: Any, message: Any, now: Any) -> Any:
        said = original(self, message, now)
        if isinstance(message, Begin) and self.state.latch.halt is not None:
            self.state.latch = Latch(epoch=self.state.latch.epoch, halt=None)
            resumed = TradingResumed(epoch=self.state.latch.epoch, reason="a new start", by="me")
            return (resumed, *said)
        return said

    return receive


def any_epoch(_original: Any) -> Any:
    return lambda latch, *, epoch, reason: Latch(epoch=latch.epoch, halt=None)


def no_flag(_original: Any) -> Any:
    return lambda self, halt: None


def gives_up_quietly(original: Any) -> Any:
    def give_up(self: Any, reason: str) -> None:
        self.gave_up.append(reason)
        self._end_process()

    return give_up


# --- the book


def drops_fills(_original: Any) -> Any:
    return lambda book, told: book


def counts_corrections(_original: Any) -> Any:
    return lambda execution_id: execution_id


def wrong_sign(original: Any) -> Any:
    return lambda book, told: original(book, _replace(told, quantity=-told.quantity))


# --- the market


def ageless(original: Any) -> Any:
    def fault_of(*, reading: Any, now_ns: int, bounds: Any) -> Any:
        fresh = None if reading is None else _replace(reading, at_ns=now_ns)
        return original(reading=fresh, now_ns=now_ns, bounds=bounds)

    return fault_of


def as_live(original: Any) -> Any:
    return lambda quote: original(
        None if quote is None else _replace(quote, data_type=DataType.LIVE)
    )


def all_live(original: Any) -> Any:
    def observe(self: Any, written: bytes, **named: Any) -> Any:
        shown = (_replace(one, data_type=DataType.LIVE) for one in read_quotes(written))
        return original(self, write_quotes(shown), **named)

    return observe


def _undoubted(*doubts: Doubt) -> Any:
    def make(original: Any) -> Any:
        def prices(table: Any, frame: Any, limits: Any) -> Any:
            found = original(table, frame, limits)
            return found | dict.fromkeys(doubts, np.zeros(len(table.conid), dtype=np.bool_))

        return prices

    return make


crossed_is_fine = _undoubted(Doubt.CROSSED, Doubt.LOCKED)
one_side_is_fine = _undoubted(Doubt.ONE_SIDED, Doubt.ZERO_BID, Doubt.ZERO_ASK, Doubt.NO_SIZE)


# --- the log


def loses_the_last(_original: Any) -> Any:
    return lambda self: self.entries[: max(0, self._durable - 3)]


def no_header(original: Any) -> Any:
    def say(self: Any, body: Any, *, sender: str) -> None:
        if type(body).__name__ != "DeskStarted":
            original(self, body, sender=sender)

    return say


# --- orders and links


def of_one_unit(original: Any) -> Any:
    return lambda exits, order, terms: original(exits, _replace(order, units=1), terms)


def five_times(original: Any) -> Any:
    return lambda exits, order, terms: original(
        exits, _replace(order, units=5 * order.units), terms
    )


def forgets_trades(original: Any) -> Any:
    def look(self: Any, state: Any, name: str, now: Any) -> Any:
        if any(life.units_filled for life in executing.lives_of(state, name)):
            state.trades.pop(name, None)
        return original(self, state, name, now)

    return look


def blind_to_changes(original: Any) -> Any:
    def look_after(self: Any, before: Any, now: Any) -> Any:
        guard, self._guard = self._guard, SimpleNamespace(look=lambda *_: ())
        try:
            return original(self, before, now)
        finally:
            self._guard = guard

    return look_after


def hears_no_loss(original: Any) -> Any:
    return lambda self, lost, now: ()


def gives_nothing_up(original: Any) -> Any:
    return lambda self, words, now: ()


def nothing_wrong(_original: Any) -> Any:
    return lambda gate, seen: None


def forgets_last(original: Any) -> Any:
    return lambda make, snapshot, steps: original(make, snapshot, list(steps)[:-1])


# --- what is kept free for what is on its way


def nothing_is_kept_free(_original: Any) -> Any:
    return property(lambda self: 0.0)


def costs_nothing(_original: Any) -> Any:
    return lambda self, place: 0.0


def _of_few_spreads(*, margin: float = 0.8, loss: float = 0.15) -> Any:
    def make(original: Any) -> Any:
        def with_limits(risk: Any, rng: Any) -> Any:
            risk = original(risk, rng)
            return _replace(
                risk,
                greeks=_replace(risk.greeks, notional_max_nlv=2.0, entry_fill_fraction=1.0),
                margin=_replace(risk.margin, utilisation_max_fraction=margin),
                stress=_replace(risk.stress, entry_loss_fraction=loss),
                concentration=_replace(risk.concentration, positions_max=20),
                orders=_replace(risk.orders, entries_per_minute_max=10),
            )

        return with_limits

    return make


margin_of_few_spreads = _of_few_spreads(margin=FEW_SPREADS)
loss_of_few_spreads = _of_few_spreads(loss=FEW_SPREADS)
"""No bugs: desks whose margin, or loss, a few spreads exhaust, and nothing else does."""
