"""Tells the market's news: what moved it, in words, at the close of each session."""

from __future__ import annotations

from thetawarden.practice.market.noise import generator
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.model import NewsArticle, NewsProvider

PROVIDERS = (
    NewsProvider(code="PRACTICE", name="Practice market wire"),
    NewsProvider(code="PRACTICE-B", name="Practice market briefs"),
)
_NEWS_SALT = 51
_REASONS = (
    "traders weighed rates",
    "earnings were in focus",
    "bond yields moved",
    "positioning was light",
    "the session passed without a headline",
)


class Words:
    """News of the whole market, one article a session."""

    def __init__(self, *, seed: int, timeline: Timeline, paths: Paths, first_row: int) -> None:
        self._seed, self._timeline, self._paths = seed, timeline, paths
        self._first_row = first_row

    def between(self, start_ns: int, end_ns: int) -> tuple[NewsArticle, ...]:
        """Return articles with start < time <= end, oldest first."""
        first = max(self._timeline.row_of(start_ns + 1), self._first_row + 2)
        last = self._timeline.row_of(end_ns + 1)
        return tuple(self._article(row) for row in range(first, last))

    def _article(self, row: int) -> NewsArticle:
        before, close = (self._paths.close("SPX", one) for one in (row - 1, row))
        change = 100.0 * (close / before - 1.0)
        verb = "rise" if change > 0.1 else "fall" if change < -0.1 else "are little changed"
        draw = int(generator(self._seed, _NEWS_SALT, row).integers(len(_REASONS)))
        headline = f"US stocks {verb}, S&P 500 {change:+.2f}% at {close:.2f}"
        return NewsArticle(
            at_ns=int(self._timeline.close_ns[row]),
            provider=PROVIDERS[0].code,
            article_id=f"PRACTICE${row:06d}",
            headline=headline,
            text=f"{headline}; {_REASONS[draw]}. This is a simulated market.",
        )
