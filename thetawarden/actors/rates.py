"""How much an actor handles a second, from looks at its pulse."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable

from thetawarden.actors.post import Post

RATE_OVER_S = 10.0


class Rates:
    """Messages a second over the last seconds, or since the desk began if that is shorter."""

    def __init__(self, since_s: float) -> None:
        self._since_s = since_s
        self._lock = threading.Lock()
        self._looks: dict[str, deque[tuple[float, int]]] = {}

    def of(self, post: Post) -> float:
        """The rate of one actor."""
        now, handled = time.monotonic(), post.pulse.handled
        with self._lock:
            looks = self._looks.setdefault(post.name, deque([(self._since_s, 0)]))
            if now - looks[-1][0] >= 1.0:
                looks.append((now, handled))
            while len(looks) > 1 and looks[1][0] <= now - RATE_OVER_S:
                looks.popleft()
            since, before = looks[0]
        return round((handled - before) / max(now - since, 1.0), 1)

    def look(self, posts: Iterable[Post]) -> None:
        """Take note of where every actor is, so that a later look has something to count from."""
        for post in posts:
            self.of(post)
