"""Keeps every trade that has sold something protected, and repairs what is not.

Exits that differ in size are changed, not doubled. Missing ones are placed once more; if that
fails the trade is closed; if that fails trading halts and a person is called. Nothing is repaired
while an order that closes the trade is alive, or while it is not known what became of its exits.
A closing order in doubt protects nobody: a person is told of it as of missing exits.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.actors import closing
from thetawarden.actors.executing import (
    ME,
    Asked,
    ExecutorState,
    Says,
    changed,
    held_of,
    lives_of,
    next_number,
    page,
    rests,
    there,
)
from thetawarden.actors.following import UNSURE, take_back
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.market.ticks import step_at
from thetawarden.domain.orders.building import (
    is_short,
    left_at_target,
    profit_limit,
    reversed_legs,
    scaled_stop,
    stop_prices,
    ticks_of,
)
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.lasting import is_traded
from thetawarden.domain.orders.life import OrderLife
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.orders.trade import (
    Cover,
    Protection,
    Repair,
    TradeLife,
    judge_protection,
    options_in,
    same_unit,
    unit_of,
)
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.orders import ProposeOrder, ProtectionChanged, ReviseExits
from thetawarden.messages.trading import Halt

TRIES_MAX = 3
_NOTHING_THERE = frozenset({Stage.WITHHELD, Stage.ABSENT})


class Guard:
    """Looks at one trade after anything about it has changed."""

    def __init__(self, settings: ExecutorSettings, sessions: Sessions) -> None:
        self._settings = settings
        self._sessions = sessions

    def look(self, state: ExecutorState, name: str, now: UnixNs) -> tuple[Says, ...]:
        """Say whether a trade is protected when that has changed, and do what it needs."""
        trade = state.trades.get(name)
        if trade is None:
            return ()
        trade = _with_new_exits(state, trade)
        state.trades[name] = trade
        found = judge_protection(trade, lives_of(state, name))
        if found.units and closing.is_to_be_closed(state, trade):
            state.trades[name] = _being_closed(trade)
            return ()
        match found.cover:
            case Cover.COMPLETE | Cover.NEEDLESS:
                return _protected(state, trade, found, now)
            case Cover.CLOSING:
                state.trades[name] = _being_closed(trade)
                return ()  # of a trade that holds nothing: the order will find that out
            case Cover.UNSURE:
                if not self._is_traded(found, now):
                    return _protected(state, trade, found, now)
                return self._lacking(state, trade, found, now)
            case Cover.LACKING | Cover.EXCESSIVE:
                if not is_short(found.unit):  # nothing of it needs an exit
                    told = _protected(state, trade, found, now)
                    return (*told, *self._take_all_back(state, trade, found.words, now))
                if not self._is_traded(found, now):
                    return _protected(state, trade, found, now)
                said = self._lacking(state, trade, found, now)
                return (*said, *self._repair(state, state.trades[name], found, now))

    def _is_traded(self, found: Protection, now: UnixNs) -> bool:
        """Whether what is held can still be bought back; else no exit of it is missed."""
        legs = (leg.instrument for leg in found.unit)
        return is_traded(legs, now=now, sessions=self._sessions)

    def revise(self, state: ExecutorState, asked: ReviseExits, now: UnixNs) -> tuple[Says, ...]:
        """Move a trade's exits to other prices: where they work, by changing them."""
        trade = state.trades.get(asked.trade)
        if trade is None or closing.is_closing(state, trade):
            return ()
        unit, _ = unit_of(options_in(held_of(state, trade)))
        exits = _merged(trade, asked.exits, unit)
        state.trades[trade.name] = msgspec.structs.replace(
            trade, exits=exits, unit=unit or trade.unit, again_ns=UnixNs(0)
        )
        said: list[Says] = []
        for life in lives_of(state, trade.name):
            if life.is_exit and not life.is_over:
                said += self._reprice(state, life, exits, now)
        return (*said, *self.look(state, trade.name, now))

    def go_on(self, state: ExecutorState, now: UnixNs) -> tuple[Says, ...]:
        """A person has lifted the halt: what could not be repaired is tried again."""
        given_up = [one for one in state.trades.values() if one.repair is Repair.HALTED]
        for trade in given_up:
            state.trades[trade.name] = msgspec.structs.replace(
                trade, repair=Repair.NONE, tries=0, again_ns=UnixNs(0), alarmed=False
            )
        return tuple(said for one in given_up for said in self.look(state, one.name, now))

    def _reprice(
        self, state: ExecutorState, life: OrderLife, exits: Exits, now: UnixNs
    ) -> tuple[Says, ...]:
        legs, rest = life.intent.legs, UnixNs(0)
        if life.intent.role is OrderRole.TAKE_PROFIT and exits.take_profit_usd is not None:
            limit = profit_limit(exits.take_profit_usd, legs)
            return changed(
                state, life, now=now, settings=self._settings, quoted_ns=rest, limit_usd=limit
            )
        if life.intent.role is OrderRole.STOP and exits.stop_usd is not None:
            stop, limit = stop_prices(exits.stop_usd, legs, self._settings.exits)
            return changed(
                state,
                life,
                now=now,
                settings=self._settings,
                quoted_ns=rest,
                limit_usd=limit,
                stop_usd=stop,
            )
        return ()

    def _lacking(
        self, state: ExecutorState, trade: TradeLife, found: Protection, now: UnixNs
    ) -> tuple[Says, ...]:
        """Time it from its beginning; for longer than allowed it is a critical alert, once."""
        since = trade.missing_ns or now
        if not trade.missing_ns and now - trade.mended_ns >= self._settings.ask_ns:
            fresh = {"repair": Repair.NONE, "tries": 0, "again_ns": UnixNs(0)}
            trade = msgspec.structs.replace(trade, **fresh)
        late = now - since >= self._settings.protect_ns and not trade.alarmed
        state.trades[trade.name] = msgspec.structs.replace(
            trade, missing_ns=since, alarmed=trade.alarmed or late
        )
        if not late:
            return ()
        text = f"{trade.name} is not protected: {found.words}"
        return (
            ProtectionChanged(trade=trade.name, complete=False, since_ns=since, words=found.words),
            page(trade.name, text),
        )

    def _repair(
        self, state: ExecutorState, trade: TradeLife, found: Protection, now: UnixNs
    ) -> tuple[Says, ...]:
        if _is_in_work(state, trade) or not rests(state, trade.name) or state.quiet:
            return ()
        if options_in(there(state, trade)) != options_in(held_of(state, trade)):
            return ()  # exits of what may be gone could open it anew: the book is looked at first
        exits = [one for one in lives_of(state, trade.name) if one.is_exit and not one.is_over]
        if exits:
            resized = self._resized(state, trade, exits, found, now)
            return resized or self._take_all_back(state, trade, "other exits take its place", now)
        if now < trade.again_ns:
            return ()
        return self._escalate(state, trade, found, now)

    def _resized(
        self,
        state: ExecutorState,
        trade: TradeLife,
        exits: list[OrderLife],
        found: Protection,
        now: UnixNs,
    ) -> tuple[Says, ...]:
        """Change the size of exits that are otherwise what they should be."""
        if not _are_the_right_ones(trade, exits, found):
            return ()
        return tuple(
            said
            for life in exits
            for said in changed(
                state,
                life,
                now=now,
                settings=self._settings,
                quoted_ns=UnixNs(0),
                units=life.units_filled + found.units,
            )
        )

    def _take_all_back(
        self, state: ExecutorState, trade: TradeLife, reason: str, now: UnixNs
    ) -> tuple[Says, ...]:
        exits = [
            one
            for one in lives_of(state, trade.name)
            if one.is_exit and one.stage is not Stage.INTENDED  # word of those is on its way
        ]
        return take_back(state, exits, reason, now=now, settings=self._settings)

    def _escalate(
        self, state: ExecutorState, trade: TradeLife, found: Protection, now: UnixNs
    ) -> tuple[Says, ...]:
        """Place them once more, else close the trade, else halt and call a person."""
        settings = self._settings
        match _next_repair(state, trade):
            case Repair.PLACING:
                return self._place(state, trade, found, now)
            case Repair.FLATTENING:
                trade = msgspec.structs.replace(
                    trade, repair=Repair.FLATTENING, tries=trade.tries + 1
                )
                state.trades[trade.name] = trade
                reason = f"its exits cannot be kept: {found.words}"
                said = closing.close(state, trade, reason=reason, now=now, settings=settings)
                return (*said, page(trade.name, f"{trade.name} is being closed: {reason}"))
            case Repair.HALTED if trade.repair is not Repair.HALTED:
                state.trades[trade.name] = msgspec.structs.replace(trade, repair=Repair.HALTED)
                text = f"{trade.name} is not protected and could not be closed: {found.words}"
                return (Halt(reason=text, by=ME), page(trade.name, text))
            case _:
                return ()

    def _place(
        self, state: ExecutorState, trade: TradeLife, found: Protection, now: UnixNs
    ) -> tuple[Says, ...]:
        settings = self._settings
        state.trades[trade.name] = msgspec.structs.replace(
            trade,
            repair=Repair.PLACING,
            tries=trade.tries + 1,
            again_ns=UnixNs(now + settings.query_ns),
        )
        exits = self._exits_of(state, trade, found, now)
        if exits is None:
            return ()
        legs = reversed_legs(found.unit)
        profit = exits.take_profit_usd
        limit = step_at(Decimal(), ticks_of(legs)) if profit is None else profit_limit(profit, legs)
        key = f"{trade.name}:protect:{next_number(state, now)}"
        proposal = Proposal(
            key=key,
            trade=trade.name,
            strategy=trade.strategy,
            purpose=Purpose.CLOSE,
            underlying=trade.underlying,
            legs=legs,
            units=found.units,
            limit_usd=limit,
            worst_usd=limit,
            pricing=Pricing.FIXED,
            expires_ns=UnixNs(now + settings.ask_ns),
            exits=exits,
            reasons=(f"protection is to be restored: {found.words}",),
        )
        due = UnixNs(now + settings.ask_ns)
        state.asked[key] = Asked(trade=trade.name, closing=False, due_ns=due)
        return (ProposeOrder(proposal=proposal),)

    def _exits_of(
        self, state: ExecutorState, trade: TradeLife, found: Protection, now: UnixNs
    ) -> Exits | None:
        """The prices that were meant; of an odd unit, the usual part of what it costs now."""
        if trade.exits is not None and same_unit(trade.unit, found.unit):
            return trade.exits
        price = closing.price_now(state, reversed_legs(found.unit), now, self._settings)
        if price is None:
            return None
        terms = self._settings.exits
        worth = max(price.mid_usd, Decimal())
        stop = None if trade.exits is None else trade.exits.stop_usd
        multiple = Decimal(repr(terms.stop_multiple or 2.0))
        return Exits(
            take_profit_usd=worth * left_at_target(terms),
            stop_usd=None if stop is None else worth * multiple,
        )


