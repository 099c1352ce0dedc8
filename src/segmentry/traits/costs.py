"""What customers cost: winning them, serving them, keeping them.

A cost with a customer on it is that customer's. One without is shared out, so that all costs come out again:

* **acquisition** equally among the customers won through its channel in its month; where that is nobody, among those
  won through the channel at any time; else among all who were won in that month; else among all customers;
* **service** and **retention** by how much a customer bought: by sale lines; equally where there are none.

A customer was won on the day of joining, else of the first order.

An account bears the costs that concern it (its own, and those of who is a contact of no other account), and of what is
shared out the parts of the same contacts and of the sale lines that concern it: what a contact of several accounts
costs is that account's which the record names, else none's. A cost that names an account and no customer is no
customer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait
from segmentry.traits.known import KEY, Expression, Facts, Known, Part, Settings, combine, ended, known

TYPES = ("acquisition", "service", "retention")
_CHANNEL, _MONTH = "won_channel", "won_month"
OF_NOBODY = "of_nobody"  # of costs by account: whether a cost is to be shared out
_PARTS = 6  # decimals with which parts of what is shared out are added up
# What an acquisition cost is shared among, the closest first.
_AMONG: tuple[tuple[str, ...], ...] = ((_CHANNEL, _MONTH), (_CHANNEL,), (_MONTH,), ())


def traits(known: Known) -> Part:
    """The traits of costs that are on record."""
    if known.costs is None:
        return Part()
    rows = known.costs.filter(~of_account_alone(known.costs))
    costs, found = _added_up(rows, rows[KEY].isnull())
    return combine(*(_of_type(known, costs, type_, found) for type_ in TYPES if type_ in found.nobodys))


@dataclass(frozen=True)
class _Totals:
    """With how many decimals costs add up exactly, and by type how much of them is nobody's."""

    decimals: int
    nobodys: Mapping[str, float]


def _added_up(rows: ir.Table, nobodys: ir.BooleanValue) -> tuple[ir.Table, _Totals]:
    """The costs with their types in one spelling and amounts in whole units, and what is nobody's of them."""
    costs = rows.mutate(type=rows["type"].strip().lower(), nobodys=nobodys)
    largest = costs["amount"].cast("float64").abs().max()
    decimals = engine.decimals_for(costs.agg(largest=largest).to_pyarrow().to_pylist()[0]["largest"])
    costs = costs.mutate(amount=engine.units(costs["amount"], decimals))
    together = engine.sum_of_units(costs["amount"], decimals, costs["nobodys"])
    found = costs.group_by("type").agg(together=together).to_pyarrow().to_pylist()
    return costs, _Totals(decimals, {row["type"]: row["together"] or 0.0 for row in found})


def of_account_alone(costs: ir.Table) -> ir.BooleanValue:
    """Whether a cost names an account and no customer."""
    return costs[KEY].isnull() & costs["account"].notnull() if "account" in costs.columns else ibis.literal(False)


def _own(costs: ir.Table, name: str, decimals: int) -> tuple[ir.Table, Expression]:
    """What was spent on each customer, or account, itself."""
    own = costs.filter(costs[KEY].notnull())
    made = own.group_by(KEY).agg(**{f"own_{name}": engine.sum_of_units(own["amount"], decimals)})
    return made, lambda row: _number(row[f"own_{name}"])


def _sum(added: Sequence[Expression]) -> Expression:
    def cost(row: ir.Table) -> ir.Value:
        total: ir.NumericValue = added[0](row)
        for part in added[1:]:
            total = total + part(row)
        return total

    return cost


