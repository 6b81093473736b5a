"""Remembers closing prices, and says between which of them an underlying has moved."""

from __future__ import annotations

from thetawarden.practice.market.path import Paths


class Closes:
    """Closing prices by symbol, from the market's first day on."""

    def __init__(self, *, paths: Paths, first_row: int) -> None:
        self._paths, self._first_row = paths, first_row
        self._closes: dict[str, list[float]] = {}

    def forget(self) -> None:
        """Drop what was remembered."""
        self._closes.clear()

    def span(self, symbol: str, first: int, row: int) -> tuple[float, float]:
        """Return the lowest and highest close from `first` to before `row`, and the row's open."""
        closes = self._closes.setdefault(symbol, [])
        begins = self._first_row + 1
        closes.extend(self._paths.close(symbol, one) for one in range(begins + len(closes), row))
        known = [*closes[first - begins : row - begins], self._paths.open(symbol, row)]
        return min(known), max(known)
