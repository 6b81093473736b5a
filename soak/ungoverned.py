"""A governor that asks no rule: what the same desk is like when nothing protects it.

It keeps the real one's books, so that everything around it works, but lets every entry through in
full, demands nothing and halts for no loss. For comparison only: nothing outside `soak` knows it.
"""

from __future__ import annotations

import msgspec
from typing_extensions import override

from thetawarden.actors.governor import Governor, Says
from thetawarden.actors.tree import Tree
from thetawarden.domain.governing.candidates import proposal_gap
from thetawarden.domain.governing.judging import Granted
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.risk.approving import ApprovalGap, approve
from thetawarden.domain.risk.brakes import BrakeName
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.risk.review import Review, review
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.trading import TradingHalted

UNREACHED = tuple(BrakeName)


class Ungoverned(Governor):
    """Says yes to whatever may be sent at all."""

    @override
    def _judge(
        self, proposal: Proposal, now: UnixNs, *, answer: WhatIf | None = None, again: bool = False
    ) -> tuple[Says, ...]:
        gap, bench = proposal_gap(proposal, now=now), self._bench(proposal, now)
        if gap or bench is None:
            return self._refuse(proposal, None, gap or "nothing was seen of the market", now)
        candidate = self._candidate(proposal, answer, now)
        honest = review(
            candidate,
            book=bench.stock.book,
            ruler=bench.stock.ruler,
            desk=bench.desk,
            limits=bench.limits,
            now_ns=now,
            day=bench.day,
        )
        if honest.reduction.proved:
            return super()._judge(proposal, now, answer=answer, again=again)
        free = _in_full(honest, proposal.units)
        approved = approve(
            free,
            candidate=candidate,
            book=bench.stock.book,
            desk=bench.desk,
            ledger=bench.ledger,
            limits=bench.limits,
            now_ns=now,
        )
        if isinstance(approved, ApprovalGap):
            return self._refuse(proposal, free, approved.value.replace("_", " "), now)
        return self._grant(proposal, Granted(review=free, approved=approved), now)

    @override
    def _watch(self, now: UnixNs, *, say: bool = False) -> tuple[Says, ...]:
        """Tell how it stands, and let nothing follow from it."""
        self.state.tripped = UNREACHED  # no brake halts that has halted already
        said = super()._watch(now, say=say)
        self.state.demands = ()
        self.state.cautions = ()
        kept = (RiskDemanded, TradingHalted, NotifyPerson)
        return tuple(one for one in said if not isinstance(one, kept))


def _in_full(honest: Review, units: int) -> Review:
    return msgspec.structs.replace(
        honest, units=units, findings=(), binding=(), words="nobody was asked"
    )


def without_a_governor(tree: Tree) -> Tree:
    """The same desk with nobody to say no."""
    groups = tuple(
        msgspec.structs.replace(
            group,
            actors=tuple(
                msgspec.structs.replace(spec, kind=Ungoverned) if spec.name == "governor" else spec
                for spec in group.actors
            ),
        )
        for group in tree.groups
    )
    return msgspec.structs.replace(tree, groups=groups)
