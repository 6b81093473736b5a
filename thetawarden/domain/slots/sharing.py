"""Decides how places are shared among owners who matter equally: whoever has fewest is next.

What one owner leaves is shared by the others, and nobody's long list takes anything from a short
one. Ties go by name, so that the same wishes always give the same shares.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence


def share(*, queues: Mapping[str, Sequence[int]], kept: Sequence[int], places: int) -> list[int]:
    """The conids that get a place: first those kept, then each owner's in its own order.

    An instrument several owners want takes one place, and counts for each of them.
    """
    chosen = dict.fromkeys(kept[: max(0, places)])
    already = frozenset(chosen)
    turns = [(sum(map(already.__contains__, queue)), owner, 0) for owner, queue in queues.items()]
    heapq.heapify(turns)
    while turns and len(chosen) < places:
        count, owner, position = heapq.heappop(turns)
        queue = queues[owner]
        while position < len(queue) and queue[position] in already:
            position += 1
        if position < len(queue):
            chosen[queue[position]] = None
            heapq.heappush(turns, (count + 1, owner, position + 1))
    return list(chosen)
