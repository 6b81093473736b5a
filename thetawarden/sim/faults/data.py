"""Market data that lies: frozen, crossed, missing, absurd, delayed, halted, jumping."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.broker.quote import DataType
from thetawarden.practice import model
from thetawarden.sim.faults.kinds import Family, Kinds, Planned, Undo

if TYPE_CHECKING:
    from thetawarden.sim.world import World

Distort = Callable[[model.Quote], model.Quote | None]
OPTION_FROM = 700_000_000
_replace = msgspec.structs.replace


def _by(make: Callable[[Planned], Distort]) -> Callable[[World, Planned], Undo]:
    """Play a distortion of what is shown."""

    def begin(world: World, planned: Planned) -> Undo:
        distortions = world.gateway.distortions
        key = f"{planned.name}@{planned.at_min}"
        distortions[key] = make(planned)
        return lambda: distortions.pop(key, None) and None

    return begin


def _frozen(planned: Planned) -> Distort:
    everything = planned.pick % 3 == 0
    return lambda quote: None if everything or quote.con_id % 3 == planned.pick % 3 else quote


def _crossed(planned: Planned) -> Distort:
    def cross(quote: model.Quote) -> model.Quote:
        if quote.con_id % 2 != planned.pick % 2 or quote.bid is None or quote.ask is None:
            return quote
        return _replace(quote, bid=quote.ask, ask=quote.bid)

    return cross


def _bad_price(planned: Planned) -> Distort:
    worse = ({"bid": None}, {"bid": 0.0, "bid_size": 0}, {"ask": None}, {"ask_size": 0})
    change = worse[planned.pick % len(worse)]
    return lambda quote: _replace(quote, **change) if quote.con_id >= OPTION_FROM else quote


def _not_a_number(planned: Planned) -> Distort:
    """The wire has already made nothing of it: no price, no size, no Greeks."""
    del planned
    nothing = {"bid": None, "ask": None, "bid_size": 0, "ask_size": 0, "model": None}
    return lambda quote: _replace(quote, **nothing)


def _stale_leg(planned: Planned) -> Distort:
    return lambda quote: None if quote.con_id % 5 == planned.pick % 5 else quote


def _halt(planned: Planned) -> Distort:
    del planned
    return lambda quote: _replace(quote, halted=True)


def _spike(planned: Planned) -> Distort:
    factor = 1.15 if planned.pick % 2 else 0.85

    def jump(quote: model.Quote) -> model.Quote:
        if quote.con_id >= OPTION_FROM or quote.last is None:
            return quote
        return _replace(quote, last=quote.last * factor)

    return jump


def _wide(planned: Planned) -> Distort:
    del planned

    def widen(quote: model.Quote) -> model.Quote:
        if quote.bid is None or quote.ask is None or quote.con_id < OPTION_FROM:
            return quote
        return _replace(quote, bid=round(quote.bid * 0.5, 2), ask=round(quote.ask * 2.0 + 1, 2))

    return widen


def _greeks(planned: Planned) -> Distort:
    absent = planned.pick % 2 == 0

    def spoil(quote: model.Quote) -> model.Quote:
        if quote.model is None:
            return quote
        return _replace(quote, model=None if absent else _replace(quote.model, iv_annual=9.0))

    return spoil


def _delayed(world: World, planned: Planned) -> Undo:
    gateway = world.gateway
    kinds = (DataType.DELAYED, DataType.FROZEN, DataType.DELAYED_FROZEN)
    gateway.data_type = kinds[planned.pick % 3]

    def live() -> None:
        gateway.data_type = DataType.LIVE

    return live


_kind = Kinds(Family.DATA).kind

KINDS = (
    _kind("M01", "frozen-feed", "no more ticks of some or all lines", _by(_frozen), weight=4),
    _kind("M02", "crossed", "bids above asks", _by(_crossed)),
    _kind("M03", "bad-price", "a side is missing, zero or without size", _by(_bad_price)),
    _kind("M04", "not-a-number", "nothing that is a number", _by(_not_a_number)),
    _kind("M05", "stale-leg", "some contracts stand still while others move", _by(_stale_leg)),
    _kind("M06", "halt", "trading is shown as halted", _by(_halt)),
    _kind("M07", "spike", "the underlying seems to jump", _by(_spike)),
    _kind("M08", "delayed", "the data is delayed or frozen", _delayed),
    _kind("M09", "wide", "spreads are many times as wide", _by(_wide)),
    _kind("M13", "bad-greeks", "Greeks are missing or absurd", _by(_greeks)),
)
