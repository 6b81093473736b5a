"""`make soak`: a whole market day in real processes, with kills; exits 1 when the books differ.

`python -m soak twenty` lives through days of several markets in virtual time, undisturbed.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from soak.crash import figures_of, judge_crash, run_crash, show_crash, write_chart
from soak.kills import Terms as KillTerms
from soak.kills import run_kills
from soak.market_day import Terms, run_day
from soak.twenty import SCENARIOS, run_twenty
from soak.twenty import Terms as TwentyTerms
from soak.wheel import Terms as WheelTerms
from soak.wheel import run_wheel
from thetawarden.practice.market.scenario import ScenarioName

FOLDER = click.Path(path_type=Path, file_okay=False)
KEPT = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def main() -> None:
    """Long tests, too long to run with every change."""


@main.command()
@click.option("--speed", default=30.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--start", default="2026-03-02", show_default=True)
@click.option("--minutes", type=float, help="Only so many minutes of the market.")
@click.option("--desk-kills", default=3, show_default=True)
@click.option("--gateway-kills", default=2, show_default=True)
@click.option("--folder", type=FOLDER, help="Kept; else a temporary one.")
def day(folder: Path | None, **terms: float) -> None:
    """Live through a day in real processes, with kills, and print what was found."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as temporary:
        verdict = run_day(Terms(folder=folder or Path(temporary), **terms))  # type: ignore[arg-type]
    _conclude(console, verdict.figures, verdict.wrong)


@main.command()
@click.option("--days", default=20, show_default=True, help="Trading days of each scenario.")
@click.option("--skip", default=0, show_default=True, help="Days of it before the desk begins.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    type=click.Choice([one.value for one in SCENARIOS]),
    help="Only this kind of times; may be said again.",
)
def twenty(days: int, skip: int, seed: int, scenarios: tuple[str, ...]) -> None:
    """Leave a desk alone for days of several markets, in virtual time, and count what happened.

    Each kind of times lives by itself: they can be run side by side.
    """
    console = Console(highlight=False, soft_wrap=True)
    chosen = tuple(map(ScenarioName, scenarios)) or SCENARIOS
    terms = TwentyTerms(days=days, skip=skip, seed=seed, scenarios=chosen)
    found = run_twenty(terms, progress=console.print)
    for name, count in sorted(found.happened.items()):
        console.print(f"{name:40} {count} times on {found.days[name]} days")
    missing = [f"{name} never happened" for name in found.missing]
    _conclude(console, found.figures, [*found.wrong, *missing])


@main.command()
@click.option("--speed", default=30.0, show_default=True, help="Market seconds a second.")
@click.option("--seed", default=2, show_default=True)
@click.option("--start", default="2026-03-04", show_default=True)
@click.option("--folder", type=FOLDER, help="Kept; else a temporary one.")
def wheel(folder: Path | None, **terms: float) -> None:
    """Have a put assigned over real sockets, and a call sold on the shares it brings."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running
    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory() as temporary:
        asked = WheelTerms(folder=folder or Path(temporary), **terms)  # type: ignore[arg-type]
        verdict = run_wheel(asked, progress=console.print)
    _conclude(console, verdict.figures, verdict.wrong)


@main.command()
@click.option("--desk-kills", default=300, show_default=True)
@click.option("--gateway-kills", default=50, show_default=True)
@click.option("--lanes", type=click.IntRange(1, 16), default=3, show_default=True)
@click.option("--speed", default=10.0, show_default=True, help="Market seconds a second.")
@click.option("--seed", default=1, show_default=True)
@click.option("--start", default="2026-03-02", show_default=True)
@click.option("--folder", type=FOLDER, help="Kept; else a temporary one.")
def kills(folder: Path | None, **terms: float) -> None:
    """Kill desk and gateway around order flow: nothing lost, repeated, unprotected, in doubt."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as temporary:
        asked = KillTerms(folder=folder or Path(temporary), **terms)  # type: ignore[arg-type]
        verdict = run_kills(asked, progress=console.print)
    for reason in verdict.halts:
        console.print(f"halted: {reason}")
    _conclude(console, verdict.figures, verdict.wrong)


@main.command()
@click.option("--sessions", default=30, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--beside/--alone", default=True, help="Whether an unprotected desk runs beside it.")
@click.option("--chart", type=click.Path(path_type=Path), help="Draw both accounts into this SVG.")
@click.option("--tight", is_flag=True, help="Lower brakes, companies besides: it bites.")
@click.option("--folder", type=FOLDER, help="Logs are kept there.")
@click.option("--judge", type=KEPT, help="Only judge the logs kept there.")
def crash(
    sessions: int,
    seed: int,
    chart: Path | None,
    folder: Path | None,
    judge: Path | None,
    *,
    beside: bool,
    tight: bool,
) -> None:
    """Live through a crash with a whole desk, and beside it with the same desk ungoverned."""
    console = Console(highlight=False, width=200)
    if judge is not None:
        if not any(judge.glob("governed/desk/log/*.db")):
            words = f"no logs of a governed desk in {judge}; name what --folder of a run kept"
            raise click.BadParameter(words, param_hint="--judge")
        verdict = judge_crash(judge, seed=seed, tight=tight)
    else:
        verdict = run_crash(sessions=sessions, seed=seed, beside=beside, tight=tight, folder=folder)
    show_crash(verdict, console)
    if chart is not None:
        write_chart(verdict, chart)
    _conclude(console, figures_of(verdict), verdict.wrong)


def _conclude(console: Console, figures: Mapping[str, object], wrong: Sequence[str]) -> None:
    for name, value in figures.items():
        console.print(f"{name:40} {value}")
    for line in wrong:
        console.print(f"WRONG: {line}", style="red")
    console.print("all is well" if not wrong else f"{len(wrong)} things wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
