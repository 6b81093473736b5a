"""Says what a trade holds by its orders' fills, and whether what it has sold is protected.

What is held is brought to a unit and how many of them there are, by the largest number that divides
all of it: so a spread that filled unevenly still has a unit, another one, that can be closed.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.building import is_short, reversed_legs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.life import OrderLife, is_uneven, leg_contracts
from thetawarden.domain.orders.proposal import Exits, OrderLeg
from thetawarden.domain.orders.stages import Stage


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """So many contracts of an instrument, signed."""

    instrument: Instrument
    contracts: int


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade held of a contract, and the stems of the fills that can have taken it."""

    instrument: Instrument
    contracts: int
    fills: tuple[str, ...]


class Repair(enum.IntEnum):
    """How far the repair of a trade's protection has gone."""

    NONE = 0
    PLACING = 1
    FLATTENING = 2
    HALTED = 3


class TradeLife(msgspec.Struct, frozen=True, kw_only=True):
    """What the executor remembers of a trade.

    `carried` is what orders brought that are forgotten, and what the broker's book corrected;
    `lost` what fills that are not ours took: who made them may take them back.
    `exits` are the prices at which a unit of it is to be ended, `unit` the legs they are meant for.
    Protection is missing since `missing_ns`, 0 for not; `alarmed` once a person was told. The next
    step of its repair is due at `again_ns`. It was complete again at `mended_ns`: what is lost soon
    after is the same trouble.
    """

    name: str
    strategy: str
    underlying: str
    carried: tuple[Held, ...] = ()
    exits: Exits | None = None
    unit: tuple[OrderLeg, ...] = ()
    missing_ns: UnixNs = UnixNs(0)
    alarmed: bool = False
    repair: Repair = Repair.NONE
    tries: int = 0
    again_ns: UnixNs = UnixNs(0)
    mended_ns: UnixNs = UnixNs(0)
    lost: tuple[Lost, ...] = ()


class Cover(enum.StrEnum):
    """How well a trade is protected."""

    NEEDLESS = "nothing is sold short"
    COMPLETE = "complete"
    CLOSING = "being closed"
    UNSURE = "its exits, or the order that closes it, are in doubt"
    LACKING = "missing or incomplete"
    EXCESSIVE = "more exits than is held"


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """How a trade stands: its unit and units, and what its exits are for."""

    cover: Cover
    unit: tuple[OrderLeg, ...]
    units: int
    words: str


def held_by(trade: TradeLife, lives: Iterable[OrderLife]) -> tuple[Held, ...]:
    """Return what a trade holds: what was carried over and what its orders brought."""
    contracts: dict[int, int] = {}
    instruments: dict[int, Instrument] = {}
    for one in trade.carried:
        instruments[one.instrument.conid] = one.instrument
        contracts[one.instrument.conid] = contracts.get(one.instrument.conid, 0) + one.contracts
    for life in lives:
        brought = leg_contracts(life)
        for leg in life.intent.legs:
            conid = leg.instrument.conid
            instruments[conid] = leg.instrument
            contracts[conid] = contracts.get(conid, 0) + brought[conid]
    return tuple(
        Held(instrument=instruments[conid], contracts=count)
        for conid, count in contracts.items()
        if count
    )


def options_in(held: tuple[Held, ...]) -> tuple[Held, ...]:
    """Return the options of what is held: shares that one of them brought need no exits."""
    return tuple(one for one in held if one.instrument.kind is InstrumentKind.OPTION)


def with_shares(trade: TradeLife, shares: Instrument, contracts: int) -> TradeLife:
    """Return a trade that was brought, or has given away, shares by the delivery of an option."""
    brought = Held(instrument=shares, contracts=contracts)
    return msgspec.structs.replace(trade, carried=(*trade.carried, brought))


