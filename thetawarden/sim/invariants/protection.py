"""What each trade has sold and what works to buy it back, from whatever source tells of it.

Which exits a trade is to have is said by what was approved. What it sold and what would buy it back
is said by the exchange itself, or by what the desk was told of its orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.orders.building import is_short
from thetawarden.domain.orders.intent import Intent, OrderRole
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.sim.invariants.scene import Scene, Submitted

EXITS = frozenset({OrderRole.TAKE_PROFIT, OrderRole.STOP})
Roles = frozenset[OrderRole]
Brought = Callable[[str], Mapping[int, int]]
Working = Iterable[tuple[str, int]]


class Trade(msgspec.Struct, kw_only=True):
    """What a trade has sold and not bought back, and what its working orders would buy back."""

    name: str
    wanted: Roles = frozenset()
    short: dict[int, int] = msgspec.field(default_factory=dict)
    covered: dict[OrderRole, dict[int, int]] = msgspec.field(default_factory=dict)
    options: dict[int, Instrument] = msgspec.field(default_factory=dict)

    def lacks(self, conid: int) -> bool:
        """Whether exits are wanted for more contracts than they work for."""
        return bool(self.wanted) and self.least_covered(conid) < self.short.get(conid, 0)

    @property
    def is_in_between(self) -> bool:
        """Whether something else than its exits works."""
        return not self.covered.keys() <= EXITS

    def least_covered(self, conid: int) -> int:
        """For how many contracts every exit that is wanted works."""
        each = (self.covered.get(role, {}).get(conid, 0) for role in self.wanted)
        return min(each, default=0)


def exits_of(proposal: Proposal) -> Roles:
    """The exits that what is proposed is to have; what is sold for a credit has one at least."""
    exits = proposal.exits
    if proposal.purpose not in (Purpose.OPEN, Purpose.ROLL):
        return frozenset()
    if exits is None:
        sells = proposal.limit_usd < 0 and is_short(proposal.legs)
        opens = proposal.purpose is Purpose.OPEN
        return frozenset({OrderRole.TAKE_PROFIT} if sells and opens else ())
    prices = {OrderRole.TAKE_PROFIT: exits.take_profit_usd, OrderRole.STOP: exits.stop_usd}
    return frozenset(role for role, price in prices.items() if price is not None)


def trades_of(
    submitted: Mapping[str, Submitted],
    wanted: Mapping[str, Roles],
    *,
    brought: Brought,
    working: Working,
) -> tuple[Trade, ...]:
    """All trades: `wanted` are the exits by approval, `working` orders and how much is left."""
    trades: dict[str, Trade] = {}
    for ref, known in submitted.items():
        intent = known.intent
        trade = trades.setdefault(intent.trade, Trade(name=intent.trade))
        contracts = brought(ref)
        for option in _options(intent):
            conid = option.conid
            trade.options[conid] = option
            trade.short[conid] = trade.short.get(conid, 0) - contracts.get(conid, 0)
        approved = wanted.get(known.asked.gate.approval_key, frozenset())
        if approved and any(contracts.values()) and intent.role not in EXITS:
            trade.wanted = approved
    for ref, remaining in working:
        at_work = submitted.get(ref)
        if at_work is not None:
            trade = trades[at_work.intent.trade]
            covered = trade.covered.setdefault(at_work.intent.role, {})
            for conid, count in _buys(at_work.intent, remaining):
                covered[conid] = covered.get(conid, 0) + count
    return tuple(trades.values())


def trades_at_exchange(scene: Scene, wanted: Mapping[str, Roles]) -> tuple[Trade, ...]:
    """All trades as the exchange has them."""
    working = scene.world.gateway.exchange.open_orders()
    return trades_of(
        scene.submitted,
        wanted,
        brought=scene.dealt.by_order,
        working=((one.request.order_ref, one.remaining) for one in working),
    )


def short_of_others(
    scene: Scene, trades: Iterable[Trade], judged: Iterable[Trade]
) -> Mapping[int, int]:
    """What the account is short of each contract beyond what exits would buy back.

    Nor does it count what trades have sold that want no exits, or are not judged. Where somebody
    else bought back what a trade had sold, nothing is left of it here.
    """
    held = scene.world.gateway.exchange.positions()
    short = {one.contract.con_id: max(0, -one.quantity) for one in held}
    names = {one.name for one in judged if one.wanted}
    for one in trades:
        for conid, sold in one.short.items():
            fine = min(sold, one.least_covered(conid)) if one.name in names else sold
            short[conid] = short.get(conid, 0) - max(0, fine)
    return short


def lacking(
    scene: Scene, trades: Iterable[Trade], judged: Iterable[Trade]
) -> Iterator[tuple[Trade, int, int]]:
    """Where a trade that is judged has sold more than its exits buy back, of which contract."""
    left: Mapping[int, int] | None = None
    for one in judged:
        for conid, sold in sorted(one.short.items()):
            if not one.lacks(conid):
                continue
            left = short_of_others(scene, trades, judged) if left is None else left
            if left.get(conid, 0) > 0:
                yield one, conid, sold


def _options(intent: Intent) -> Iterator[Instrument]:
    for leg in intent.legs:
        if leg.instrument.kind is InstrumentKind.OPTION:
            yield leg.instrument


def _buys(intent: Intent, remaining: int) -> Iterator[tuple[int, int]]:
    """What the rest of an order buys (above zero) or sells of each contract."""
    single = len(intent.legs) == 1
    for leg in intent.legs:
        ratio = leg.ratio if not single else (1 if leg.ratio > 0 else -1)
        yield leg.instrument.conid, remaining * ratio
