"""What the exchange itself says that our orders brought, contract by contract.

Of a combination the fills of its legs are counted, so that legs that filled unevenly are seen. A
fill counts as it was corrected last; one that was busted has a price of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from thetawarden.domain.broker.orders import execution_stem
from thetawarden.practice.model import Action, Execution


class _Fill(msgspec.Struct, frozen=True):
    conid: int
    contracts: int
    at_ns: int


class Dealt:
    """Contracts bought (above zero) or sold by each order; instants are the machine's."""

    def __init__(self) -> None:
        self._fills: dict[str, dict[str, _Fill]] = {}

    def take(self, fill: Execution, now_ns: int) -> None:
        """Take in what was executed or corrected."""
        if fill.contract.legs:
            return
        fills, stem = self._fills.setdefault(fill.order_ref, {}), execution_stem(fill.exec_id)
        sign = 1 if fill.side is Action.BUY else -1
        contracts = sign * fill.quantity if fill.price else 0
        fills[stem] = _Fill(fill.contract.con_id, contracts, now_ns)

    def by_order(self, ref: str) -> Mapping[int, int]:
        """What one order brought of each contract."""
        found: dict[int, int] = {}
        for one in self._fills.get(ref, {}).values():
            found[one.conid] = found.get(one.conid, 0) + one.contracts
        return found

    def lately(self, refs: list[str], conid: int, *, since_ns: int) -> tuple[int, ...]:
        """What orders together held of a contract: at that instant, and after each fill since."""
        fills = (one for ref in refs for one in self._fills.get(ref, {}).values())
        ours = sorted((one for one in fills if one.conid == conid), key=lambda one: one.at_ns)
        held = [sum(one.contracts for one in ours if one.at_ns < since_ns)]
        for one in ours:
            if one.at_ns >= since_ns:
                held.append(held[-1] + one.contracts)
        return tuple(held)
