"""Gathers all faults: importing this module enters every one of them into the list."""

from __future__ import annotations

from thetawarden.practice.faults import links
from thetawarden.practice.faults.registry import FAULTS

TOPICS = (links,)

__all__ = ["FAULTS", "TOPICS"]
