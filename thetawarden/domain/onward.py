"""Time that goes onward only, whatever somebody sets the machine's clock to.

What is waited for, and how old a price is, are differences of instants: an instant that comes twice
would make every deadline later and every price young again. So a desk's time follows a clock that
was set forward at once, and one that was set back only by going slower until the two are one again.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND, UnixNs

SLOWED = (9, 10)
"""So much passes, of so much, while time is ahead of the clock: deadlines hardly feel it."""
APART_NS_MAX = NS_PER_SECOND // 1000
"""Two counts that are not read in one instant differ by so much and mean the same."""


class Course(msgspec.Struct, frozen=True):
    """How time goes from one look at the clock to the next: `at_ns` was it at this count."""

    at_ns: UnixNs
    elapsed_ns: int
    slowed: bool = False

    def at(self, elapsed_ns: int) -> UnixNs:
        """The time at a count; a count of before the look is one read while that was made."""
        passed = max(0, elapsed_ns - self.elapsed_ns)
        return UnixNs(self.at_ns + (passed * SLOWED[0] // SLOWED[1] if self.slowed else passed))


def looked(course: Course, *, shown_ns: UnixNs, elapsed_ns: int) -> Course:
    """Go on from what the clock shows now, or slower from where we are if it is behind.

    Who goes slower already goes on as before: however often it is looked, no part of an instant is
    lost, or time would stand.
    """
    ours = course.at(elapsed_ns)
    if shown_ns >= ours:
        return Course(shown_ns, elapsed_ns)
    if course.slowed:
        return course
    return Course(ours, elapsed_ns, slowed=ours - shown_ns > APART_NS_MAX)
