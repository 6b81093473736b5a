"""Writes the study: `python -m bench.market_study`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from bench.market_study import figures, ours, real
from bench.market_study.chart import chart
from bench.market_study.figures import Figures
from bench.market_study.ours import Lived

SEEDS = (1, 2, 3, 4)
DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "practice-market.md"
BEGIN, END = "<!-- study:begin -->\n", "<!-- study:end -->\n"
_REAL, _OURS = "#1f5fa8", "#c0392b"


def main() -> int:
    """Compare, write the table into the page and draw the charts; 1 when there is no data."""
    folder = real.data_folder()
    if folder is None:
        sys.stdout.write("no market data in THETAWARDEN_MARKET_DATA, or in ../shared/data\n")
        return 1
    lived = [ours.live(seed) for seed in SEEDS]
    theirs = _real_figures(folder)
    mine = [_our_figures(one) for one in lived]
    _write_table(theirs, mine)
    _draw(folder, lived)
    sys.stdout.write(f"{PAGE.name} and its images written\n")
    return 0


def _real_figures(folder: Path) -> Figures:
    spx, vix = real.index(folder), real.volatility_index(folder, "VIX")
    vix3m, vix9d = (real.volatility_index(folder, one) for one in ("VIX3M", "VIX9D"))
    close, level = real.aligned(spx, vix)
    days, returns = real.stock_returns(folder)
    known = np.array([day in vix for day in days])
    stock_vix = np.array([vix[day] for day in days if day in vix])
    return (
        figures.of_index(close)
        | figures.of_vix(close, level)
        | figures.of_curve(*real.aligned(vix, vix3m, vix9d))
        | figures.of_futures(*real.aligned(*real.vix_futures(folder)))
        | figures.of_stocks(returns[known], stock_vix)
    )


def _our_figures(one: Lived) -> Figures:
    return (
        figures.of_index(one.index)
        | figures.of_vix(one.index, one.vix)
        | figures.of_curve(one.vix, one.vix3m, one.vix9d)
        | figures.of_futures(one.first_future, one.second_future)
        | figures.of_stocks(one.stock_returns, one.stock_vix)
    )


def _write_table(theirs: Figures, mine: list[Figures]) -> None:
    rows = [
        "| figure | real | ours, mean | ours, from seed to seed |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, value in theirs.items():
        values = [one[name] for one in mine]
        spread = f"{_text(min(values))} … {_text(max(values))}"
        rows.append(f"| {name} | {_text(value)} | {_text(float(np.mean(values)))} | {spread} |")
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(head + BEGIN + "\n".join(rows) + "\n" + END + tail)


def _draw(folder: Path, lived: list[Lived]) -> None:
    close, vix = real.aligned(real.index(folder), real.volatility_index(folder, "VIX"))
    one, images = lived[0], DOCS / "images"
    images.mkdir(exist_ok=True)
    lags = np.unique(np.round(np.geomspace(1, 400, 50)))
    mean_memory = np.mean([figures.memory(each.vix, lags) for each in lived], axis=0)
    edges = np.linspace(8.0, 60.0, 53)
    middle = 0.5 * (edges[1:] + edges[:-1])
    every = np.concatenate([each.vix for each in lived])
    pictures = {
        "vix-path": chart(
            title="VIX",
            x_label="sessions",
            lines=(
                ("real 1990-2026", _REAL, np.arange(len(vix), dtype=float), vix),
                ("ours, seed 1", _OURS, np.arange(len(one.vix), dtype=float), one.vix),
            ),
        ),
        "vix-levels": chart(
            title="Share of days by level of the VIX",
            x_label="VIX",
            lines=(
                ("real", _REAL, middle, np.histogram(vix, edges)[0] / len(vix)),
                ("ours", _OURS, middle, np.histogram(every, edges)[0] / len(every)),
            ),
        ),
        "vix-memory": chart(
            title="Autocorrelation of the VIX",
            x_label="lag, sessions",
            lines=(
                ("real", _REAL, lags, figures.memory(vix, lags)),
                ("ours", _OURS, lags, mean_memory),
            ),
        ),
        "drawdowns": chart(
            title="Distance from the high, %",
            x_label="sessions",
            lines=(
                ("real 1990-2026", _REAL, np.arange(len(close), dtype=float), _below(close)),
                ("ours, seed 1", _OURS, np.arange(len(one.index), dtype=float), _below(one.index)),
            ),
        ),
    }
    for name, picture in pictures.items():
        (images / f"practice-market-{name}.svg").write_text(picture)


def _below(close: figures.Floats) -> figures.Floats:
    fall: figures.Floats = 100.0 * (1.0 - close / np.maximum.accumulate(close))
    return fall


def _text(value: float) -> str:
    return f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