def _merged(trade: TradeLife, asked: Exits, unit: tuple[OrderLeg, ...]) -> Exits:
    """What is not asked for stays; of another unit than before the stop keeps its proportion."""
    before = trade.exits or Exits(take_profit_usd=None, stop_usd=None)
    profit, stop = asked.take_profit_usd, asked.stop_usd
    if stop is None:
        same = not unit or same_unit(unit, trade.unit)
        stop = before.stop_usd if same else scaled_stop(before, take_profit_usd=profit)
    return Exits(
        take_profit_usd=before.take_profit_usd if profit is None else profit, stop_usd=stop
    )


def _with_new_exits(state: ExecutorState, trade: TradeLife) -> TradeLife:
    """A roll that has wholly filled brings the exits of what is held from now on."""
    for life in lives_of(state, trade.name):
        if life.intent.role is OrderRole.ROLL and life.is_over and life.exits is not None:
            state.orders[life.order_ref] = msgspec.structs.replace(life, exits=None)
            if life.units_filled:
                unit, _ = unit_of(options_in(held_of(state, trade)))
                trade = msgspec.structs.replace(trade, exits=life.exits, unit=unit)
    return trade


def _protected(
    state: ExecutorState, trade: TradeLife, found: Protection, now: UnixNs
) -> tuple[Says, ...]:
    state.trades[trade.name] = msgspec.structs.replace(
        trade,
        missing_ns=UnixNs(0),
        alarmed=False,
        mended_ns=now if trade.missing_ns else trade.mended_ns,
    )
    if not trade.alarmed:
        return ()
    words = found.words or found.cover
    return (ProtectionChanged(trade=trade.name, complete=True, since_ns=now, words=words),)


