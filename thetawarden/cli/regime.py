"""`thetawarden regime`."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json, state_of
from thetawarden.domain.instants import UnixNs, iso
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.factors import EntryPolicy, Factor


class FactorView(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's answer; `faults` are the inputs it could not use, and why."""

    rule: str
    state: str
    size_fraction: float
    delta_fraction: float
    entries: str
    faults: tuple[str, ...]


class RegimeView(msgspec.Struct, frozen=True, kw_only=True):
    """What the market's state allows; before the first look at it, nothing."""

    regime: str | None
    entries: str
    size_fraction: float
    delta_fraction: float
    close_naked: bool
    assessed_at: str | None
    factors: tuple[FactorView, ...]
    evidence: dict[str, float | str]


@click.command()
@as_json
@on_place
def regime(*, place: Place, as_json: bool) -> None:
    """Show what the market's state allows, rule by rule."""
    view = view_of(state_of(place.desk(), "regime"))
    if as_json:
        print_json(view)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    rows = [
        (each.rule, each.state, f"x {each.size_fraction:.2f}", each.entries, "; ".join(each.faults))
        for each in view.factors
    ]
    columns = ("rule", "state", "size", "entries", "could not use")
    print_table(plain_table(words_of(view), columns, rows))


def view_of(state: Any) -> RegimeView:
    """Return what the regime actor's state says to people."""
    if state is None or state["regime"] is None:
        return RegimeView(
            regime=None,
            entries=EntryPolicy.NONE,
            size_fraction=0.0,
            delta_fraction=1.0,
            close_naked=False,
            assessed_at=None,
            factors=(),
            evidence={},
        )
    verdict = msgspec.convert(state["regime"], Regime)
    return RegimeView(
        regime=verdict.derived,
        entries=verdict.entries,
        size_fraction=verdict.size_fraction,
        delta_fraction=verdict.delta_fraction,
        close_naked=verdict.close_naked,
        assessed_at=iso(UnixNs(state["assessed_ns"])),
        factors=tuple(_factor(each) for each in verdict.factors),
        evidence={each.name: each.value for each in verdict.evidence},
    )


def words_of(view: RegimeView) -> str:
    """Return the verdict in one line."""
    if view.assessed_at is None:
        return "the market has not been looked at yet: no entries"
    words = f"{view.regime or 'unknown'}: entries {view.entries}, sizes x {view.size_fraction:.2f}"
    words += f", deltas x {view.delta_fraction:.2f}, as of {view.assessed_at}"
    return f"CLOSE ALL NAKED POSITIONS; {words}" if view.close_naked else words


def _factor(factor: Factor) -> FactorView:
    return FactorView(
        rule=factor.rule,
        state=factor.label,
        size_fraction=factor.size_fraction,
        delta_fraction=factor.delta_fraction,
        entries=factor.entries,
        faults=tuple(f"{each.name} {each.fault}" for each in factor.faults),
    )
