"""`thetawarden slots`."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from thetawarden.actors.slots import SlotsState
from thetawarden.cli.place import Place, as_json, on_place, print_json, state_of
from thetawarden.domain.broker.lines import LineUse
from thetawarden.domain.instants import UnixNs, iso
from thetawarden.domain.slots.state import Phase
from thetawarden.domain.slots.views import OwnerUse, owner_uses, uses


class UseView(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines a class has, how many of its wishes wait, and what snapshots do for."""

    priority: str
    streaming: int
    waiting: int
    snapshots: int


class OwnerView(UseView, frozen=True, kw_only=True):
    """The same of one owner; a line that several share counts for each."""

    owner: str


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker would not give, and when it is asked again."""

    conid: int
    code: int
    times: int
    again_at: str


class SlotsView(msgspec.Struct, frozen=True, kw_only=True):
    """All lines; `used` holds those being cancelled as well."""

    limit: int
    used: int
    leaving: int
    epoch: int
    open: bool
    learned: bool
    classes: tuple[UseView, ...]
    owners: tuple[OwnerView, ...]
    refused: tuple[RefusalView, ...]


@click.command()
@as_json
@on_place
def slots(*, place: Place, as_json: bool) -> None:
    """Show how the lines of market data are used: by class, by owner, and who waits."""
    view = view_of(state_of(place.desk(), "slots"))
    if as_json:
        print_json(view)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    columns = ("class", "streaming", "waiting", "snapshots")
    classes = [row_of(each) for each in view.classes]
    owners = [(each.owner, *row_of(each)) for each in view.owners]
    print_table(plain_table(words_of(view), columns, classes))
    if owners:
        print_table(plain_table("", ("owner", *columns), owners))
    if view.refused:
        refused = [(each.conid, each.code, each.times, each.again_at) for each in view.refused]
        print_table(plain_table("", ("refused", "code", "times", "asked again at"), refused))


def view_of(state: Any) -> SlotsView:
    """Return what the slots actor's state says to people."""
    known = msgspec.convert(state, SlotsState, str_keys=True) if state else SlotsState()
    ledger, shared = known.ledger, known.shared
    return SlotsView(
        limit=shared.limit if shared else 0,
        used=len(ledger.slots),
        leaving=sum(slot.phase is Phase.LEAVING for slot in ledger.slots.values()),
        epoch=ledger.epoch,
        open=ledger.open,
        learned=ledger.learned is not None,
        classes=tuple(UseView(**_counts(use)) for use in uses(ledger)),
        owners=tuple(OwnerView(owner=use.owner, **_counts(use)) for use in owner_uses(ledger)),
        refused=tuple(
            RefusalView(
                conid=conid,
                code=refusal.code,
                times=refusal.times,
                again_at=iso(UnixNs(refusal.again_ns)),
            )
            for conid, refusal in sorted(ledger.refused.items())
            if conid not in ledger.slots
        ),
    )


def words_of(view: SlotsView) -> str:
    """Return the use of the lines in one line."""
    words = f"{view.used} of {view.limit} lines in use"
    if view.leaving:
        words += f", {view.leaving} being cancelled"
    if view.learned:
        words += "; the broker gave fewer than are configured (error 101)"
    return words if view.open else f"{words}; the link takes no requests now"


def row_of(use: UseView) -> tuple[str, int, int, int]:
    """Return a row of any use."""
    return use.priority, use.streaming, use.waiting, use.snapshots


def _counts(use: LineUse | OwnerUse) -> dict[str, Any]:
    return {
        "priority": use.priority.name.lower(),
        "streaming": use.streaming,
        "waiting": use.waiting,
        "snapshots": use.snapshots,
    }
