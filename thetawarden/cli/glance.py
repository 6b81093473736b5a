"""What a person looks for first on a desk at work: market, candidates, decisions, orders, book.

Takes the actors' states as they are shown and turns each into a few lines, the newest or best
first. What is not known is left out; an actor that does not answer leaves its section empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.text import Text

from thetawarden.domain.instants import UnixNs, new_york_clock

ACTORS = ("regime", "strategist", "executor", "keeper")
_LIVING = ("intended", "sent", "working", "partial", "unknown")
_GOOD, _BAD, _DIM = "green", "red", "dim"
_REASONS_TOLD = 2


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the screen; `lines_min` are kept as long as anything is."""

    title: str
    lines: tuple[Text, ...]
    lines_min: int = 1


def sections_of(states: dict[str, Any]) -> tuple[Section, ...]:
    """Return every part that has something to say."""
    strategist = states.get("strategist")
    found = (
        Section(title="market", lines=_market(states.get("regime"), strategist)),
        Section(title="candidates", lines=_candidates(strategist)),
        Section(title="decisions", lines=_decisions(strategist)),
        Section(title="orders", lines=_orders(states.get("executor"))),
        Section(title="positions", lines=_positions(states.get("keeper"))),
    )
    return tuple(one for one in found if one.lines)


def fitted(sections: Sequence[Section], rows: int) -> tuple[Section, ...]:
    """Return as much of the sections as fits: the longest gives way first, titles count too."""
    kept = [list(one.lines) for one in sections]
    while sum(len(lines) + 1 for lines in kept if lines) > rows and any(kept):
        longest = max(range(len(kept)), key=lambda at: (len(kept[at]), at))
        kept[longest].pop()
    return tuple(
        msgspec.structs.replace(one, lines=tuple(lines))
        for one, lines in zip(sections, kept, strict=True)
        if lines
    )


def _market(regime: Any, strategist: Any) -> tuple[Text, ...]:
    lines = []
    verdict = None if regime is None else regime["regime"]
    if verdict is not None:
        name = (verdict["derived"] or "unknown").replace("_", " ")
        entries = verdict["entries"].replace("_", " ")
        vix = verdict["vix"]["points"]
        words = f"regime {name}: entries {entries}, sizes x {verdict['size_fraction']:.2f}"
        words += f", deltas x {verdict['delta_fraction']:.2f}"
        words += "" if vix is None else f", VIX {vix:.2f}"
        lines.append(Text(words, style="" if entries != "none" else "yellow"))
    offers = {} if strategist is None else strategist["offers"]
    for name, offer in offers.items():
        if offer["spot_usd"] is None:
            lines.append(Text(f"{name}: {offer['why']}", style="yellow"))
            continue
        at = new_york_clock(UnixNs(offer["at_ns"]))
        usable = f"{offer['usable']} of {offer['rows']} quotes usable"
        lines.append(Text(f"{name} {offer['spot_usd']:,.2f}: {usable} at {at:%H:%M:%S}"))
    return tuple(lines)


def _candidates(strategist: Any) -> tuple[Text, ...]:
    """The best of each underlying first, then the next ones: what stands against them, or for."""
    if strategist is None:
        return ()
    from thetawarden.cli.candidates import cells_of, views_of  # noqa: PLC0415

    ranked: dict[str, int] = {}
    rows = []
    for view in views_of(strategist):
        ranked[view.underlying] = ranked.get(view.underlying, -1) + 1
        against = [one.words for one in view.findings if one.verdict == "refuse"]
        speaking = [one.words for one in view.findings if one.verdict == "pass"]
        told = (against or speaking)[:_REASONS_TOLD]
        good = view.verdict in {"passes", "approved"}
        line = Text("+ " if good else "- ", style=_GOOD if good else _BAD)
        _, strategy, legs, _, credit, _, _, score, verdict = cells_of(view)
        line.append(
            f"{view.underlying} {strategy} {legs} at {credit}, score {score}, {verdict}", ""
        )
        line.append(f": {'against' if against else 'for'}: {'; '.join(told)}", _DIM)
        rows.append((ranked[view.underlying], line))
    waiting = strategist["waiting"]
    first = (Text(f"nothing is entered: {waiting}", style="yellow"),) if waiting else ()
    return (*first, *(line for _, line in sorted(rows, key=lambda row: row[0])))


def _decisions(strategist: Any) -> tuple[Text, ...]:
    if strategist is None:
        return ()
    latest = sorted(strategist["judged"].items(), key=lambda each: -each[1]["at_ns"])
    return tuple(_decision(name, one) for name, one in latest)


def _decision(name: str, one: Any) -> Text:
    at = new_york_clock(UnixNs(one["at_ns"]))
    units = one["units"]
    line = Text(f"{at:%H:%M} ")
    line.append("approved " if units else "refused ", style=_GOOD if units else _BAD)
    return line.append(f"{name.replace('|', ' ')}: {one['words']}")


def _orders(executor: Any) -> tuple[Text, ...]:
    """Living ones first, then those that ended last."""
    if executor is None:
        return ()
    orders = sorted(
        executor["orders"].values(),
        key=lambda one: (one["stage"] not in _LIVING, -one["since_ns"]),
    )
    return tuple(_order(one) for one in orders)


def _order(one: Any) -> Text:
    intent, stage = one["intent"], one["stage"]
    style = {"filled": _GOOD, "unknown": _BAD, "rejected": _BAD}.get(stage, "")
    line = Text(f"{stage:9} ", style=style)
    limit, stop = intent["limit_usd"], intent["stop_usd"]
    price = f"at {limit}" if limit is not None else f"stop {stop}"
    at = new_york_clock(UnixNs(one["since_ns"]))
    words = (
        f"{intent['role'].replace('_', ' ')} {intent['units']} x {_legs(intent['legs'])} {price}"
    )
    line.append(words, "")
    return line.append(f" · {intent['order_ref']} · {at:%H:%M}", _DIM)


def _legs(legs: Any) -> str:
    return " ".join(
        f"{leg['ratio']:+d} {leg['instrument']['trading_class']} "
        f"{str(leg['instrument']['expiry'])[5:]} "
        f"{leg['instrument']['strike']}{leg['instrument']['right']}"
        for leg in legs
    )


def _positions(keeper: Any) -> tuple[Text, ...]:
    if keeper is None:
        return ()
    from thetawarden.cli.positions import views_of  # noqa: PLC0415  # loads numpy

    lines = []
    for one in views_of(keeper):
        open_usd = one.unrealised_usd
        style = "" if open_usd is None else (_GOOD if open_usd >= 0.0 else _BAD)
        mark = "?" if one.mark_usd is None else f"{one.mark_usd:,.2f}"
        line = Text(f"{one.quantity:+g} {one.contract} mark {mark} ")
        line.append("?" if open_usd is None else f"{open_usd:+,.2f} USD", style)
        bracket = one.bracket
        guard = "no exit is working" if bracket is None else f"take profit {bracket.take_profit}"
        if bracket is not None and bracket.stop is not None:
            guard += f", stop {bracket.stop}"
        lines.append(line.append(f" · {guard}", "yellow" if bracket is None else _DIM))
    return tuple(lines)
