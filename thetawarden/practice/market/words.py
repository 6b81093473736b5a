"""Tells the market's news: what moved it, in words, at the close of each session."""

from __future__ import annotations

from thetawarden.practice.market.earnings import EarningsBook
from thetawarden.practice.market.noise import generator
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import UNDERLYINGS
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

    def __init__(
        self, *, seed: int, timeline: Timeline, paths: Paths, earnings: EarningsBook, first_row: int
    ) -> None:
        self._seed, self._timeline, self._paths = seed, timeline, paths
        self._earnings, self._first_row = earnings, first_row

    def between(self, start_ns: int, end_ns: int) -> tuple[NewsArticle, ...]:
        """Return articles with start < time <= end, oldest first."""
        first = max(self._timeline.row_of(start_ns + 1), self._first_row + 2)
        last = self._timeline.row_of(end_ns + 1)
        found = [self._article(row) for row in range(first, last)]
        found += [one for row in range(first, last + 1) for one in self._reports(row)]
        inside = [one for one in found if start_ns < one.at_ns <= end_ns]
        return tuple(sorted(inside, key=lambda one: (one.at_ns, one.article_id)))

    def _reports(self, row: int) -> list[NewsArticle]:
        """One article a company that reported in the night of a row, after its opening print."""
        articles = []
        for one in UNDERLYINGS.values():
            move = self._earnings.move(one.symbol, row) if one.reports_in >= 0 else 0.0
            if not move:
                continue
            verb = "beats" if move > 0.0 else "misses"
            headline = f"{one.name} {verb} expectations, shares open {100.0 * move:+.1f}%"
            articles.append(
                NewsArticle(
                    at_ns=int(self._timeline.open_ns[row]),
                    provider=PROVIDERS[1].code,
                    article_id=f"PRACTICE-B${row:06d}{one.symbol}",
                    headline=headline,
                    text=f"{headline}. This is a simulated market.",
                    con_ids=(one.con_id,),
                )
            )
        return articles

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
