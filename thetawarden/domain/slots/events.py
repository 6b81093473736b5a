"""Decides what the ledger makes of what it hears: wishes, the link, and the broker's answers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from thetawarden.domain.broker.lines import LineWant
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.slots.choosing import lines_max
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.state import Learned, Ledger, Phase, Refusal

TOO_MANY_LINES = 101
COMPETING = 10197
NOT_SOLD = frozenset({200, 203, 354, 10089, 10168, 10186})
"""The broker knows no such thing or does not sell its quotes: asking again soon is of no use."""
_TAKES_REQUESTS = frozenset({LinkState.SYNCING, LinkState.READY})
_GONE = frozenset({LinkState.DOWN, LinkState.CONNECTING, LinkState.REFUSED})


def want(ledger: Ledger, *, owner: str, wants: tuple[LineWant, ...]) -> Ledger:
    """Put an owner's wishes in the place of those it had."""
    others = {name: its for name, its in ledger.wants.items() if name != owner}
    return ledger.stirred(wants=others | ({owner: wants} if wants else {}))


def keep_instances(ledger: Ledger, *, role: str, keys: Iterable[str]) -> Ledger:
    """Forget what instances of a role want that are no more; nobody else would withdraw it."""
    left = {f"{role}/{key}" for key in keys}
    return ledger.stirred(
        wants={
            owner: wants
            for owner, wants in ledger.wants.items()
            if owner in left or not owner.startswith(f"{role}/")
        },
    )


def hear_of_link(ledger: Ledger, *, epoch: int, state: LinkState) -> Ledger:
    """Take note of the link: another epoch, or none, has no lines and owes no snapshots.

    Data may be asked for while the book is still being read, as the book goes first on the wire
    anyway; not while the broker is cut off or another session has the data.
    """
    if epoch < ledger.epoch:
        return ledger
    if epoch == ledger.epoch and state not in _GONE:
        refused = ledger.refused
        if state in _TAKES_REQUESTS and not ledger.open:
            refused = {conid: no for conid, no in refused.items() if no.code != COMPETING}
        return ledger.stirred(open=state in _TAKES_REQUESTS, refused=refused)
    return ledger.stirred(
        epoch=epoch,
        open=state in _TAKES_REQUESTS,
        slots={},
        batches={},
        refused={conid: no for conid, no in ledger.refused.items() if no.code in NOT_SOLD},
        snapshots_from_ns=0,
    )


def release(ledger: Ledger, *, epoch: int, conids: Iterable[int]) -> Ledger:
    """The broker was told to cancel these: their places are free, old refusals outlived."""
    if epoch != ledger.epoch:
        return ledger
    gone = {
        conid
        for conid in conids
        if conid in ledger.slots and ledger.slots[conid].phase is Phase.LEAVING
    }
    return ledger.stirred(
        slots={conid: slot for conid, slot in ledger.slots.items() if conid not in gone},
        refused={conid: no for conid, no in ledger.refused.items() if conid not in gone},
    )


def refuse(
    ledger: Ledger, *, epoch: int, conid: int, code: int, limits: LineLimits, now_ns: int
) -> Ledger:
    """The broker holds no such line. One too many teaches how many there really are."""
    if epoch != ledger.epoch:
        return ledger
    slots = {other: slot for other, slot in ledger.slots.items() if other != conid}
    if code == TOO_MANY_LINES:
        real = min(len(slots), lines_max(ledger, limits, now_ns))
        learned = Learned(lines_max=real, at_ns=now_ns)
        return ledger.stirred(slots=slots, learned=learned)
    before = ledger.refused.get(conid)
    times = 1 if before is None or before.code != code else before.times + 1
    wait_ns = limits.retry_ns_max
    if code not in NOT_SOLD:
        wait_ns = min(wait_ns, limits.retry_ns * 2 ** min(times - 1, 20))
    refusal = Refusal(code=code, times=times, again_ns=now_ns + wait_ns)
    return ledger.stirred(slots=slots, refused=ledger.refused | {conid: refusal})


def end_batch(
    ledger: Ledger, *, epoch: int, listener: str, unanswered: Iterable[int], now_ns: int
) -> Ledger:
    """A listener's snapshots are over; those that did not come are due again like the others.

    Asking at once for what did not come would hold up all that do come.
    """
    batch = ledger.batches.get(listener)
    if epoch != ledger.epoch or batch is None:
        return ledger
    missing = set(unanswered)
    before = ledger.snapshot_ns.get(listener, {})
    heard = before | dict.fromkeys(batch.conids, now_ns)
    refused = {
        conid: no
        for conid, no in ledger.refused.items()
        if conid in missing or conid not in batch.conids
    }
    after = ledger if len(refused) == len(ledger.refused) else ledger.stirred(refused=refused)
    return msgspec.structs.replace(
        after,
        batches={name: other for name, other in ledger.batches.items() if name != listener},
        snapshot_ns=ledger.snapshot_ns | {listener: heard},
    )
