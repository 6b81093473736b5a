"""Bars, ticks, schedules, news and corporate events of the past, and bars that go on."""

import datetime as dt
import json

from ib_async import Stock

from tests.practice.fake_market import AAPL, SPY


def spy():
    return Stock("SPY", "SMART", "USD", conId=SPY)


async def bars_of(ib, **changes):
    asked = {
        "endDateTime": "",
        "durationStr": "1800 S",
        "barSizeSetting": "1 min",
        "whatToShow": "TRADES",
        "useRTH": True,
    }
    return await ib.reqHistoricalDataAsync(spy(), **(asked | changes))


async def test_minute_bars_are_timed_in_new_york(ib):
    bars = await bars_of(ib)

    assert len(bars) >= 29
    assert bars[1].date - bars[0].date == dt.timedelta(minutes=1)
    assert str(bars[0].date.tzinfo) == "US/Eastern"
    assert bars[0].date.hour == 9


async def test_epoch_dates_name_the_same_instants(ib):
    end = dt.datetime(2026, 3, 2, 14, 45, tzinfo=dt.UTC)  # what ends now moves on with the minute
    text = await bars_of(ib, endDateTime=end)
    epoch = await bars_of(ib, endDateTime=end, formatDate=2)

    assert epoch[0].date.timestamp() == text[0].date.timestamp()


async def test_daily_bars_have_dates(ib):
    bars = await bars_of(ib, durationStr="5 D", barSizeSetting="1 day")

    assert type(bars[0].date) is dt.date


async def test_midpoint_bars_have_no_volume(ib):
    bars = await bars_of(ib, whatToShow="MIDPOINT")

    assert {bar.volume for bar in bars} == {-1}


async def test_an_end_in_the_past_is_respected(ib):
    end = dt.datetime(2026, 3, 2, 14, 45, tzinfo=dt.UTC)

    bars = await bars_of(ib, endDateTime=end, durationStr="600 S")

    assert bars[-1].date < end <= bars[-1].date + dt.timedelta(minutes=1)


async def test_kept_bars_go_on(start, connect, until):
    server = await start(speed=60.0)
    client = await connect(server)
    bars = await client.reqHistoricalDataAsync(
        spy(), "", "1800 S", "1 min", "TRADES", useRTH=True, keepUpToDate=True
    )
    known = len(bars)

    await until(lambda: len(bars) > known + 1)

    assert bars[-1].date > bars[-2].date
    client.cancelHistoricalData(bars)


async def test_keeping_up_needs_an_open_end(ib):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    bars = await bars_of(ib, keepUpToDate=True, endDateTime=dt.datetime.now(dt.UTC))

    assert (codes, list(bars)) == ([10178], [])


async def test_real_time_bars_come_every_five_seconds(start, connect, until):
    server = await start(speed=60.0)
    client = await connect(server)

    bars = client.reqRealTimeBars(spy(), 5, "TRADES", useRTH=True)
    await until(lambda: len(bars) >= 3)

    assert bars[1].time - bars[0].time == dt.timedelta(seconds=5)
    client.cancelRealTimeBars(bars)


async def test_the_same_small_bars_again_are_a_pacing_violation(ib):
    errors = []
    ib.errorEvent += lambda *args: errors.append((args[1], args[2]))

    first = await bars_of(ib, durationStr="60 S", barSizeSetting="5 secs")
    again = await bars_of(ib, durationStr="60 S", barSizeSetting="5 secs")

    assert len(first) >= 11
    assert list(again) == []
    assert errors[0][0] == 162
    assert "pacing violation" in errors[0][1]


async def test_cancelling_unknown_history_is_366(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    ib.client.cancelHistoricalData(99)
    await until(lambda: codes)

    assert codes == [366]


async def test_the_head_time_stamp_answers(ib):
    head = await ib.reqHeadTimeStampAsync(spy(), "TRADES", useRTH=True, formatDate=2)

    assert head == dt.datetime(1993, 1, 29, 14, 30, tzinfo=dt.UTC)


async def test_past_ticks_come_in_all_kinds(ib):
    end = "20260302 09:45:00 US/Eastern"

    trades = await ib.reqHistoricalTicksAsync(spy(), "", end, 10, "TRADES", useRth=True)
    quotes = await ib.reqHistoricalTicksAsync(spy(), "", end, 10, "BID_ASK", useRth=True)
    mids = await ib.reqHistoricalTicksAsync(spy(), "", end, 10, "MIDPOINT", useRth=True)

    assert len(trades) == len(quotes) == len(mids) == 10
    assert quotes[0].priceBid < quotes[0].priceAsk
    assert trades[-1].time == dt.datetime(2026, 3, 2, 14, 45, tzinfo=dt.UTC)


async def test_histogram_and_schedule_answer(ib):
    histogram = await ib.reqHistogramDataAsync(spy(), useRTH=True, period="3 days")
    schedule = await ib.reqHistoricalScheduleAsync(spy(), 3)

    assert [(bin_.price, bin_.count) for bin_ in histogram] == [(499.0, 10), (500.0, 30)]
    assert schedule.timeZone == "US/Eastern"
    assert schedule.sessions


async def test_news_can_be_listed_and_read(ib):
    (provider,) = await ib.reqNewsProvidersAsync()
    found = await ib.reqHistoricalNewsAsync(SPY, provider.code, "", "", 10)
    headlines = found if isinstance(found, list) else [found]
    article = await ib.reqNewsArticleAsync(provider.code, headlines[0].articleId)

    assert headlines[0].headline == "Nothing happened"
    assert article.articleText == "Nothing happened at length."


async def test_corporate_events_need_their_meta_data_first(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])
    ib.client.reqWshEventData(901, _wsh())
    await until(lambda: codes)

    meta = await ib.getWshMetaDataAsync()
    events = json.loads(await ib.getWshEventDataAsync(_wsh()))

    assert codes == [10282]
    assert "event_types" in meta
    assert events[0]["data"]["earnings_date"] == "20260423"


def _wsh():
    from ib_async import WshEventData  # noqa: PLC0415 - only these two need it

    return WshEventData(conId=AAPL)


async def test_the_calendar_report_lists_earnings(ib):
    report = await ib.reqFundamentalDataAsync(
        Stock("AAPL", "SMART", "USD", conId=AAPL), "CalendarReport"
    )

    assert 'date="2026-04-23"' in report