def _of_type(known: Known, costs: ir.Table, type_: str, found: _Totals) -> Part:
    """One trait: a customer's own costs of the type and their part of what is nobody's."""
    name = f"{type_}_cost"
    rows = costs.filter(costs["type"] == type_)
    own, of_own = _own(rows, name, found.decimals)
    passes, added = [own], [of_own]
    sums = {}
    if type_ == "acquisition" and found.nobodys[type_]:
        passes += _acquisition(known, rows.filter(rows["nobodys"]), found.decimals)
        added += [_head(i, name) for i in range(len(_AMONG))]
    elif found.nobodys[type_] and known.lines is not None:
        sums = {f"lines_{name}": known.lines["is_sale"].sum()}
        each = found.nobodys[type_] / known.counts["sales"]
        added.append(lambda row: _number(row[f"lines_{name}"]) * each)
    elif found.nobodys[type_]:
        each = found.nobodys[type_] / known.filled["customers.customer_key"]
        added.append(lambda _: ibis.literal(each))
    return Part(sums, tuple(passes), traits={TRAITS[name]: _sum(added)})


def _head(place: int, name: str) -> Expression:
    return lambda row: _number(row[f"per_head_{place}_{name}"])


def _number(value: ir.NumericValue) -> ir.FloatingValue:
    return value.cast("float64").fill_null(0.0)


def _acquisition(known: Known, costs: ir.Table, decimals: int) -> Iterator[ir.Table]:
    """Per customer a part of what winning customers cost: a column ``per_head_N_acquisition_cost`` for each way of
    sharing it out."""
    won = _won(known)
    spent = costs.select(
        amount="amount",
        **{_CHANNEL: costs["channel"] if "channel" in costs.columns else ibis.null("string")},
        **{_MONTH: costs["time"].truncate("M").cast("date") if "time" in costs.columns else ibis.null("date")},
    )
    for place, keys in enumerate(_AMONG):
        reached, spent = _split(spent, _heads(won, keys), keys)
        sums = {"spent": engine.sum_of_units(reached["amount"], decimals), "heads": reached["heads"].max()}
        cells = reached.group_by(list(keys)).agg(**sums) if keys else reached.agg(**sums)
        each = cells.select(*keys, per_head=engine.ratio(cells["spent"], cells["heads"]))
        on = [won[key] == each[key] for key in keys]
        shared = won.inner_join(each, on) if keys else won.cross_join(each)
        yield shared.select(won[KEY], **{f"per_head_{place}_acquisition_cost": each["per_head"]})


def _heads(won: ir.Table, keys: Sequence[str]) -> ir.Table:
    """How many customers share a cell."""
    if not keys:
        return won.agg(heads=won.count())
    known = won.filter(ibis.and_(*(won[key].notnull() for key in keys)))
    return known.group_by(list(keys)).agg(heads=known.count())


def _split(spent: ir.Table, heads: ir.Table, keys: Sequence[str]) -> tuple[ir.Table, ir.Table]:
    """The costs for whose cell there are customers, with their number; and the others."""
    if not keys:
        return spent.cross_join(heads).select(*spent.columns, "heads"), spent
    heads = heads.rename({f"of_{key}": key for key in keys})
    found = spent.left_join(heads, [spent[key] == heads[f"of_{key}"] for key in keys])
    found = found.select(*spent.columns, "heads")
    return found.filter(found["heads"].notnull()), found.filter(found["heads"].isnull()).drop("heads")


def _won(known: Known) -> ir.Table:
    """The customers, with the channel and the month in which they were won where these are known."""
    row, days = known.customers, []
    if known.lines is not None and known.filled.get("customers.joined_at", 0) < known.filled["customers.customer_key"]:
        first = known.lines.filter(known.lines["is_sale"]).group_by(KEY).agg(first_bought=ibis._["day"].min())
        row = row.left_join(first, KEY, rname="{name}_of_first").select(*row.columns, "first_bought")
        days = [row["first_bought"]]
    if known.has("customers.joined_at"):
        days = [known.joined(row), *days]
    channel = row["acquisition_channel"] if known.has("customers.acquisition_channel") else ibis.null("string")
    day = ibis.coalesce(*days) if days else ibis.null("date")
    return row.select(KEY, **{_CHANNEL: channel, _MONTH: day.truncate("M").cast("date")})


