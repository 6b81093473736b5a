"""Decides what an account might come to hold if its working orders filled.

Orders are imagined filled together, so that a short leg is covered by a long one that still works.
Where orders on one contract point both ways, either side may fill without the other. What only
closes is imagined both filled and not. Children of a bracket close what their parent opens and
count for nothing; of an OCA group the largest order counts, because one may fill.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from thetawarden.practice.exchange.legs import leg_buys
from thetawarden.practice.exchange.limits import sign_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from thetawarden.practice.account.book import Book
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import Contract

Units: TypeAlias = "list[tuple[Contract, int]]"
"""Contracts and signed units of each."""


def order_units(floor: Floor, order: LiveOrder) -> Units:
    """Return the signed units of every contract the rest of the order would trade."""
    if not order.contract.legs:
        return [(order.contract, sign_of(order) * order.remaining)]
    units = []
    for leg in order.contract.legs:
        details = floor.details(leg.con_id)
        if details is not None:
            sign = 1 if leg_buys(order, leg) else -1
            units.append((details.contract, sign * leg.ratio * order.remaining))
    return units


def others(floor: Floor, book: Book, order: LiveOrder | None) -> list[LiveOrder]:
    """Return the account's working orders that count beside this one, oldest first."""
    own_group = order.request.oca_group if order else ""
    largest: dict[object, LiveOrder] = {}
    for one in floor.state.orders.values():
        if one is order or one.parent_perm_id is not None:
            continue
        group = one.request.oca_group
        if one.request.account != book.terms.account or (group and group == own_group):
            continue
        known = largest.setdefault(group or one.perm_id, one)
        if one.remaining > known.remaining:
            largest[group] = one
    return list(largest.values())


def outcomes(held: Counter[int], orders: Iterable[Units]) -> list[Units]:
    """Return what may be filled, in every way that matters; the first is what opens, together."""
    opening, closing, left = [], [], Counter(held)
    for units in orders:
        if closes(left, units):
            closing += units
            left.update({contract.con_id: quantity for contract, quantity in units})
        else:
            opening += units
    found = [opening]
    if _both_ways(opening):
        found += [_one_way(opening, sign) for sign in (1, -1)]
    if closing:
        found += [[*one, *closing] for one in found]
    return found


def closes(held: Counter[int], units: Units) -> bool:
    """Whether an order does nothing but reduce what is held."""
    return all(
        quantity * held[contract.con_id] < 0 and abs(quantity) <= abs(held[contract.con_id])
        for contract, quantity in units
    )


def buys_back(held: Counter[int], units: Units) -> bool:
    """Whether an order only buys back what is short: nothing it does can uncover anything."""
    return closes(held, units) and all(quantity > 0 for _, quantity in units)


def _both_ways(units: Units) -> set[int]:
    bought = {contract.con_id for contract, quantity in units if quantity > 0}
    return bought & {contract.con_id for contract, quantity in units if quantity < 0}


def _one_way(units: Units, sign: int) -> Units:
    """Leave out, of contracts that are both bought and sold, the other side."""
    both = _both_ways(units)
    return [
        (contract, quantity)
        for contract, quantity in units
        if contract.con_id not in both or quantity * sign > 0
    ]
