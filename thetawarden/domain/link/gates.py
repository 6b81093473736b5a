"""What else must hold before new risk may rest on a link that is ready.

Each standing reason has words; entries are open when there are none. Reasons come and go with
notices and hours, apart from the state of the link itself.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.notices import NEEDED, FarmNews, Service


class Gates(msgspec.Struct, frozen=True, kw_only=True):
    """What stands against new risk: farms that do not work, servers away, our pace, the night."""

    broken: tuple[FarmNews, ...] = ()
    servers_lost: bool = False
    refused_ns: tuple[UnixNs, ...] = ()
    night: bool = False


def with_farm(gates: Gates, news: FarmNews) -> Gates:
    """Return the gates after news of a farm; one that works means the servers are back."""
    others = tuple(one for one in gates.broken if one.farm != news.farm)
    return msgspec.structs.replace(
        gates,
        broken=others if news.works else (*others, news),
        servers_lost=gates.servers_lost and not news.works,
    )


def with_refusal(gates: Gates, now: UnixNs, *, within_ns: int) -> Gates:
    """Return the gates after the gateway found us too fast once more; old refusals are forgotten.

    So many refusals within the time close the gates, fewer do not.
    """
    recent = tuple(at for at in gates.refused_ns if now - at < within_ns)
    return msgspec.structs.replace(gates, refused_ns=(*recent, now)[-2:])


def without_old_refusals(gates: Gates, now: UnixNs, *, within_ns: int) -> Gates:
    """Return the gates with only those refusals that still count."""
    recent = tuple(at for at in gates.refused_ns if now - at < within_ns)
    return msgspec.structs.replace(gates, refused_ns=recent)


def closed_services(gates: Gates) -> tuple[Service, ...]:
    """Return what cannot be had at present, in a fixed order."""
    broken = {news.service for news in gates.broken}
    return tuple(one for one in Service if one in broken or gates.servers_lost)


def objections(gates: Gates) -> tuple[str, ...]:
    """Return every reason against new risk in words, also on a link that is ready."""
    against = []
    if gates.servers_lost:
        against.append("the gateway has no servers")
    against += [
        f"farm {news.farm} ({news.service}) does not work"
        for news in gates.broken
        if news.service in NEEDED
    ]
    if len(gates.refused_ns) > 1:
        against.append("the gateway refuses our pace")
    if gates.night:
        against.append("the nightly restart is due")
    return tuple(against)
