"""What is told in words: providers, articles, and the calendar of corporate events."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class NewsProvider(msgspec.Struct, frozen=True, kw_only=True):
    """Who publishes, as clients ask for it by code."""

    code: str
    name: str


class NewsArticle(msgspec.Struct, frozen=True, kw_only=True):
    """One article; `con_ids` are the contracts it is about, empty for the whole market."""

    at_ns: int
    provider: str
    article_id: str
    headline: str
    text: str
    con_ids: tuple[int, ...] = ()


class CorporateEventKind(enum.StrEnum):
    """What a company's calendar holds."""

    EARNINGS = "earnings"
    DIVIDEND = "dividend"
    SPLIT = "split"


class CorporateEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One dated event; `time_of_day` is BMO, AMC or empty; `amount_usd` is a dividend's."""

    con_id: int
    kind: CorporateEventKind
    day: dt.date
    confirmed: bool = True
    time_of_day: str = ""
    amount_usd: float | None = None
    split_new_shares: int | None = None
    split_old_shares: int | None = None
