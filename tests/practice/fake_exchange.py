"""A small exchange: market orders and crossing limits fill at once, the rest waits to be cancelled.

It tells its events in exactly the order the genuine gateway was recorded to tell them.
"""

from decimal import Decimal

import msgspec

from tests.practice.fake_market import FakeMarket
from thetawarden.practice import model
from thetawarden.practice.model import OrderStatus

ACCOUNT = "DU1234567"
COMMISSION = Decimal("1.05")
DEAD = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.INACTIVE,
        OrderStatus.API_CANCELLED,
    }
)


class FakeExchange:
    def __init__(self, market=None, accounts=(ACCOUNT,)):
        self.market = market or FakeMarket()
        self.orders = {}
        self.held = []
        self.fills = []
        self.book = {}
        self.margin_scale = 1.0
        self.faults = model.OrderFaults()
        self.split_done = None
        self._accounts = accounts
        self._listeners = []
        self._perm_id = 900_000_000

    @property
    def now_ns(self):
        return self.market.now_ns

    def advance(self, to_ns):
        self.market.advance(to_ns)

    def listen(self, listener):
        self._listeners.append(listener)

    def save(self):
        state = (list(self.orders.values()), self.fills, self._perm_id, list(self.book.values()))
        return msgspec.msgpack.encode(state)

    def restore(self, state):
        layout = tuple[
            list[model.OrderView],
            list[tuple[model.Execution, model.CommissionReport | None]],
            int,
            list[model.Position],
        ]
        views, self.fills, self._perm_id, book = msgspec.msgpack.decode(state, type=layout)
        self.orders = {view.request.key: view for view in views}
        self.book = {(one.account, one.contract.con_id): one for one in book}

    def place(self, request):
        known = self.orders.get(request.key)
        if known is not None and known.status in DEAD:
            self._notice(request.key, 104, "Cannot modify a filled order.")
            return
        contract = self._contract(request)
        if contract is None:
            self._notice(request.key, 200, "No security definition has been found for the request")
            return
        if request.quantity == 0:
            self._notice(request.key, 434, "The order size cannot be zero.")
            return
        self._perm_id += known is None
        request = msgspec.structs.replace(request, account=request.account or ACCOUNT)
        view = model.OrderView(
            perm_id=self._perm_id if known is None else known.perm_id,
            request=request,
            contract=contract,
            status=OrderStatus.PRE_SUBMITTED,
            remaining=request.quantity,
            placed_at_ns=self.now_ns,
        )
        if not request.transmit:
            self.held.append(view)
            return
        group = [*self.held, view] if request.parent_id else [view]
        self.held = [] if request.parent_id else self.held
        self._accept(group)

    def _accept(self, group):
        parent = group[0]
        self._set(parent)
        self._set(msgspec.structs.replace(parent, status=OrderStatus.SUBMITTED))
        for child in group[1:]:
            self._set(self._as_child(child, parent))
        self._match(parent.request.key)

    def _as_child(self, view, parent):
        stop = view.request.order_type.startswith("STP")
        request = msgspec.structs.replace(view.request, oca_group=str(parent.perm_id), oca_type=3)
        return msgspec.structs.replace(
            view, request=request, why_held="child,trigger" if stop else "child"
        )

    def _contract(self, request):
        query = request.contract
        if query.sec_type == "BAG":
            if not query.legs or any(self.market.details(leg.con_id) is None for leg in query.legs):
                return None
            return model.Contract(
                con_id=model.USD_COMBO_CON_ID,
                symbol=query.symbol,
                sec_type=model.SecType.COMBO,
                local_symbol=query.symbol,
                trading_class="COMB",
                legs=query.legs,
            )
        found = self.market.find(query)
        return found[0].contract if len(found) == 1 else None

    def _match(self, key):
        view = self.orders[key]
        request = view.request
        if view.contract.legs:
            price = request.limit_price
        else:
            quote = self.market.quote(view.contract.con_id)
            buying = request.action is model.Action.BUY
            price = quote.ask if buying else quote.bid
            limit = request.limit_price if request.order_type == "LMT" else None
            waits = limit is not None and (limit < price if buying else limit > price)
            if request.order_type not in ("LMT", "MKT") or waits:
                return
        self.fill(perm_id=view.perm_id, quantity=view.remaining, price=price)

    def fill(self, *, perm_id, quantity, price):
        view = self._by_perm(perm_id)
        if view is None:
            return False
        done = view.filled + quantity
        view = msgspec.structs.replace(
            view,
            filled=done,
            remaining=view.request.quantity - done,
            average_price=price,
            last_fill_price=price,
            status=OrderStatus.FILLED if done == view.request.quantity else view.status,
        )
        executed = self._execute(view, view.contract, quantity, price, suffix="01")
        self._set(view)
        parts = [executed]
        for number, leg in enumerate(view.contract.legs, start=2):
            contract = self.market.details(leg.con_id).contract
            parts.append(
                self._execute(
                    view,
                    msgspec.structs.replace(contract, trading_class=""),
                    quantity * leg.ratio,
                    self.market.quote(leg.con_id).mark,
                    suffix=f"01.0{number}",
                    side=model.Action(leg.action),
                )
            )
            self._set(view)
        view = msgspec.structs.replace(
            view,
            commission_usd=COMMISSION * quantity,
            completed_at_ns=self.now_ns if view.status is OrderStatus.FILLED else None,
            completed_status=f"Filled Size: {done}",
        )
        self._set(view)
        self._commission(view, parts[1:] if view.contract.legs else parts, quantity)
        return True

    def _execute(self, view, contract, quantity, price, *, suffix, side=None):
        execution = model.Execution(
            exec_id=f"0000e0d5.{len(self.fills):08x}.01.{suffix}",
            key=view.request.key,
            perm_id=view.perm_id,
            account=view.request.account,
            contract=contract,
            exchange="SMART",
            at_ns=self.now_ns,
            side=side or view.request.action,
            quantity=quantity,
            price=price,
            cumulative_quantity=view.filled,
            average_price=view.average_price,
            order_ref=view.request.order_ref,
        )
        self.fills.append((execution, None))
        self._tell(model.Executed(execution=execution))
        if not contract.legs:
            self._move(execution)
        return execution

    def _move(self, execution):
        sign = 1 if execution.side is model.Action.BUY else -1
        key = (execution.account, execution.contract.con_id)
        before = self.book[key].quantity if key in self.book else 0
        cost = Decimal(str(execution.price)) * execution.contract.multiplier
        self.book[key] = model.Position(
            account=execution.account,
            contract=execution.contract,
            quantity=before + sign * execution.quantity,
            average_cost_usd=cost,
        )

    def _commission(self, view, executions, quantity):
        for execution in executions:
            report = model.CommissionReport(
                exec_id=execution.exec_id, commission_usd=COMMISSION * quantity
            )
            at = next(i for i, (one, _) in enumerate(self.fills) if one is execution)
            self.fills[at] = (execution, report)
            self._tell(model.Commissioned(key=view.request.key, report=report))
        for execution in executions:
            position = self.book[execution.account, execution.contract.con_id]
            self._tell(model.PositionChanged(position=position))
        self._tell(model.AccountChanged(account=view.request.account))

    def cancel(self, key):
        view = self.orders.get(key)
        if view is None:
            text = f"OrderId {key.order_id} that needs to be cancelled is not found."
            self._notice(key, 10147, text)
        elif view.status in DEAD:
            text = (
                f"OrderId {key.order_id} that needs to be cancelled cannot be cancelled, "
                f"state: {view.status.value}."
            )
            self._notice(key, 10148, text)
        else:
            self._set(msgspec.structs.replace(view, status=OrderStatus.PENDING_CANCEL))
            self._end(view, "")
            for child in list(self.orders.values()):
                if child.request.parent_id == key.order_id and child.status not in DEAD:
                    self._end(child, "")

    def _end(self, view, reason):
        self._set(
            msgspec.structs.replace(
                view,
                status=OrderStatus.CANCELLED,
                completed_at_ns=self.now_ns,
                completed_status="Cancelled by Trader",
            )
        )
        self._notice(view.request.key, 202, f"Order Canceled - reason:{reason}")

    def cancel_all(self):
        for view in self.open_orders():
            self.cancel(view.request.key)

    def exercise(self, request):
        self._notice(request.key, 10086, "Exercise requests can only be cancelled.")

    def what_if(self, request):
        contract = self._contract(request)
        if contract is None:
            return model.WhatIf(
                view=None, refusal=model.Notice(code=200, text="No security definition")
            )
        self._perm_id += 1
        view = model.OrderView(
            perm_id=self._perm_id,
            request=request,
            contract=contract,
            status=OrderStatus.PRE_SUBMITTED,
        )
        refusal = None
        if request.quantity > 1000:
            refusal = model.Notice(code=201, text="Order rejected - reason:margin")
        return model.WhatIf(
            view=view,
            initial_before_usd=Decimal(1000),
            maintenance_before_usd=Decimal(900),
            equity_before_usd=Decimal(100_000),
            initial_change_usd=Decimal("7440.699999999999"),
            maintenance_change_usd=Decimal(7000),
            equity_change_usd=Decimal("-1.05"),
            initial_after_usd=Decimal("8440.699999999999"),
            maintenance_after_usd=Decimal(7900),
            equity_after_usd=Decimal("99998.95"),
            commission_usd=COMMISSION,
            refusal=refusal,
        )

    def open_orders(self):
        return tuple(view for view in self.orders.values() if view.status not in DEAD)

    def completed_orders(self):
        return tuple(view for view in self.orders.values() if view.status in DEAD)

    def executions(self, wanted):
        return tuple(
            (execution, report)
            for execution, report in self.fills
            if wanted.client_id in (0, execution.key.client_id)
            and wanted.symbol in ("", execution.contract.symbol)
        )

    def knows_order(self, key):
        return key in self.orders

    def accounts(self):
        return self._accounts

    def positions(self):
        return tuple(self.book.values())

    def account_rows(self, account):
        rows = (
            ("AvailableFunds", "99000.00", "USD"),
            ("CashBalance", "100000.00", "BASE"),
            ("CashBalance", "100000.00", "USD"),
            ("NetLiquidation", "100000.00", "USD"),
        )
        return tuple(
            model.AccountRow(account=account, key=key, value=value, currency=currency)
            for key, value, currency in rows
        )

    def portfolio(self, account):
        return tuple(
            model.PortfolioRow(
                position=position,
                market_price=500.0,
                market_value_usd=Decimal(500 * position.quantity),
                unrealized_pnl_usd=Decimal(7),
                realized_pnl_usd=Decimal(0),
            )
            for position in self.book.values()
            if position.account == account
        )

    def pnl(self, account):
        return model.Pnl(
            daily_usd=Decimal("12.5"), unrealized_usd=Decimal(7), realized_usd=Decimal(0)
        )

    def position_pnl(self, *, account, con_id):
        position = self.book.get((account, con_id))
        if position is None:
            return None
        return model.Pnl(
            daily_usd=Decimal("1.5"),
            unrealized_usd=Decimal(7),
            realized_usd=None,
            quantity=position.quantity,
            value_usd=Decimal(500),
        )

    # --- levers ---

    def reject(self, *, perm_id, text):
        view = self._by_perm(perm_id)
        if view is None:
            return False
        self._set(msgspec.structs.replace(view, status=OrderStatus.INACTIVE))
        self._notice(view.request.key, 201, f"Order rejected - reason:{text}")
        return True

    def break_order(self, *, perm_id, text):
        view = self._by_perm(perm_id)
        if view is None:
            return False
        self._end(view, text)
        return True

    def fill_leg(self, *, perm_id, con_id, quantity, price):
        view = self._by_perm(perm_id)
        if view is None:
            return False
        contract = self.market.details(con_id).contract
        self._execute(view, contract, quantity, price, suffix="01.02")
        return True

    def correct(self, *, exec_id, price):
        for execution, _ in list(self.fills):
            if execution.exec_id == exec_id:
                head, _, last = exec_id.rpartition(".")
                fixed = msgspec.structs.replace(
                    execution, exec_id=f"{head}.{int(last) + 1:02d}", price=price
                )
                self.fills.append((fixed, None))
                self._tell(model.Executed(execution=fixed))
                return True
        return False

    def assign(self, *, account, con_id, contracts):
        return self.liquidate(account=account, con_id=con_id, quantity=contracts)

    def liquidate(self, *, account, con_id, quantity):
        position = self.book.get((account, con_id))
        if position is None:
            return False
        closed = msgspec.structs.replace(position, quantity=0)
        self.book[account, con_id] = closed
        self._tell(model.PositionChanged(position=closed))
        return True

    def scale_margin(self, *, factor):
        self.margin_scale = factor
        self._tell(model.AccountChanged(account=self._accounts[0]))

    def split(self, *, con_id, new_shares, old_shares):
        self.split_done = (con_id, new_shares, old_shares)
        return True

    def manual_order(self, *, account, contract, action, quantity):
        self.place(
            model.OrderRequest(
                key=model.OrderKey(client_id=0, order_id=0),
                contract=model.ContractQuery(con_id=contract.con_id),
                action=action,
                quantity=quantity,
                order_type="MKT",
                account=account,
            )
        )

    def hold(self, *, seconds):
        self.held_s = seconds

    # --- inside ---

    def _by_perm(self, perm_id):
        views = [view for view in self.orders.values() if view.perm_id == perm_id]
        return views[0] if views and views[0].status not in DEAD else None

    def _set(self, view):
        self.orders[view.request.key] = view
        self._tell(model.OrderChanged(view=view))

    def _notice(self, key, code, text):
        self._tell(model.OrderNoticed(key=key, notice=model.Notice(code=code, text=text)))

    def _tell(self, event):
        for listener in self._listeners:
            listener(event)
