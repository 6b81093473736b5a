"""The history service's own pacing rules, which apply to bars of 30 seconds and less.

No identical request within 15 seconds; fewer than six for the same contract and kind within two
seconds; at most sixty within ten minutes, BID_ASK counting twice. Reads no clock.
"""

from __future__ import annotations

from collections import deque

SAME_WITHIN_S = 15.0
BURST_WITHIN_S, BURST_MAX = 2.0, 5
LONG_WITHIN_S, LONG_MAX = 600.0, 60


class HistoryPacing:
    """Remembers one client's recent requests for small bars."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, tuple[object, ...], tuple[object, ...], int]] = deque()

    def allows(
        self, *, now_s: float, whole: tuple[object, ...], kind: tuple[object, ...], weight: int
    ) -> bool:
        """Whether the request may be answered; if so it is remembered."""
        recent = self._recent
        while recent and now_s - recent[0][0] >= LONG_WITHIN_S:
            recent.popleft()
        same = any(w == whole and now_s - at < SAME_WITHIN_S for at, w, _, _ in recent)
        burst = sum(k == kind and now_s - at < BURST_WITHIN_S for at, _, k, _ in recent)
        spent = sum(item[3] for item in recent)
        if same or burst >= BURST_MAX or spent + weight > LONG_MAX:
            return False
        recent.append((now_s, whole, kind, weight))
        return True
