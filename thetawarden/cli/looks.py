"""The console's tables: what the verbs show, once more, as sheets that are looked up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from thetawarden.cli.place import state_of
from thetawarden.console.grid import Column
from thetawarden.console.sources import Eyes, Look, Sheet

STRIKES_AROUND = 12
RECENT = 50


def _book(eyes: Eyes, _choice: str) -> Sheet:
    from thetawarden.cli import positions  # noqa: PLC0415  # loads numpy

    state = state_of(eyes, "keeper")
    rows = [positions.cells_of(one) for one in positions.views_of(state)]
    return _sheet(positions.words_of(state), positions.COLUMNS, rows, text=(0, 8, 9))


def _orders(eyes: Eyes, _choice: str) -> Sheet:
    from thetawarden.cli import orders  # noqa: PLC0415  # loads numpy

    views = orders.views_of(state_of(eyes, "executor"), state_of(eyes, "keeper"))
    words = f"{len(views)} orders that live or ended lately" if views else "no orders"
    rows = [orders.cells_of(one) for one in views]
    return _sheet(words, orders.COLUMNS, rows, text=(0, 1, 2, 5, 6, 7, 8))


def _risk(eyes: Eyes, _choice: str) -> Sheet:
    from thetawarden.cli import risk  # noqa: PLC0415  # loads numpy

    view = risk.view_of(state_of(eyes, "governor"), candidates=RECENT)
    short, percent = risk.short, risk.percent_words
    rows: list[tuple[Any, ...]] = [
        *(
            (
                "limit",
                one.name,
                one.rule,
                *map(short, (one.held, one.used, one.limit)),
                percent(one),
            )
            for one in view.limits
        ),
        *(
            (
                *("brake", one.name, one.level, "", short(one.value_fraction)),
                *(short(one.limit_fraction), percent(one)),
            )
            for one in view.brakes
        ),
    ]
    rows += [
        ("counts", one.approval, one.state, one.filled, one.counted, one.units, "")
        for one in view.reserved
    ]
    columns = ("", "name", "by", "held", "used", "limit", "%")
    return _sheet("\n".join(risk.lines_of(view)), columns, rows, text=(0, 1, 2))


def _verdicts(eyes: Eyes, _choice: str) -> Sheet:
    from thetawarden.cli import risk  # noqa: PLC0415  # loads numpy

    view = risk.view_of(state_of(eyes, "governor"), candidates=RECENT)
    rows = [
        (
            one.at[11:19],
            one.underlying,
            one.strategy,
            f"{one.units}/{one.wanted}",
            ", ".join(one.binding),
            one.words,
        )
        for one in view.candidates
    ]
    words = f"the last {len(rows)} candidates and what the governor let through of each"
    columns = ("at", "of", "strategy", "units", "bound by", "words")
    return _sheet(words if rows else "no candidate yet", columns, rows, text=(0, 1, 2, 4, 5))


def _slots(eyes: Eyes, _choice: str) -> Sheet:
    from thetawarden.cli import slots  # noqa: PLC0415  # loads numpy

    view = slots.view_of(state_of(eyes, "slots"))
    rows: list[tuple[Any, ...]] = [("all", *slots.row_of(each)) for each in view.classes]
    rows += [(each.owner, *slots.row_of(each)) for each in view.owners]
    rows += [
        (f"refused {each.conid}", f"code {each.code}", f"{each.times} times", "", each.again_at)
        for each in view.refused
    ]
    columns = ("owner", "class", "streaming", "waiting", "snapshots")
    return _sheet(slots.words_of(view), columns, rows, text=(0, 1))


def _regime(eyes: Eyes, _choice: str) -> Sheet:
    from thetawarden.cli import regime  # noqa: PLC0415  # loads numpy

    view = regime.view_of(state_of(eyes, "regime"))
    rows = [
        (each.rule, each.state, f"x {each.size_fraction:.2f}", each.entries, "; ".join(each.faults))
        for each in view.factors
    ]
    columns = ("rule", "state", "size", "entries", "could not use")
    return _sheet(regime.words_of(view), columns, rows, text=(0, 1, 3, 4))


def _chains(eyes: Eyes, choice: str) -> Sheet:
    from thetawarden.cli import chain  # noqa: PLC0415  # loads numpy

    watched = [actor.name for actor in eyes.inspect().actors if actor.name.startswith("chain/")]
    if not watched:
        return Sheet(words="no chain is watched")
    actor = choice if choice in watched else watched[0]
    shown = chain.shown_of(state_of(eyes, actor), actor.partition("/")[2])
    rows: list[tuple[Any, ...]] = []
    for one in shown.expiries:
        name = f"{one.trading_class} {one.expiry}"
        rows += [
            (name, *chain.row_cells(row))
            for row in chain.around_the_money(shown, one, STRIKES_AROUND)
        ]
    columns = ("expiry", *chain.ROW_COLUMNS)
    sheet = _sheet(chain.words_of(shown), columns, rows, text=(0, 2, 10))
    return msgspec.structs.replace(sheet, choices=tuple(watched))


def _sheet(
    words: str, titles: Sequence[str], rows: Sequence[Sequence[Any]], *, text: Sequence[int]
) -> Sheet:
    """A sheet whose columns are numbers, on the right, but for those of text."""
    columns = tuple(Column(title, number not in text) for number, title in enumerate(titles))
    cells = tuple(tuple(str(cell) for cell in row) for row in rows)
    return Sheet(words=words, columns=columns, rows=cells)


_SHOWN: tuple[tuple[str, Callable[[Eyes, str], Sheet]], ...] = (
    ("Book", _book),
    ("Orders", _orders),
    ("Risk", _risk),
    ("Verdicts", _verdicts),
    ("Slots", _slots),
    ("Chains", _chains),
    ("Regime", _regime),
)
LOOKS = tuple(Look(title=title, show=show) for title, show in _SHOWN)
