"""`make soak`: a whole market day in real processes, with kills; exits 1 when the books differ."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from soak.market_day import Terms, run_day


@click.command()
@click.argument("what", type=click.Choice(["day"]))
@click.option("--speed", default=30.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--start", default="2026-03-02", show_default=True)
@click.option("--minutes", type=float, help="Only so many minutes of the market.")
@click.option("--desk-kills", default=3, show_default=True)
@click.option("--gateway-kills", default=2, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Kept; else a temporary one.")
def main(what: str, folder: Path | None, **terms: float) -> None:  # noqa: ARG001  # one kind so far
    """Live through a day and print what was found."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as temporary:
        verdict = run_day(Terms(folder=folder or Path(temporary), **terms))  # type: ignore[arg-type]
    for name, value in verdict.figures.items():
        console.print(f"{name:40} {value}")
    for line in verdict.wrong:
        console.print(f"WRONG: {line}", style="red")
    console.print("a good day" if not verdict.wrong else f"{len(verdict.wrong)} things wrong")
    sys.exit(1 if verdict.wrong else 0)


if __name__ == "__main__":
    main()
