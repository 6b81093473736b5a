"""Thirty sessions of a crash, lived through by two desks at once: governed, and unprotected."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.market_study.chart import chart
from soak.crash_desk import DeskRun, judge_log, run_desk
from soak.own_steps import STEPS

_NAMES = {True: "governed", False: "unprotected"}


class CrashVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Both desks, and what is wrong."""

    governed: DeskRun
    free: DeskRun | None
    wrong: tuple[str, ...]


def run_crash(
    *,
    sessions: int,
    seed: int,
    beside: bool = True,
    tight: bool = False,
    folder: Path | None = None,
) -> CrashVerdict:
    """Live through the crash, each desk in a process of its own; the unprotected one if asked.

    The logs are kept in a folder, where one is named.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=2, mp_context=context) as pool:
        runs = [
            pool.submit(
                run_desk,
                sessions=sessions,
                seed=seed,
                governed=governed,
                tight=tight,
                folder=None if folder is None else folder / _NAMES[governed],
                progress=_say,
            )
            for governed in ((True, False) if beside else (True,))
        ]
        governed, *others = [one.result() for one in runs]
    free = others[0] if others else None
    return CrashVerdict(
        governed=governed, free=free, wrong=tuple(_wrong(governed, free, tight=tight))
    )


def judge_crash(folder: Path, *, seed: int, tight: bool) -> CrashVerdict:
    """Judge the governed desk's log that was kept in a folder."""
    governed = judge_log(folder / _NAMES[True] / "desk" / "log", seed=seed, tight=tight)
    return CrashVerdict(
        governed=governed, free=None, wrong=tuple(_wrong(governed, None, tight=tight))
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  (from another process, as it happens)


def _wrong(governed: DeskRun, free: DeskRun | None, *, tight: bool) -> list[str]:
    """What is wrong; one that is to bite must have shown every step and passed no limit at all."""
    wrong = list(governed.wrong)
    if tight and governed.watched is not None:
        wrong += [f"a limit was passed: {one.words}" for one in governed.watched.episodes]
    if tight and governed.steps is not None:
        wrong += [f"never happened: {one}" for one in governed.steps.missing]
    if not governed.counts["entries approved"]:
        wrong.append("nothing was ever approved: nothing is shown")
    if free is not None and governed.deepest_fraction > free.deepest_fraction:
        wrong.append("the governed desk lost more than the unprotected one")
    return wrong


def show_crash(verdict: CrashVerdict, console: Console) -> None:
    """Print both desks side by side, what happened in which order, and every limit."""
    governed, free = verdict.governed, verdict.free
    console.print("day         VIX      governed   held         unprotected   held")
    for number, mine in enumerate(governed.days):
        line = f"{mine.day}  {mine.vix:5.1f}  {mine.nlv_usd:12,.0f}  {mine.held:3}"
        line = f"{line}  {mine.trading:8}"
        if free is not None:
            other = free.days[number]
            line = f"{line}  {other.nlv_usd:12,.0f}  {other.held:3}"
        console.print(line)
    watched = governed.watched
    console.print("what happened, in order:")
    for line in governed.happened:
        console.print(f"  {line}")
    if watched is None:
        return
    if governed.steps is not None:
        console.print("steps, in order, by our own losses:")
        for step in governed.steps.taken:
            console.print(f"  {step.words}")
    console.print("how full every limit was at most, and with an entry let in:")
    for name, part in sorted(watched.fullest.items()):
        console.print(f"  {name:38} {part:8.1%}  {watched.entered.get(name, 0.0):8.1%}")
    for name, count in sorted(watched.unknown.items()):
        console.print(f"  unknown {count} times: {name}")
    console.print("passed by no entry:")
    for one in watched.episodes:
        console.print(f"  {one.words}")


def figures_of(verdict: CrashVerdict) -> dict[str, object]:
    """The report, line by line."""
    governed, free, watched = verdict.governed, verdict.free, verdict.governed.watched
    found: dict[str, object] = {
        "governed: deepest loss, result": _lost(governed),
        **{f"governed: {name}": count for name, count in sorted(governed.counts.items())},
        "governed: machine seconds": round(governed.machine_s),
    }
    if free is not None:
        found |= {
            "unprotected: deepest loss, result": _lost(free),
            **{f"unprotected: {name}": count for name, count in sorted(free.counts.items())},
            "unprotected: machine seconds": round(free.machine_s),
        }
    if governed.steps is not None:
        steps = governed.steps
        found |= {name: steps.seen[name] for name in STEPS}
        found["longest from stop to halt, market s"] = round(steps.latest_halt_s)
    if watched is not None:
        found |= {
            "messages heard": watched.messages,
            "times every limit was measured": watched.measured,
            "entries judged": watched.entries,
            "limits passed by an entry": sum("an entry let" in one for one in watched.wrong),
            "limits passed by the market or exits": len(watched.episodes),
        }
    return found


def _lost(run: DeskRun) -> str:
    return f"{run.deepest_fraction:.2%}, {run.result_fraction:+.2%}"


def write_chart(verdict: CrashVerdict, path: Path) -> None:
    """Draw both accounts day by day."""
    governed, free = verdict.governed, verdict.free
    lines = [("governed", "#1a7f37", governed)]
    lines += [] if free is None else [("unprotected", "#cf222e", free)]
    drawn = tuple(
        (name, colour, np.arange(1.0, len(run.days) + 1.0), _worths(run))
        for name, colour, run in lines
    )
    title = "Net liquidation value in thousands of USD"
    path.write_text(chart(title=title, x_label="session of the crash", lines=drawn))


def _worths(run: DeskRun) -> NDArray[np.float64]:
    return np.array([one.nlv_usd / 1e3 for one in run.days])
