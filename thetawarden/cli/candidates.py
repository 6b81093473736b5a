"""`thetawarden candidates` and `thetawarden lineup`."""

from __future__ import annotations

import math
from typing import Any

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json, state_of


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """One leg as it was quoted; ratio > 0 is bought, < 0 sold."""

    contract: str
    conid: int
    ratio: int
    bid_usd: float | None
    ask_usd: float | None
    delta: float | None


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: by the strategy, or by the governor when it was asked."""

    rule: str
    verdict: str
    used: float | None
    limit: float | None
    words: str


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """What could be sold; the margin is the broker's, null before it was asked.

    The verdict is `approved` or `refused` by the governor on these very contracts, else `passes` or
    `fails` by the strategy's own criteria.
    """

    underlying: str
    strategy: str
    legs: tuple[LegView, ...]
    expiry: str
    credit_usd: float | None
    margin_usd: float | None
    loss_usd_max: float | None
    delta: float | None
    dte: int
    otm_fraction: float | None
    score: float | None
    scores: dict[str, float | None]
    verdict: str
    findings: tuple[FindingView, ...]


@click.command()
@click.argument("underlying", required=False)
@as_json
@on_place
def candidates(*, place: Place, underlying: str | None, as_json: bool) -> None:
    """Show what could be sold now, with everything for and against it."""
    state = state_of(place.desk(), "strategist")
    views = views_of(state, underlying)
    if as_json:
        print_json(views)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    print_table(plain_table(words_of(state, underlying), COLUMNS, [cells_of(v) for v in views]))
    for view in views:
        click.echo(f"\n{view.underlying} {view.strategy}, {_legs(view)}: {view.verdict}")
        for finding in sorted(view.findings, key=lambda one: _ORDER.get(one.verdict, 0)):
            click.echo(f"  {_MARKS.get(finding.verdict, '?')} {finding.rule:4} {finding.words}")
    gaps = gaps_of(state, underlying)
    if gaps:
        click.echo("\n" + "\n".join(gaps))


@click.group()
def lineup() -> None:
    """Tonight's line-up: build it, look at it, approve it."""


@lineup.command()
@as_json
@on_place
def build(*, place: Place, as_json: bool) -> None:
    """Choose what to enter next, within the budget, by the broker's margins."""
    done = place.desk().build_lineup()
    print_json(done) if as_json else click.echo(done.what)


@lineup.command()
@click.argument("name", metavar="ID")
@as_json
@on_place
def approve(*, place: Place, name: str, as_json: bool) -> None:
    """Let a line-up be entered, adapted to the market as it opens."""
    done = place.desk().approve_lineup(name)
    print_json(done) if as_json else click.echo(done.what)


@lineup.command()
@as_json
@on_place
def show(*, place: Place, as_json: bool) -> None:
    """Show the line-ups and what became of every entry."""
    state = state_of(place.desk(), "strategist")
    lineups = list(state["lineups"].values())
    if as_json:
        print_json(lineups)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    if not lineups:
        click.echo("no line-up; `thetawarden lineup build` makes one")
    columns = ("underlying", "strategy", "legs", "units", "margin", "state", "why")
    for one in lineups:
        rows = [_item_cells(item) for item in one["items"]]
        margin = sum(item["margin_usd"] * item["units"] for item in one["items"])
        words = f"{one['name']}: {one['state']}, {margin:,.0f} of {one['budget_usd']:,.0f} USD"
        print_table(plain_table(words, columns, rows))
        for left_out in one["left_out"]:
            click.echo(f"  left out: {left_out}")


COLUMNS = ("underlying", "strategy", "legs", "DTE", "credit", "delta", "OTM", "score", "verdict")
_ORDER = {"refuse": -2, "warn": -1}
_MARKS = {"pass": "+", "warn": "!", "shrink": "~", "refuse": "-"}


