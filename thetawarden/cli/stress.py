"""`thetawarden stress`."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.messages.control import GridView, StressView

SHADES = " ░▒▓█"
WORST_FRACTION = 0.20  # where the darkest shade begins, of net liquidation value
CELL = 18


@click.command()
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the heat map there, as a picture.",
)
@as_json
@on_place
def stress(*, place: Place, svg: Path | None, as_json: bool) -> None:
    """Revalue the book in every scenario now; the heat map moves the index and the VIX."""
    view = place.desk().stress()
    if svg is not None:
        if view.grid is None:
            raise click.UsageError("there is no heat map: something cannot be valued")
        _draw(svg, picture(view.grid, nlv_usd=view.nlv_usd))
    if as_json:
        print_json(view)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    worth = "?" if view.nlv_usd is None else f"{view.nlv_usd:,.0f} USD"
    click.echo(f"{view.verdict.replace('_', ' ')}: the book of {view.at}, NLV {worth}")
    for name in view.unknown:
        click.echo(f"cannot be valued: {name}")
    rows = [
        (one.name, _usd(one.loss_usd), _usd(one.with_pending_usd), _percent(one.percent_of_nlv))
        for one in view.scenarios
    ]
    columns = ("scenario", "held loses", "with pending", "of NLV")
    print_table(plain_table("Scenarios", columns, rows))
    print_table(plain_table("Worst by position", ("position", "underlying", "loses"), _by(view)))
    if view.grid is not None:
        for line in heat_map(view.grid, nlv_usd=view.nlv_usd):
            click.echo(line)


def _draw(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(
            f"--svg found {file}, which cannot be written ({error.strerror});"
            " allowed: a file in a folder that is there"
        ) from None


def heat_map(grid: GridView, *, nlv_usd: float | None) -> list[str]:
    """Return the map as lines of text: darker loses more, a plus gains."""
    most = WORST_FRACTION * nlv_usd if nlv_usd else _deepest(grid) or 1.0
    head = f"{'index':>7}  VIX {grid.vix_points[0]:+.0f} ... {grid.vix_points[-1]:+.0f} points"
    lines = [f"{head}; █ loses {most:,.0f} USD or more, + gains"]
    for change, profits in zip(grid.index_returns, grid.profit_usd, strict=True):
        cells = "".join(_shade(profit, most) * 2 for profit in profits)
        lines.append(f"{change * 100.0:+6.1f} % {cells}")
    return lines


def picture(grid: GridView, *, nlv_usd: float | None) -> str:
    """Return the map as an SVG document."""
    most = WORST_FRACTION * nlv_usd if nlv_usd else _deepest(grid) or 1.0
    left, top = 70, 40
    parts = []
    for y, (change, profits) in enumerate(zip(grid.index_returns, grid.profit_usd, strict=True)):
        for x, profit in enumerate(profits):
            vix = grid.vix_points[x]
            title = f"index {change * 100.0:+.1f} %, VIX {vix:+.1f}: {profit:,.0f} USD"
            parts.append(
                f'<rect x="{left + x * CELL}" y="{top + y * CELL}" width="{CELL}"'
                f' height="{CELL}" fill="{_colour(profit, most)}"><title>{escape(title)}</title>'
                "</rect>"
            )
        parts.append(
            f'<text x="{left - 6}" y="{top + y * CELL + 13}" text-anchor="end">'
            f"{change * 100.0:+.0f} %</text>"
        )
    parts += [
        f'<text x="{left + x * CELL}" y="{top - 8}">{grid.vix_points[x]:+.0f}</text>'
        for x in range(0, len(grid.vix_points), 4)
    ]
    width = left + CELL * len(grid.vix_points) + 20
    height = top + CELL * len(grid.index_returns) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="11"><title>Profit by index and VIX</title>'
        f"{''.join(parts)}</svg>\n"
    )


def _by(view: StressView) -> list[tuple[str, str, str]]:
    """Every position by the most it loses in any scenario, the dearest first."""
    worst = [
        (max((loss for loss in one.losses_usd if loss is not None), default=0.0), one)
        for one in view.positions
    ]
    worst.sort(key=lambda pair: -pair[0])
    return [(one.name, one.underlying, _usd(loss)) for loss, one in worst]


def _shade(profit: float, most: float) -> str:
    if profit > 0.0:
        return "+"
    step = int(min(-profit / most, 1.0) * (len(SHADES) - 1) + 0.999)
    return SHADES[step]


def _colour(profit: float, most: float) -> str:
    part = min(abs(profit) / most, 1.0)
    faded = round(255 * (1.0 - part))
    return f"rgb({faded},255,{faded})" if profit > 0.0 else f"rgb(255,{faded},{faded})"


def _deepest(grid: GridView) -> float:
    return max(-min(map(min, grid.profit_usd)), 0.0)


def _usd(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _percent(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f} %"