def _being_closed(trade: TradeLife) -> TradeLife:
    """A closing order stands for its exits; one that was asked for by others begins anew."""
    trade = msgspec.structs.replace(trade, missing_ns=UnixNs(0))
    if trade.repair is Repair.FLATTENING:
        return trade
    return msgspec.structs.replace(trade, repair=Repair.NONE, tries=0, again_ns=UnixNs(0))


def _is_in_work(state: ExecutorState, trade: TradeLife) -> bool:
    """Whether exits are being placed, changed or taken back, or something of it is being closed."""
    if closing.is_busy(state, trade):
        return True
    flattening = state.flattening
    if flattening is not None and flattening.concerns(trade.underlying):
        return True
    return any(
        life.is_exit
        and not life.is_over
        and (life.stage in UNSURE or life.change is not None or life.cancel is not None)
        for life in lives_of(state, trade.name)
    )


def _are_the_right_ones(trade: TradeLife, exits: list[OrderLife], found: Protection) -> bool:
    """One exit of every kind that is wanted, of the right legs: only their size is wrong."""
    wanted = trade.exits
    if wanted is None:
        return False
    roles = [OrderRole.TAKE_PROFIT] if wanted.take_profit_usd is not None else []
    roles += [OrderRole.STOP] if wanted.stop_usd is not None else []
    return sorted(life.intent.role for life in exits) == sorted(roles) and all(
        same_unit(reversed_legs(life.intent.legs), found.unit) for life in exits
    )


def _next_repair(state: ExecutorState, trade: TradeLife) -> Repair:
    """What never reached the broker is tried again a few times; what it ended, only once.

    An exit of before, taken back for another, says nothing of the one that is to take its place.
    """
    if trade.repair is Repair.NONE:
        return Repair.PLACING
    if trade.repair is Repair.PLACING:
        lives = [one for one in lives_of(state, trade.name) if one.made_ns >= trade.missing_ns]
        exits = [life for life in lives if _was_to_protect(life)]
        last = max(exits, key=lambda life: life.made_ns, default=None)
        unheard = last is None or last.stage in _NOTHING_THERE
        again = unheard and trade.tries < TRIES_MAX
        return Repair.PLACING if again else Repair.FLATTENING
    if trade.repair is Repair.FLATTENING and trade.tries < 2 * TRIES_MAX:
        return Repair.FLATTENING
    return Repair.HALTED


def _was_to_protect(life: OrderLife) -> bool:
    """An exit, or the order that stands for exits which were not sent at all."""
    return life.is_exit or (life.stage is Stage.WITHHELD and life.intent.role is OrderRole.EXIT)
