"""Thirty sessions of a crash, lived through twice: by the governor's leave, and without it.

The same seller of index puts trades on the practice exchange from before the fall on. In one run
each order goes through the real governor, by its messages, with margin previewed at the exchange,
and what it demands is closed. A checker measures every limit around each approval.
"""

from __future__ import annotations

import msgspec
from rich.console import Console

from soak.crash_governed import GovernedSeller
from soak.crash_seller import Outcome, Seller


class CrashVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs, and what is wrong with the governed one."""

    governed: Outcome
    free: Outcome
    wrong: tuple[str, ...]


def run_crash(*, sessions: int, seed: int) -> CrashVerdict:
    """Live through the crash twice."""
    governed = GovernedSeller(seed).live(sessions)
    free = Seller(seed).live(sessions)
    wrong = list(governed.broken)
    if not governed.approved:
        wrong.append("nothing was ever approved: nothing is shown")
    if governed.loss_fraction > free.loss_fraction:
        wrong.append("the governed run lost more than the free one")
    return CrashVerdict(governed=governed, free=free, wrong=tuple(wrong))


def show_crash(verdict: CrashVerdict, console: Console) -> None:
    """Print both runs side by side, and what the governor did on which day."""
    console.print("day         VIX    governed        free       held  governor")
    for mine, other in zip(verdict.governed.days, verdict.free.days, strict=True):
        console.print(
            f"{mine.day}  {mine.vix:5.1f}  {mine.nlv_usd:12,.0f}  {other.nlv_usd:12,.0f}"
            f"  {mine.held:2} {other.held:2}  {mine.state}"
        )
    for name, run in (("governed", verdict.governed), ("free", verdict.free)):
        console.print(
            f"{name}: deepest loss {run.loss_fraction:.2%}, result {run.result_fraction:+.2%}"
        )
    told = verdict.governed
    console.print(
        f"{told.approved} approved, {told.refused} refused, {told.messages} messages checked"
    )
    for line in (*told.halts, *told.demands):
        console.print(f"  {line}")
