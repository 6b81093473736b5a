"""Names how far the desk goes by itself."""

from __future__ import annotations

import enum


class Level(enum.StrEnum):
    """Shows only; enters line-ups that a person approved; enters by itself."""

    SUGGEST = "suggest"
    APPROVE = "approve"
    AUTOMATIC = "automatic"
