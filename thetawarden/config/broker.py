"""What a person may set about the link to the broker, and the rules that follow from it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.link.admission import Terms
from thetawarden.domain.link.backoff import Backoff
from thetawarden.domain.link.night import NightWindow
from thetawarden.domain.link.rules import LinkRules

QUIET_BEFORE_NIGHT_S = 60.0
PATIENCE_AFTER_NIGHT_S = 600.0
REFUSED_AGAIN_S = 60.0
GHOST_S = 90.0
PACE_S = 30.0
COMPETING_AGAIN_S = 60.0
PAGE_AGAIN_S = 900.0
PROBES_IN_VAIN = 3
BOOK_PARTS = 5
BOOKS_IN_VAIN_MAX = 3


class BrokerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The IB Gateway or TWS of paper and live mode. Practice mode brings its own."""

    host: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=253,
            pattern=r"^[A-Za-z0-9._:-]+$",
            title="a host name or address",
            description="Where the gateway listens.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(ge=1, le=65535, description="4002 paper gateway, 7497 paper TWS, 4001 and 7496 live."),
    ] = 4002
    client_id: Annotated[
        int, Meta(ge=1, le=999, description="Our number at the gateway; one desk, one number.")
    ] = 17
    account: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z]{1,3}[0-9]{4,10})?$",
            title='an account number in quotes such as "DU1234567"',
            description="The only account the desk will trade. Required for live; empty for none.",
        ),
    ] = ""
    i_mean_live: Annotated[
        bool, Meta(description="Must be true before mode live is accepted: real money.")
    ] = False
    connect_timeout_s: Annotated[
        float, Meta(ge=1, le=120, description="An attempt to connect takes no longer.")
    ] = 15.0
    backoff_min_s: Annotated[
        float, Meta(ge=0.1, le=60, description="Wait before the second attempt; doubles each time.")
    ] = 0.5
    backoff_max_s: Annotated[
        float, Meta(ge=1, le=3600, description="The longest wait between attempts.")
    ] = 30.0
    probe_every_s: Annotated[
        float, Meta(ge=1.5, le=60, description="How often a sign of life is asked for.")
    ] = 5.0
    probe_timeout_s: Annotated[
        float, Meta(ge=0.5, le=30, description="A peer that does not answer a probe is given up.")
    ] = 4.0
    book_timeout_s: Annotated[
        float,
        Meta(ge=1, le=300, description="For each part of the book, such as positions."),
    ] = 20.0
    preview_timeout_s: Annotated[
        float,
        Meta(ge=1, le=60, description="For what an order would do to margin; late is no answer."),
    ] = 8.0
    agree_apart_s: Annotated[
        float,
        Meta(ge=0.1, le=300, description="Between the two fetches that must agree after a link."),
    ] = 10.0
    book_refresh_s: Annotated[
        float, Meta(ge=5, le=3600, description="How often the whole book is compared meanwhile.")
    ] = 300.0
    messages_per_s_max: Annotated[
        int, Meta(ge=10, le=45, description="Our own pace; the broker's wall is 50.")
    ] = 40
    messages_reserved: Annotated[
        int, Meta(ge=1, le=40, description="Of these, how many only orders and cancels may use.")
    ] = 10
    night_begins: Annotated[
        dt.time, Meta(description="When the broker's nightly restart begins, in New York.")
    ] = dt.time(23, 45)
    night_ends: Annotated[
        dt.time, Meta(description="When it is over; a link is expected again soon after.")
    ] = dt.time(0, 45)
    outage_s: Annotated[
        float, Meta(ge=10, le=3600, description="Without a link for so long, a person is told.")
    ] = 120.0


def on_practice_market(broker: BrokerConfig) -> BrokerConfig:
    """Return what holds on the practice market: the account that is pinned for others is not."""
    return msgspec.structs.replace(broker, account="", i_mean_live=False)


def link_rules(broker: BrokerConfig, *, real_money: bool, speed: float) -> LinkRules:
    """Return the connection's rules, with durations of the machine told in market time.

    What belongs to the clock of New York is in market time already.
    """

    def machine(seconds: float) -> int:
        return round(seconds * speed * NS_PER_SECOND)

    return LinkRules(
        terms=Terms(real_money=real_money, account=broker.account, i_mean_live=broker.i_mean_live),
        backoff=Backoff(
            min_ns=machine(broker.backoff_min_s),
            max_ns=machine(broker.backoff_max_s),
            jitter_fraction=0.2,
        ),
        night=NightWindow(
            begins=broker.night_begins,
            ends=broker.night_ends,
            quiet_before_ns=round(QUIET_BEFORE_NIGHT_S * NS_PER_SECOND),
            patience_after_ns=round(PATIENCE_AFTER_NIGHT_S * NS_PER_SECOND),
        ),
        retry_slowly_ns=machine(REFUSED_AGAIN_S),
        opening_ns=machine(2 * broker.connect_timeout_s),
        probe_ns=machine(broker.probe_every_s),
        probe_overdue_ns=machine(PROBES_IN_VAIN * (broker.probe_every_s + broker.probe_timeout_s)),
        book_ns=machine(BOOK_PARTS * broker.book_timeout_s),
        apart_ns=machine(broker.agree_apart_s),
        refresh_ns=machine(broker.book_refresh_s),
        outage_ns=machine(broker.outage_s),
        look_again_ns=machine(COMPETING_AGAIN_S),
        pace_ns=machine(PACE_S),
        own_ghost_ns=machine(GHOST_S),
        page_again_ns=machine(PAGE_AGAIN_S),
        books_in_vain_max=BOOKS_IN_VAIN_MAX,
    )
