"""The page about the link to the broker: its states, drawn from the table the code walks by."""

from __future__ import annotations

from thetawarden.domain.link.admission import TESTED_VERSIONS
from thetawarden.domain.link.machine import diagram
from thetawarden.domain.link.states import LinkState, LinkTrouble

STATES = {
    LinkState.DOWN: "no link; the next attempt is due after a wait that doubles",
    LinkState.CONNECTING: "an attempt is under way",
    LinkState.SYNCING: "the broker took us in; whether its book is ours is not known yet",
    LinkState.READY: "its book is ours; new risk may rest on the link, unless a gate is closed",
    LinkState.CUT_OFF: "1100: the gateway has lost its servers; fills may still come",
    LinkState.COMPETING: "10197: another login took the market data",
    LinkState.REFUSED: "wrong account, untested version or taken client id: a person is told",
}
TROUBLES = {
    LinkTrouble.UNREACHABLE: "no TCP connection: refused, no such name, no route",
    LinkTrouble.CLOSED_BY_PEER: "the peer closed or reset it",
    LinkTrouble.CLOSED_BY_US: "given up by command",
    LinkTrouble.SILENT: "a probe, or the greeting, was not answered in time",
    LinkTrouble.TOO_SLOW: "a frame was not whole within its deadline",
    LinkTrouble.GARBLED: "bytes that are no frames, or a second unreadable message in a minute",
    LinkTrouble.CLIENT_ID_TAKEN: "326",
    LinkTrouble.WRONG_VERSION: "a server version no test has seen",
    LinkTrouble.WRONG_ACCOUNT: "not the account that was meant",
}
TRAPS: tuple[tuple[str, str, str, str], ...] = (
    (
        "1",
        "a request answered by 321, or only by a warning, waits for ever",
        "321 ends it at once; every wait has a timeout of ours",
        "test_7_1_1_a_request_that_fails_validation_ends_at_once",
    ),
    (
        "2",
        "a refused what-if is an empty list; one without figures never ends or is 1.797e308",
        "errors are errors; whatever is no figure is a margin unknown",
        "test_7_1_2_a_what_if_without_numbers_is_a_margin_unknown",
    ),
    (
        "3",
        "a late warning makes a filled order active again",
        "no code touches an order",
        "test_7_1_3_a_late_warning_does_not_bring_a_filled_order_back",
    ),
    (
        "4",
        "an error code makes a live order Cancelled",
        "only orderStatus, openOrder and the lists are believed",
        "test_7_1_4_no_error_code_cancels_a_working_order",
    ),
    (
        "5",
        "a second stream of a contract uses a line for ever; late ticks of an old one count",
        "the second is refused; a line given back is forgotten",
        "test_7_1_5_a_second_stream_of_one_contract_is_refused",
    ),
    (
        "6",
        "two questions of a kind without a number: the first never ends",
        "the second is refused, also while a late answer may come",
        "test_7_1_6_two_questions_of_a_kind_without_a_number_are_never_open_together",
    ),
    (
        "7",
        "Greeks not computed come as -2",
        "unknown",
        "test_7_1_7_greeks_that_were_not_computed_are_unknown",
    ),
    (
        "8",
        "each 1102 asks for one more account summary",
        "not asked for at all",
        "test_7_1_8_a_restored_link_asks_for_no_further_summary",
    ),
    (
        "9",
        "values never told pass as 1.797e308",
        "unknown; a holding of unknown size is an error",
        "test_7_1_9_what_was_not_said_is_unknown_and_never_a_number",
    ),
    (
        "10",
        "called from another thread, messages stay in the library's queue",
        "one loop thread; a pace of ours below the library's own",
        "test_7_1_10_a_hundred_questions_from_other_threads_all_arrive",
    ),
    (
        "11",
        "a collected client disconnects from whatever thread",
        "collection does nothing; links are dropped by command",
        "test_7_1_11_collecting_a_client_on_any_thread_touches_no_link",
    ),
    (
        "12",
        "a peer that closes while connecting is noticed when the timeout ends",
        "at once, with its reason (326 from the error, not the exception)",
        "test_7_1_12_a_peer_that_closes_before_the_session_is_known_at_once",
    ),
    (
        "13",
        "unknown kinds of messages and ticks raise",
        "counted apart; no reason to doubt anything",
        "test_7_1_13_what_the_library_has_no_place_for_ends_nothing",
    ),
    (
        "14",
        "a mute peer is connected",
        "probes; a frame deadline; our own idle time",
        "test_7_1_14_a_mute_peer_is_connected_for_the_library_and_not_for_us",
    ),
    (
        "15",
        "an order not acknowledged has no lasting number",
        "it is pending, and known by its reference",
        "test_7_1_15_an_order_nobody_acknowledged_is_pending_and_nameless",
    ),
    (
        "16",
        "after a reconnect what was filled is 0 until told",
        "the listing is read when it is complete",
        "test_7_1_16_after_a_reconnect_what_is_filled_comes_from_the_listing",
    ),
    (
        "17",
        "errors of streams are raised nowhere",
        "heard by their number",
        "test_7_1_17_a_refused_stream_is_heard_by_its_number",
    ),
    (
        "frames",
        "a length of 4 GiB is waited for",
        "a bound, a first digit, a deadline, before the library sees it",
        "test_a_length_that_cannot_be_is_dropped_before_the_library_waits_for_it",
    ),
    (
        "decoder",
        "what cannot be decoded is only logged",
        "the book is compared; a second one in a minute ends the link",
        "test_a_message_that_cannot_be_read_is_told_and_not_only_logged",
    ),
    (
        "throttle",
        "the 46th message of a second waits in the library, and a loss empties the queue",
        "its throttle never starts",
        "test_7_1_10_the_library_throttles_when_nobody_paces_it",
    ),
    (
        "reset",
        "a loss forgets orders, fills and positions",
        "nothing of ours is kept there",
        "test_a_loss_forgets_everything_in_the_library_and_nothing_was_kept_there",
    ),
    (
        "missed fills",
        "fills that come with a listing fire no event",
        "they are in the fetched book",
        "test_fills_that_were_missed_come_with_the_listing_though_no_event_tells_of_them",
    ),
    (
        "corrections",
        "a correction counts as one more fill",
        "the same fill, replaced: the id up to its last dot",
        "test_a_correction_replaces_the_fill_whatever_came_first",
    ),
    (
        "strays",
        "an orderStatus nobody expects is a log line; such a completedOrder raises",
        "news: the book is fetched anew",
        "test_an_order_nobody_here_knows_is_news",
    ),
    (
        "start-up",
        "start-up requests that time out are logged",
        "none are made: the book is fetched by us, and what is missing is named",
        "test_a_book_that_never_comes_whole_ends_the_link_and_wakes_a_person",
    ),
    (
        "idle timer",
        "measured by the wall clock, fires once",
        "our own, monotonic",
        "test_idleness_is_measured_by_the_monotonic_clock_alone",
    ),
    (
        "probes",
        "the time asked for more than once a second hangs",
        "all who want to know share one question a second",
        "test_the_time_is_asked_for_at_most_once_a_second_however_many_want_to_know",
    ),
)
INTRODUCTION = """# The link to the broker

Made from the code by `make docs`. One actor, `connection`, decides by the table below; one
adapter, `infra/ib`, carries out. Everything of ib_async lives on one thread with one event
loop; what leaves the package are messages. An *epoch* counts the links of a desk: whoever rests
on the link learns of another one by `LinkChanged`, and whatever carries an older epoch is
dropped.
"""
READY = """## When it is ready

After every connect, and whenever something may have been missed, the whole book is fetched:
open orders of all clients, completed orders, executions, positions, account values, each with
its timeout. A fetch that lacks a part proves nothing. `ready` takes two whole fetches that are
equal, at least `broker.agree_apart_s` of the machine apart, and the keeper's word that nothing
in it is unexplained.

New risk may rest on a ready link unless a gate is closed: a data farm we need does not work,
the gateway has no servers (2110), it refused our pace twice within half a minute, or the
nightly restart is due. Cancels and orders that reduce risk never wait for a gate.
"""
PACE = """## Pace

In any second at most `broker.messages_per_s_max` messages leave, and all but
`broker.messages_reserved` of them may be data, so that cancels and orders find room at once;
then comes the book, then lines, then history. A refusal for pace (100, 420, or 162 with
"pacing") halves the share of data, which comes back step by step. This is counted in machine
time, however fast a practice market runs.
"""


def render() -> str:
    """Return the whole page."""
    versions = ", ".join(str(one) for one in TESTED_VERSIONS)
    states = "\n".join(f"| `{state}` | {words} |" for state, words in STATES.items())
    troubles = "\n".join(f"| `{trouble}` | {words} |" for trouble, words in TROUBLES.items())
    traps = "\n".join(
        f"| {number} | {trap} | {guard} | `{test}` |" for number, trap, guard, test in TRAPS
    )
    return f"""{INTRODUCTION}
## States

| state | what it means |
| --- | --- |
{states}

```mermaid
{diagram()}
```

A pair that is not drawn changes nothing. Server versions {versions} are traded through, no others.
Practice and paper take accounts that begin with DU or DF only; real money takes `broker.account`
only.

## How a link ends

| trouble | what happened |
| --- | --- |
{troubles}

{READY}
{PACE}
## Traps of ib_async 2.1, and how each is closed

The numbers are ours; each test springs the trap over a real socket.

| trap | what the library does | what we do | test |
| --- | --- | --- | --- |
{traps}
"""
