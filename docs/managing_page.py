"""Writes docs/managing.md: the rules of the steward in their order, as the code asks them."""

from __future__ import annotations

from thetawarden.domain.managing.engine import RULES

_HEAD = """# What is done about what is held

The *steward* looks after every trade from its first fill until nothing of it is left. It stands at
the end of the trading group, so it goes on when the advisory group has given up. It decides and
proposes; the governor judges every order, the executor sends it. Made from the rules themselves by
`make docs`; `make check` refuses a page that is out of date.

## The rules, the most urgent first

Every rule is asked in this order about every trade, each minute of market time and whenever its
chain is seen anew; the first that finds something decides, and the rest waits. One order at a time
is under way for a trade. All numbers are in the section `managing` of the configuration.

| | rule | when | then |
| --- | --- | --- | --- |
"""
_TAIL = """
Beside whatever is decided a person is told, each once in half an hour: of a loss of 150 % of the
premium, half of the way to its stop, a delta over 0.50, an underlying that has moved more than 1.5
implied moves of a day, and quotes that have been unusable for ten minutes. What is next to
worthless by the model and merely has no bid is not told.

## What a trade is

Whatever an approved proposal opens under one `trade` name, held by the fills of its orders. A fill
that is corrected takes the place of what was told before; a cost that comes later is added. Money
is exact. What happens without an order of ours goes to the trades that hold the contract: what a
person trades by hand first to positions by hand, then to the oldest trade; expiries and
settlements likewise; delivered shares to the trade whose option brought them; splits and dividends
by what each holds. Positions that no trade of ours claims are `manual` trades: shown, never closed.

A wheel cycle is one trade, from the put to the shares called away, and its parts (puts, shares,
calls, dividends, costs) add up to its result to the last digit.

## Orders

An exit starts at the middle and walks no further than a bounded price: the market's own side and a
tenth more, a little bolder after each attempt that ended unfilled, never more than the legs can be
worth at their end, nor more than the governor's collar lets through (R12). A leg without a usable
quote gives no order: the trade waits and is told. What is offered for a dime or less and bid for by
nobody is worth nothing: it hides no danger, and is left to its end when the rest is closed.

* **Close** buys back the options of a unit; shares are sold once no option is left on them.
* **Roll** buys back the worst short option and sells the one nearest to the delta the trade was
  opened at, no nearer to the market, on the first expiry up to 45 days out where the whole brings
  at least 0.10 a share; the long leg that bounds it moves along, by the same width or less. One
  combination does it all. A third roll, one that brings less, or one while trading is halted is a
  close. A roll that is proved to reduce risk is no entry: it goes where nothing new may be sold.
* **Rebalance** looks for the fewest leg trades (a short bought back, moved out, or bounded) that
  bring the delta of a unit back into its band without a larger worst loss in any of the governor's
  scenarios; the cheapest of those wins. A short moved out counts as a roll and takes place only
  while one is left. Without a rearrangement the trade is closed.
* **Cover** sells calls on delivered shares: 14 to 30 days, never below what the shares were put to
  us at. A put of the wheel's strategies is left to be assigned on its last day if the shares cost
  no more than a tenth of NLV.
* **Hedge** buys index puts or put spreads while a scenario is beyond its limit: what brings all
  back inside and removes most of the worst loss for a dollar, within 15 % of the premium of the
  trailing quarter less what hedges have cost in it. Where that does not pay for enough, it is what
  removes most, and nothing that removes less than a tenth of what is too much. It is sold once
  every scenario would stay within three quarters of its limit without it.

What one trade holds no other takes the other side of: an account that is long in one and short in
another holds nothing, and neither could be closed. Such contracts are left out, and the governor
refuses what would still undo a position or an order.

A hedge that the governor does not let go, as where nothing may add risk, stays: it is asked for
again in half an hour, and told once a day, without alarm.

Demands of the governor come first: all that is naked at once; of what is only to be made smaller
one trade at a time, in the demand's own order where it names positions, else the weakest first. Of
a trade whose part is enough to bring the dearest scenario back only so many units go (**reduce**).

Exits that stand at the broker are moved, not doubled, when the market's state asks for another
profit target (`ReviseExits`); a rolled or rearranged trade gets exits of its own.

## What is written down

`PositionDecided` in the message log, with reasons and numbers; every trade's opening, change and
end in the table `trades`; the world around it every quarter of an hour and at its exit in
`exit_snapshots`; what moved its result (delta, gamma, theta, vega, trading, rest) in whole cents
that sum exactly, by the day as `ProfitAttributed`; what came of its predictions in
`prediction_outcomes`.

## Left alone

`python -m soak twenty` leaves a desk alone for twenty days each of a normal market, a selloff and a
spike of volatility, in virtual time, and reads the message log for what must hold: no order without
its intent, none twice, no exit missing that is not put back, the book equal to the exchange's to
the cent every evening; and it counts how often each kind of thing happened. Nothing is
forced. `python -m soak wheel` has a put assigned and a call sold on its shares over real sockets.

Out of the regular session nothing is decided: quotes of other hours decide nothing here.
"""


def render() -> str:
    """The whole page."""
    rows = (
        f"| {number} | {spec.rule.value.replace('_', ' ')} | {spec.when} | {spec.then} |\n"
        for number, spec in enumerate(RULES, 1)
    )
    return "".join((_HEAD, *rows, _TAIL))
