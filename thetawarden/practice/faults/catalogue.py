"""Gathers all faults: importing this module enters every one of them into the list."""

from __future__ import annotations

from thetawarden.practice.faults import (
    accounts,
    links,
    listings,
    orders,
    outages,
    planted,
    quotes,
    reports,
)
from thetawarden.practice.faults.registry import FAULTS

TOPICS = (links, outages, quotes, listings, orders, planted, reports, accounts)

__all__ = ["FAULTS", "TOPICS"]
