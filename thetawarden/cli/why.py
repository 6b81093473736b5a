"""`thetawarden why ORDERREF`: from the quotes to the fill, cause by cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thetawarden.infra.journal.causes import Link, Story
    from thetawarden.messages.base import Message

KNOWN_SHOWN_MAX = 8


class CauseView(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the chain; `because_of` is the seq of the one it follows from.

    `again` is how often a timer had fired before and started itself again each time.
    """

    seq: int
    at: str
    sender: str
    type: str
    because_of: int | None
    words: str
    again: int = 0


class WhyView(msgspec.Struct, frozen=True, kw_only=True):
    """The story of one order: what led to it, and what came of it."""

    order_ref: str
    causes: tuple[CauseView, ...]
    effects: tuple[CauseView, ...]


@click.command()
@click.argument("orderref")
@as_json
@on_place
def why(*, place: Place, orderref: str, as_json: bool) -> None:
    """Show what led to an order, back to the quotes, and what came of it. Needs no desk."""
    from thetawarden.cli.log import log_folder  # noqa: PLC0415  # reading the log is slow to import
    from thetawarden.infra.journal.causes import known_references, story_of  # noqa: PLC0415
    from thetawarden.infra.journal.reader import open_log  # noqa: PLC0415

    with open_log(log_folder(place)) as days:
        story = story_of(days, orderref)
        if story is None:
            known = ", ".join(known_references(days, most=KNOWN_SHOWN_MAX))
            words = f"the latest are {known}" if known else "it knows of no order at all"
            raise click.UsageError(f"the message log has no order {orderref!r}; {words}")
    view = view_of(orderref, story)
    if as_json:
        print_json(view)
        return
    for line in lines_of(view):
        click.echo(line)


def view_of(order_ref: str, story: Story) -> WhyView:
    """Return a story in words."""
    return WhyView(
        order_ref=order_ref,
        causes=views_of(story.causes),
        effects=views_of(story.effects),
    )


def views_of(links: Sequence[Link]) -> tuple[CauseView, ...]:
    """Return each message of a chain in words."""
    return tuple(_view(link) for link in links)


def lines_of(view: WhyView) -> list[str]:
    """Return a story as a tree: each cause indents what follows from it."""
    return [f"why {view.order_ref}", *tree_of((*view.causes, *view.effects))]


def tree_of(views: Sequence[CauseView]) -> list[str]:
    """Return a chain as a tree, a line each: every message below the one it follows from."""
    known = {one.seq for one in views}
    below: dict[int | None, list[CauseView]] = {}
    for one in views:
        below.setdefault(one.because_of if one.because_of in known else None, []).append(one)
    lines = []
    left = [(0, one) for one in reversed(below.get(None, []))]
    while left:
        level, one = left.pop()
        mark = "" if not level else "└ "
        lines.append(f"{'  ' * level}{mark}{one.seq} {one.at} {one.sender} {one.type}: {one.words}")
        follow = sorted(below.get(one.seq, []), key=lambda each: each.seq, reverse=True)
        left += [(level + 1, each) for each in follow]
    return lines


def _view(link: Link) -> CauseView:
    from thetawarden.domain.instants import iso  # noqa: PLC0415

    envelope = link.envelope
    return CauseView(
        seq=envelope.seq,
        at=iso(envelope.at_ns),
        sender=envelope.sender,
        type=type(envelope.body).__name__,
        because_of=link.because_of,
        words=words_of(envelope.body) + _again(link.again),
        again=link.again,
    )


def _again(beats: int) -> str:
    from thetawarden.infra.journal.causes import BEATS_MAX  # noqa: PLC0415

    if not beats:
        return ""
    least = "at least " if beats == BEATS_MAX else ""
    times = "once" if beats == 1 else f"{least}{beats:,} times"
    return f", after firing {times} and starting itself anew"


def words_of(body: Message) -> str:
    """Say the gist of a message in a line."""
    from thetawarden.messages import books, market, orders  # noqa: PLC0415
    from thetawarden.messages.chains import ChainViewed  # noqa: PLC0415
    from thetawarden.messages.steward import PositionDecided  # noqa: PLC0415

    match body:
        case market.QuotesObserved(underlying=underlying, told=quotes):
            return f"{len(quotes)} quotes of {underlying}"
        case ChainViewed(view=view):
            summary = view.summary
            return (
                f"{view.underlying} at {view.spot_usd}: {summary.usable} of {summary.rows} usable"
            )
        case PositionDecided(decision=one):
            return f"{one.action} by {one.rule}: {'; '.join(one.reasons)}"
        case orders.ProposeOrder(proposal=one):
            reasons = "; ".join(one.reasons)
            return f"{one.purpose} {one.units} x {_legs(one.legs)} at {one.limit_usd}: {reasons}"
        case orders.PreviewMargin(units=units, legs=legs):
            return f"margin of {units} x {_legs(legs)}?"
        case orders.MarginPreviewed(answer=answer, words=words):
            return words if answer is None else f"initial {answer.initial_change_usd:+,.2f} USD"
        case orders.OrderApproved(approval=approval, review=review):
            return f"{approval.key} for {approval.units} units: {review.words}"
        case orders.SubmitOrder(intent=intent, exits=exits):
            also = f", with {len(exits)} exits" if exits else ""
            return (
                f"{intent.role} {intent.units} x {_legs(intent.legs)} at {intent.limit_usd}{also}"
            )
        case orders.ModifyOrder(intent=intent, number=number):
            return f"change {number}: {intent.units} units at {intent.limit_usd}"
        case orders.OrderStageChanged(stage=stage, units=units, units_filled=filled, words=words):
            return f"{stage}, {filled} of {units} filled: {words}"
        case books.OrderReported(order=order):
            return f"{order.state}, {order.filled} of {order.quantity} filled"
        case books.ExecutionReported(execution=one):
            return f"{one.quantity} at {one.price_usd}"
        case books.CommissionReported(commission=one):
            return f"{one.commission_usd} USD for {one.execution_id}"
        case books.FillBooked(quantity=quantity, cash_usd=cash, commission_usd=cost):
            return f"{quantity}, {cash:+,.2f} USD, commission {cost}"
        case orders.OrderSent(order_id=number):
            return f"left as {number}"
        case _:
            return _told(body)


def _told(body: Message) -> str:
    found: Any = next(
        (
            value
            for name in ("words", "why", "reason", "name")
            if (value := getattr(body, name, ""))
        ),
        "",
    )
    return str(found)


def _legs(legs: Any) -> str:
    from thetawarden.domain.books.gaps import contract_words  # noqa: PLC0415

    return ", ".join(f"{leg.ratio:+d} {contract_words(leg.instrument)}" for leg in legs)
