"""`make bench`: run all figures, or those whose name contains the argument; write latest.json."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

import bench.figures
from bench.harness import Figure, Result, run_figure

LATEST = Path(__file__).parent / "latest.json"


def main(wanted: str) -> int:
    """Print the table; 1 when a goal is missed, 2 when no figure has that name."""
    figures = [figure for figure in _all_figures() if wanted in figure.name]
    if not figures:
        names = ", ".join(figure.name for figure in _all_figures())
        print(f"bench: no figure named like {wanted!r}; there are: {names}", file=sys.stderr)
        return 2
    console = Console()
    results: list[Result] = []
    for number, figure in enumerate(figures, 1):
        started = time.monotonic()
        results.append(run_figure(figure))
        took = time.monotonic() - started
        console.print(f"[{number}/{len(figures)}] {figure.name} ({took:.1f} s)", highlight=False)
        LATEST.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    console.print(_table(results))
    return 0 if all(result.ok for result in results) else 1


def _all_figures() -> list[Figure]:
    modules = sorted(module.name for module in pkgutil.iter_modules(bench.figures.__path__))
    return [
        figure
        for name in modules
        for figure in importlib.import_module(f"bench.figures.{name}").FIGURES
    ]


def _table(results: list[Result]) -> Table:
    table = Table(title="Medians; spread is (max - min) / median over the repetitions")
    for column in ("figure", "ours", "±", "reference", "its value", "±", "ratio", "goal", ""):
        table.add_column(column, overflow="fold")
    for result in results:
        table.add_row(
            result.name,
            f"{result.value:,.4g} {result.unit}",
            f"{result.spread:.0%}",
            result.reference,
            "" if result.reference_value is None else f"{result.reference_value:,.4g}",
            "" if result.reference_spread is None else f"{result.reference_spread:.0%}",
            "" if result.ratio is None else f"{result.ratio:.3g}",
            result.goal,
            "ok" if result.ok else "MISSED",
        )
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