def unit_of(held: tuple[Held, ...]) -> tuple[tuple[OrderLeg, ...], int]:
    """Return what is held as a unit of legs and how many of them; no legs and 0 for nothing."""
    units = math.gcd(*(one.contracts for one in held))
    legs = tuple(
        OrderLeg(instrument=one.instrument, ratio=one.contracts // units) for one in held if units
    )
    return legs, units


def ever_held(trade: TradeLife, lives: Iterable[OrderLife]) -> frozenset[int]:
    """Return the contracts of which a trade holds or has held any."""
    brought = {conid for life in lives for conid, count in leg_contracts(life).items() if count}
    return frozenset(brought | {one.instrument.conid for one in trade.carried})


def units_closed(leg: OrderLeg, contracts: int) -> int:
    """Return how many units of a leg take away from so many contracts; 0 where it adds to them."""
    return abs(contracts) // abs(leg.ratio) if contracts * leg.ratio < 0 else 0


def same_unit(one: tuple[OrderLeg, ...], other: tuple[OrderLeg, ...]) -> bool:
    """Whether two units are of the same legs, in whatever order."""
    return _ratios(one) == _ratios(other)


def shared(
    trades: Mapping[str, tuple[Held, ...]], broker: Mapping[int, Decimal]
) -> dict[str, tuple[Held, ...]]:
    """Return what of each trade the broker has; where several hold a contract the oldest lose it.

    What expired, was assigned or closed by hand is gone, and no count stands for two trades.
    """
    left = dict(broker)
    kept = {}
    for name in reversed(tuple(trades)):
        kept[name] = _clipped(trades[name], left)
        for one in kept[name]:
            left[one.instrument.conid] -= one.contracts
    return {name: kept[name] for name in trades}


def judge_protection(trade: TradeLife, lives: tuple[OrderLife, ...]) -> Protection:
    """Return whether every unit a trade has sold short has its exits at the broker.

    An order that closes or rolls the trade, alive, stands for them; not one of which nobody knows
    whether the broker has it. So do the exits that left with an entry that may still fill.
    """
    unit, units = unit_of(options_in(held_by(trade, lives)))

    def found(cover: Cover, words: str) -> Protection:
        return Protection(cover=cover, unit=unit, units=units, words=words)

    exits = [life for life in lives if life.is_exit and not life.is_over]
    closing = [life for life in lives if _is_closing(life)]
    wants_exits = is_short(unit) and trade.exits is not None
    if closing and wants_exits and all(life.stage is Stage.UNKNOWN for life in closing):
        return found(Cover.UNSURE, "what became of the order that closes it is being found out")
    if closing:
        return found(Cover.CLOSING, "an order that closes it is on its way")
    if not is_short(unit) or trade.exits is None:
        left_over = any(not _ends(life, unit, units) for life in exits)
        settled = not any(_is_entering(life) or is_uneven(life) for life in lives)
        if left_over and settled and not is_short(unit):
            return found(Cover.EXCESSIVE, "exits are left of what is no longer held")
        return found(Cover.NEEDLESS, "")
    if any(life.stage is Stage.UNKNOWN for life in exits):
        return found(Cover.UNSURE, "what became of its exits is being found out")
    gaps = tuple(
        words for role in _wanted(trade.exits) if (words := _gap(role, exits, unit, units))
    )
    entering = any(_is_entering(life) for life in lives)
    if entering and all(_stands_by(role, exits) for role in _wanted(trade.exits)):
        return found(Cover.COMPLETE, "its exits grow with its fills")
    if gaps:
        most = max((life.units_left for life in exits), default=0)
        wrong = any(not same_unit(reversed_legs(life.intent.legs), unit) for life in exits)
        over = most > units or wrong
        return found(Cover.EXCESSIVE if over else Cover.LACKING, "; ".join(gaps))
    return found(Cover.COMPLETE, f"exits for all {units} units work at the broker")


def _wanted(exits: Exits) -> tuple[OrderRole, ...]:
    profit = () if exits.take_profit_usd is None else (OrderRole.TAKE_PROFIT,)
    return profit if exits.stop_usd is None else (*profit, OrderRole.STOP)


def _gap(role: OrderRole, exits: list[OrderLife], unit: tuple[OrderLeg, ...], units: int) -> str:
    """What is wrong with the exits of one role; empty when they cover all units exactly."""
    name = role.value.replace("_", " ")
    own = [life for life in exits if life.intent.role is role]
    fitting = [life for life in own if same_unit(reversed_legs(life.intent.legs), unit)]
    covered = sum(life.units_left for life in fitting if _is_up(life))
    if covered != units:
        return f"{covered} of {units} units have a {name}"
    return f"a {name} is of other legs" if len(fitting) < len(own) else ""


def _ends(life: OrderLife, unit: tuple[OrderLeg, ...], units: int) -> bool:
    """Whether all that an exit may do is to take from so many units."""
    return life.units_left <= units and same_unit(reversed_legs(life.intent.legs), unit)


def _is_up(life: OrderLife) -> bool:
    return life.stage in (Stage.WORKING, Stage.PARTIAL) and life.cancel is None


def _stands_by(role: OrderRole, exits: list[OrderLife]) -> bool:
    return any(life.intent.role is role and life.cancel is None for life in exits)


def _is_closing(life: OrderLife) -> bool:
    return not life.is_over and life.intent.role in (OrderRole.EXIT, OrderRole.ROLL)


def _is_entering(life: OrderLife) -> bool:
    return not life.is_over and life.intent.role in (OrderRole.ENTRY, OrderRole.HEDGE)


def _ratios(legs: tuple[OrderLeg, ...]) -> dict[int, int]:
    return {leg.instrument.conid: leg.ratio for leg in legs}


def _clipped(held: tuple[Held, ...], broker: Mapping[int, Decimal]) -> tuple[Held, ...]:
    left = []
    for one in held:
        there = int(broker.get(one.instrument.conid, Decimal()))
        most = min(abs(there), abs(one.contracts)) if there * one.contracts > 0 else 0
        if most:
            contracts = most if one.contracts > 0 else -most
            left.append(Held(instrument=one.instrument, contracts=contracts))
    return tuple(left)
