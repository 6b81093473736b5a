"""`thetawarden risk`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json, state_of
from thetawarden.domain.instants import UnixNs, iso

if TYPE_CHECKING:
    from rich.table import Table

UNSEEN = "the governor has not looked yet: no entries"


class LimitView(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: what is held, and used with all that may yet fill; null is not known."""

    rule: str
    name: str
    limit: float
    held: float | None
    used: float | None
    percent: float | None


class BrakeView(msgspec.Struct, frozen=True, kw_only=True):
    """One brake: what is lost or in use, and how near that is to its limit."""

    name: str
    value_fraction: float | None
    limit_fraction: float
    percent: float | None
    level: str


class DemandView(msgspec.Struct, frozen=True, kw_only=True):
    """What the state of market, book and losses demands."""

    kind: str
    why: str
    positions: tuple[str, ...]


class ReservedView(msgspec.Struct, frozen=True, kw_only=True):
    """An approved order that is not known to be over."""

    approval: str
    strategy: str
    state: str
    units: int
    filled: int
    counted: int
    margin_usd: float


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's word on a candidate; `waived` where it does not bind what reduces risk."""

    rule: str
    check: str
    verdict: str
    limit: float | None
    used: float | None
    waived: bool
    words: str


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one candidate; `units` 0 is a refusal."""

    at: str
    key: str
    strategy: str
    underlying: str
    wanted: int
    units: int
    reducing: bool
    binding: tuple[str, ...]
    words: str
    findings: tuple[FindingView, ...]


class RiskView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that limits the desk now."""

    trading_state: str
    why: tuple[str, ...]
    at: str | None
    recovery: str
    limits: tuple[LimitView, ...]
    brakes: tuple[BrakeView, ...]
    demands: tuple[DemandView, ...]
    reserved: tuple[ReservedView, ...]
    candidates: tuple[CandidateView, ...]


@click.command()
@click.option(
    "--candidates", type=click.IntRange(0, 10), default=5, help="So many of the last candidates."
)
@as_json
@on_place
def risk(*, place: Place, candidates: int, as_json: bool) -> None:
    """Show every limit with its use, every brake, and why the last candidates fared as they did."""
    view = view_of(state_of(place.desk(), "governor"), candidates=candidates)
    if as_json:
        print_json(view)
        return
    from thetawarden.cli.tables import print_table  # noqa: PLC0415  # rich is slow

    for line in lines_of(view):
        click.echo(line)
    for table in _tables(view):
        print_table(table)


def view_of(state: Any, *, candidates: int) -> RiskView:
    """Return what the governor's state says to people."""
    taken = None if state is None else state["taken"]
    if state is None or taken is None:
        return RiskView(
            trading_state="unknown",
            why=(UNSEEN,),
            at=None,
            recovery="none",
            limits=(),
            brakes=(),
            demands=(),
            reserved=(),
            candidates=(),
        )
    _, at_ns, trading, uses, brakes, recovery, why = taken
    recent = state["recent"][-candidates:] if candidates else []
    return RiskView(
        trading_state=trading if state["latch"]["halt"] is None else "halted",
        why=tuple(why),
        at=iso(UnixNs(at_ns)),
        recovery=recovery,
        limits=tuple(map(_limit, uses)),
        brakes=tuple(map(_brake, brakes)),
        demands=tuple(
            DemandView(kind=one["kind"], why=one["why"], positions=tuple(one["positions"]))
            for one in state["demands"]
        ),
        reserved=tuple(_reserved(key, one) for key, one in state["ledger"]["reservations"].items()),
        candidates=tuple(_candidate(one) for one in reversed(recent)),
    )


def lines_of(view: RiskView) -> list[str]:
    """Return what is to be known first, a line each."""
    lines = [f"trading {view.trading_state}, recovery {view.recovery}, as of {view.at or 'never'}"]
    lines += [f"because: {why}" for why in view.why]
    lines += [
        f"demanded: {one.kind.replace('_', ' ')}: {one.why}"
        + (f" ({', '.join(one.positions)})" if one.positions else "")
        for one in view.demands
    ]
    return lines


def _tables(view: RiskView) -> list[Table]:
    from thetawarden.cli.tables import plain_table  # noqa: PLC0415

    limits = [
        (one.rule, one.name, short(one.limit), short(one.held), short(one.used), percent_words(one))
        for one in view.limits
    ]
    brakes = [
        (
            one.name,
            short(one.value_fraction),
            short(one.limit_fraction),
            percent_words(one),
            one.level,
        )
        for one in view.brakes
    ]
    reserved = [
        (one.approval, one.strategy, one.state, one.units, one.filled, f"{one.margin_usd:,.0f}")
        for one in view.reserved
    ]
    tables = [
        plain_table("Limits", ("rule", "limit", "value", "held", "used", "%"), limits),
        plain_table("Brakes", ("brake", "value", "limit", "%", "level"), brakes),
    ]
    if reserved:
        columns = ("approval", "strategy", "state", "units", "filled", "margin USD")
        tables.append(plain_table("Orders that count", columns, reserved))
    tables += [
        plain_table(
            f"{one.key} {one.strategy} {one.underlying}: {one.words}",
            ("rule", "check", "verdict", "limit", "used", "words"),
            [_finding_row(each) for each in one.findings],
        )
        for one in view.candidates
    ]
    return tables


def _finding_row(one: FindingView) -> tuple[str, ...]:
    verdict = f"{one.verdict} (waived)" if one.waived else one.verdict
    return (one.rule, one.check, verdict, short(one.limit), short(one.used), one.words)


def _limit(one: Any) -> LimitView:
    used, limit = _known(one["used"]), one["limit"]
    percent = None if used is None or not limit else round(used / limit * 100.0, 2)
    return LimitView(
        rule=one["rule"],
        name=one["name"],
        limit=limit,
        held=_known(one["held"]),
        used=used,
        percent=percent,
    )


def _brake(one: Any) -> BrakeView:
    used = _known(one["used_fraction"])
    return BrakeView(
        name=one["name"],
        value_fraction=_known(one["value_fraction"]),
        limit_fraction=one["limit_fraction"],
        percent=None if used is None else round(used * 100.0, 2),
        level=one["level"],
    )


def _reserved(key: str, one: Any) -> ReservedView:
    units, filled = one["approval"]["units"], one["units_filled"]
    over = one["state"] in {"filled", "cancelled", "rejected", "expired", "absent"}
    counted = max(0 if over else units, filled) - one["units_booked"]
    return ReservedView(
        approval=key,
        strategy=one["strategy"],
        state=one["state"],
        units=units,
        filled=filled,
        counted=counted,
        margin_usd=counted * one["margin_usd_per_unit"],
    )


def _candidate(one: Any) -> CandidateView:
    return CandidateView(
        at=iso(UnixNs(one["at_ns"])),
        key=one["key"],
        strategy=one["strategy"],
        underlying=one["underlying"],
        wanted=one["wanted"],
        units=one["units"],
        reducing=one["reducing"],
        binding=tuple(one["binding"]),
        words=one["words"],
        findings=tuple(
            FindingView(
                rule=each["rule"],
                check=each["check"],
                verdict=each["verdict"],
                limit=_known(each["limit"]),
                used=_known(each["used"]),
                waived=each["waived"],
                words=each["words"],
            )
            for each in one["findings"]
        ),
    )


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def short(value: float | None) -> str:
    """Return a number in four digits."""
    return "?" if value is None else f"{value:.4g}"


def percent_words(one: LimitView | BrakeView) -> str:
    """Return how much is used, in percent."""
    return "?" if one.percent is None else f"{one.percent:.0f}"