def views_of(state: Any, underlying: str | None = None) -> list[CandidateView]:
    """Return what the strategist's state says could be sold, the best of each underlying first."""
    if state is None:
        return []
    return [
        _view(candidate, state["judged"].get(f"{name}|{candidate['strategy']}"))
        for name, offer in state["offers"].items()
        if underlying is None or name == underlying.upper()
        for candidate in offer["candidates"]
    ]


def words_of(state: Any, underlying: str | None = None) -> str:
    """Return in one line what there is, and why nothing is entered when nothing is."""
    if state is None:
        return "the strategist does not answer: nothing is known of any candidate"
    offers = state["offers"]
    names = [name for name in offers if underlying is None or name == underlying.upper()]
    if not names:
        return f"no chain of {underlying or 'anything'} has been looked at yet"
    waits = f"; nothing is entered: {state['waiting']}" if state["waiting"] else ""
    return f"candidates of {', '.join(names)}{waits}"


def gaps_of(state: Any, underlying: str | None = None) -> list[str]:
    """Return why chains or strategies offer nothing."""
    if state is None:
        return []
    return [
        f"{name}: {words}"
        for name, offer in state["offers"].items()
        if underlying is None or name == underlying.upper()
        for words in ([offer["why"]] if offer["why"] else [])
        + (offer["gaps"] if underlying is not None else [])
    ]


def cells_of(view: CandidateView) -> tuple[str, ...]:
    """Return a candidate as a row."""
    return (
        view.underlying,
        view.strategy,
        _legs(view),
        str(view.dte),
        _number(view.credit_usd, ".2f"),
        _number(view.delta, "+.3f"),
        _number(view.otm_fraction, ".1%"),
        _number(view.score, ".2f"),
        view.verdict,
    )


def _view(candidate: Any, judged: Any) -> CandidateView:
    conids = [leg["instrument"]["conid"] for leg in candidate["legs"]]
    told = judged if judged is not None and list(judged["conids"]) == conids else None
    against = any(one["verdict"] == "refuse" for one in candidate["reasons"])
    verdict = "fails" if against else "passes"
    if told is not None:
        verdict = "approved" if told["units"] else "refused"
    findings = (*candidate["reasons"], *(() if told is None else told["findings"]))
    return CandidateView(
        underlying=candidate["underlying"],
        strategy=candidate["strategy"],
        legs=tuple(_leg(leg) for leg in candidate["legs"]),
        expiry=str(candidate["expiry"]),
        credit_usd=_known(candidate["credit_usd"]),
        margin_usd=None if told is None else _known(told["margin_usd"]),
        loss_usd_max=_known(candidate["loss_usd_max"]),
        delta=_known(sum(leg["ratio"] * leg["delta_per_share"] for leg in candidate["legs"])),
        dte=candidate["dte"],
        otm_fraction=_known(candidate["otm_fraction"]),
        score=_known(candidate["score"]),
        scores={name: _known(value) for name, value in candidate["scores"]},
        verdict=verdict,
        findings=tuple(
            FindingView(
                rule=one["rule"],
                verdict=one["verdict"],
                used=_known(one["used"]),
                limit=_known(one["limit"]),
                words=one["words"],
            )
            for one in findings
        ),
    )


def _leg(leg: Any) -> LegView:
    of = leg["instrument"]
    return LegView(
        contract=f"{of['trading_class']} {of['expiry']} {of['strike']}{of['right']}",
        conid=of["conid"],
        ratio=leg["ratio"],
        bid_usd=_known(leg["bid_usd"]),
        ask_usd=_known(leg["ask_usd"]),
        delta=_known(leg["delta_per_share"]),
    )


def _legs(view: CandidateView) -> str:
    strikes = (f"{leg.ratio:+d} {leg.contract.rpartition(' ')[2]}" for leg in view.legs)
    return f"{view.expiry[5:]} {' '.join(strikes)}"


def _item_cells(item: Any) -> tuple[str, ...]:
    view = _view(item["candidate"], None)
    margin = f"{item['margin_usd']:,.0f}"
    return (
        view.underlying,
        view.strategy,
        _legs(view),
        str(item["units"]),
        margin,
        item["state"],
        item["words"],
    )


def _number(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _known(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None
