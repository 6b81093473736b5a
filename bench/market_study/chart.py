"""Draws small line charts as SVG, without any library."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Line: TypeAlias = tuple[str, str, Floats, Floats]
"""Name, colour, x and y."""

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 760, 300, 52, 40, 34


def chart(*, title: str, x_label: str, lines: tuple[Line, ...], points_max: int = 700) -> str:
    """Return a chart of some lines over common axes."""
    x_all = np.concatenate([line[2] for line in lines])
    y_all = np.concatenate([line[3] for line in lines])
    low, high = float(min(y_all.min(), 0.0)), float(y_all.max() * 1.05)
    first, last = float(x_all.min()), float(x_all.max())
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    body = [
        f'<svg {frame} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="18" font-size="14">{title}</text>',
    ]
    for value in np.linspace(low, high, 6):
        y = _y(value, low, high)
        body.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 12}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        )
    for value in np.linspace(first, last, 6):
        x = _x(value, first, last)
        body.append(f'<text x="{x:.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{value:.4g}</text>')
    body.append(f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 6}" text-anchor="middle">{x_label}</text>')
    for number, (name, colour, xs, ys) in enumerate(lines):
        step = max(len(xs) // points_max, 1)
        points = " ".join(
            f"{_x(a, first, last):.1f},{_y(b, low, high):.1f}"
            for a, b in zip(xs[::step].tolist(), ys[::step].tolist(), strict=True)
        )
        body.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
            f'<text x="{_WIDTH - 160 * (len(lines) - number)}" y="18" fill="{colour}">{name}</text>'
        )
    return "\n".join([*body, "</svg>", ""])


def _x(value: float, first: float, last: float) -> float:
    return _LEFT + (value - first) / (last - first) * (_WIDTH - 12 - _LEFT)


def _y(value: float, low: float, high: float) -> float:
    return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)