# Accounts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bearers:
    """Among whom costs of nobody are shared out, for their accounts: the customers whose ``facts`` these are.

    ``alone`` has the contacts of one account only: customer_key, only_account.
    """

    facts: Facts
    as_of: date
    settings: Settings
    also: frozenset[str]
    alone: ir.Table

    def customers(self) -> Known:
        """What is known of all customers."""
        return known(self.facts, self.as_of, self.settings, self.also)

    def sales(self) -> int:
        """The sale lines so far of customers and of accounts."""
        rows = self.facts.transactions
        if rows is None:
            return 0
        whose = rows[KEY].notnull() | (rows["account"].notnull() if "account" in rows.columns else ibis.literal(False))
        sold = rows.filter((rows["time"] < ended(self.as_of)) & (rows["line_kind"] == "sale") & whose)
        return int(sold.count().to_pyarrow().as_py())


def of_accounts(now: Known, bearers: Bearers) -> Part:
    """The traits of costs that are on record, of accounts: ``now.costs`` carries the account that a cost concerns, and
    whether it is one :data:`OF_NOBODY` to be shared out."""
    if now.costs is None:
        return Part()
    costs, found = _added_up(now.costs, now.costs[OF_NOBODY])
    return combine(*(_of_type_of_accounts(now, costs, t, found, bearers) for t in TYPES if t in found.nobodys))


def _of_type_of_accounts(now: Known, costs: ir.Table, type_: str, found: _Totals, bearers: Bearers) -> Part:
    name = f"{type_}_cost"
    rows = costs.filter(costs["type"] == type_)
    own, of_own = _own(rows, name, found.decimals)
    passes, added, sums = [own], [of_own], {}
    sales = bearers.sales() if found.nobodys[type_] and type_ != "acquisition" else 0
    if sales and now.lines is not None:
        sums = {f"lines_{name}": now.lines["is_sale"].sum()}
        each = found.nobodys[type_] / sales
        added.append(lambda row: _number(row[f"lines_{name}"]) * each)
    elif found.nobodys[type_] and not sales:
        customers = bearers.customers()
        if type_ == "acquisition":
            parts = list(_acquisition(customers, rows.filter(rows["nobodys"]), found.decimals))
        else:
            each = found.nobodys[type_] / customers.filled["customers.customer_key"]
            parts = [customers.customers.select(KEY, **{f"per_head_0_{name}": ibis.literal(each)})]
        passes += [_per_account(part, i, name, bearers.alone) for i, part in enumerate(parts)]
        added += [_head(i, name) for i in range(len(parts))]
    return Part(sums, tuple(passes), traits={TRAITS[name]: _sum(added)})


def _per_account(parts: ir.Table, place: int, name: str, alone: ir.Table) -> ir.Table:
    """What the contacts of each account bear together, of those who are contacts of no other."""
    column = f"per_head_{place}_{name}"
    each = parts.select(KEY, part=engine.units(parts[column], _PARTS))
    borne = each.inner_join(alone, KEY).select("part", **{KEY: "only_account"})
    return borne.group_by(KEY).agg(**{column: engine.sum_of_units(borne["part"], _PARTS)})


def net(value: Expression, part: Part) -> dict[Trait, Expression]:
    """What is left of a value when the costs on record are taken off, and what it says of the relation."""
    costs = list(part.traits.values())
    if not costs:
        return {}

    def total(row: ir.Table) -> ir.NumericValue:
        added: ir.NumericValue = costs[0](row)
        for cost in costs[1:]:
            added = added + cost(row)
        return added

    made: dict[Trait, Expression] = {
        TRAITS["net_value"]: lambda row: _number(value(row)) - total(row),
        TRAITS["cost_ratio"]: lambda row: engine.ratio(
            total(row), (_number(value(row)) > 0).ifelse(_number(value(row)), ibis.null("float64"))
        ),
    }
    if TRAITS["acquisition_cost"] in part.traits:
        made[TRAITS["paid_back"]] = lambda row: (_number(value(row)) - total(row)) >= 0
    return made
