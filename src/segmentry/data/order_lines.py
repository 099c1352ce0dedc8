"""What the values of order lines tell: which lines are returns, which are no products, and how often people buy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from segmentry.data import values
from segmentry.data.mapping import ColumnMap, quoted
from segmentry.data.profiling import TableProfile
from segmentry.data.vocabulary import has_word, words_in
from segmentry.engine import days_between

_MOST_CODES = 200  # a longer list of codes is no list for a person to check


@dataclass(frozen=True)
class Condition:
    """A condition over the file's columns, and what it finds, in words."""

    where: str
    note: str


@dataclass(frozen=True)
class Rhythm:
    """How often customers buy.

    ``gap`` is the median over repeat customers of their mean number of days between two days with an order.
    """

    repeaters: int
    customers: int
    gap: int | None


def _text(column: ir.Column) -> ir.StringColumn:
    return cast(ir.StringColumn, column.cast("string"))


def _in(column: str, values: Iterable[str], *, number: bool = False) -> str:
    listed = ", ".join(value if number else "'" + value.replace("'", "''") + "'" for value in values)
    return f"{quoted(column)} in ({listed})"


# Returns --------------------------------------------------------------------------------------------------------------

_RETURN_WORDS = words_in(
    """return returned refund refunded reversal credit-note credit-memo cancelled canceled cancellation chargeback
    retoure rucksendung ruckgabe erstattung gutschrift storno storniert retour retourne remboursement rembourse avoir
    annule annulation devolucion devuelto reembolso reembolsado cancelado anulado terugbetaling geretourneerd
    geannuleerd reso rimborso rimborsato annullato"""
)


def find_returns(table: ir.Table, profile: TableProfile, columns: ColumnMap) -> Condition | None:
    """How the file marks returns, where it does so by more than a negative amount."""
    return _by_order_prefix(table, columns) or _by_level(profile, columns)


def _by_order_prefix(table: ir.Table, columns: ColumnMap) -> Condition | None:
    """Order numbers that start with a letter of their own and whose lines are nearly all negative: C536379."""
    order, amount = columns.get("order"), columns.get("quantity") or columns.get("amount")
    if order is None or amount is None or len(order.uses) != 1:
        return None
    rows = table.select(
        order=_text(table[order.uses[0]]), negative=_negative(table[amount.uses[0]]).fill_null(False).cast("int64")
    )
    orders = rows.group_by("order").agg(n=rows.count(), negative=rows["negative"].sum())
    prefix = cast(ir.StringColumn, orders["order"]).re_extract(r"^\s*([A-Za-z]+)", 1)
    prefixes = orders.mutate(prefix=prefix).group_by("prefix").agg(n=ibis._.n.sum(), negative=ibis._.negative.sum())
    found: list[dict[str, Any]] = prefixes.limit(500).to_pyarrow().to_pylist()
    total = sum(g["n"] for g in found)
    marked = [g for g in found if g["prefix"] and 3 <= g["n"] <= 0.3 * total and (g["negative"] or 0) >= 0.95 * g["n"]]
    others = [g for g in found if g not in marked]
    if (
        not marked
        or not 1 <= len(marked) <= 3
        or any(o["prefix"] and o["prefix"].startswith(m["prefix"]) for o in others for m in marked)
    ):
        return None
    column = quoted(order.uses[0])
    marked.sort(key=lambda g: -g["n"])
    where = " or ".join(f"{column} like '{g['prefix']}%'" for g in marked)
    shown = " or ".join(g["prefix"] for g in marked)
    lines = sum(g["n"] for g in marked)
    return Condition(
        where, f"{lines:,} lines whose {order.uses[0]} starts with {shown} have a negative amount or quantity"
    )


def _negative(column: ir.Column) -> ir.BooleanColumn:
    if column.type().is_numeric():
        return cast(ir.BooleanColumn, column < 0)
    return cast(ir.BooleanColumn, _text(column).re_search(r"^\s*[-(]|-\s*$"))


def _by_level(profile: TableProfile, columns: ColumnMap) -> Condition | None:
    """A column that says it: type = 'Refund', or returned = yes."""
    used = {name for m in columns.values() for name in m.uses}
    for column in profile.columns:
        if column.name in used or not column.filled or column.distinct > 20:
            continue
        called = any(has_word(column.name, word) for word in _RETURN_WORDS)
        if column.is_boolean and called:
            if column.stored == "boolean":
                return Condition(quoted(column.name), f"the column {column.name} says so")
            true = [
                v for v in column.levels if v.lower() in {"1", "yes", "true", "y", "t", "ja", "oui", "si", "sí", "sì"}
            ]
            where = _in(column.name, true, number=column.stored == "number")
            return Condition(where, f"the column {column.name} says so") if true else None
        if not column.is_category or column.is_number or column.is_time:
            continue
        said = sorted(v for v in column.levels if any(has_word(v, word) for word in _RETURN_WORDS) and "not" not in v)
        if said and len(said) < len(column.levels):
            return Condition(_in(column.name, said), f"the column {column.name} says so")
    return None


def find_lost(profile: TableProfile, columns: ColumnMap) -> str:
    """What to say where some lines were never bought: deals that were lost; empty where there are none."""
    used = {name for m in columns.values() for name in m.uses}
    for column in profile.columns:
        if column.name not in used and column.is_category and not column.is_number:
            lost = [v for v in column.levels if v.casefold() in _LOST_WORDS]
            if lost:
                return f"Rows whose {column.name} is {lost[0]} count as orders, with the amount they have."
    return ""


_LOST_WORDS = words_in("lost verloren perdu perdue perdido perdida perso closed-lost rejected declined failed")


# Charges --------------------------------------------------------------------------------------------------------------

# Words of what is on an invoice without being a product. Word borders stand around each.
_CHARGE_WORDS = r"""postages?|carriage|shipping|freight|delivery|handling|surcharges?|fees?|charges?|commissions?|
manual|adjust\w*|bad debts?|write.?offs?|discounts?|rebates?|samples?|gratuity|rounding|corrections?|insurance|
versand\w*|porto|fracht\w*|geb(ü|ue|u)hr\w*|rabatt\w*|nachlass|muster|korrektur\w*|mahn\w*|provision|
frais|port|livraison|remises?|échantillons?|echantillons?|ajustements?|
envío|envio|gastos|portes|descuentos?|muestras?|ajustes?|comisión|comision|
verzend\w*|bezorg\w*|korting\w*|toeslag|monsters?|spedizion\w*|trasporto|sconto|sconti|campion\w|rettific\w*"""
# Whole texts that say nothing else: they count even where product codes have no pattern that they could break.
_CHARGE_PHRASES = r"""(dotcom )?(postage|shipping|freight|carriage|delivery|handling)( ?(and|&) ?(handling|packing))?
( ?(fees?|charges?|costs?))?|bank ?charges?|(\w+ )?fees?|discounts?|manual|samples?|adjust(ment)?s?|adjust bad debt|
rounding|versand(kosten|gebühr)?|porto|rabatt|frais( de)? (port|livraison|envoi)|livraison|remise|
gastos de env(í|i)o|descuento|verzendkosten|korting|spese di spedizione|spedizione|sconto"""
_ANY = r"(?i)\b(?:" + re.sub(r"\s*\n", "", _CHARGE_WORDS) + r")\b"
_WHOLE = r"(?i)^(?:" + re.sub(r"\s*\n", "", _CHARGE_PHRASES) + r")$"


def find_charges(table: ir.Table, columns: ColumnMap) -> Condition | None:
    """The lines that are no products: postage, fees, discounts, samples, manual adjustments.

    A product code counts when it breaks the pattern that nearly all codes share (five digits, say) and its description
    says what it is; a code of the usual pattern never counts, whatever it is called.
    """
    product, name = columns.get("product"), columns.get("product_name")
    if product is not None and len(product.uses) == 1:
        return _charge_codes(table, product.uses[0], name.uses[0] if name and name.uses else None)
    if name is not None and len(name.uses) == 1:
        return _charge_names(table, name.uses[0])
    return None


def _charge_codes(table: ir.Table, product: str, name: str | None) -> Condition | None:
    code = _text(table[product])
    described = _text(table[name]) if name else code
    rows = table.select(code=code, described=described).filter(ibis._.code.notnull())
    codes = rows.group_by("code").agg(
        lines=rows.count(),
        told=rows["described"].count(),
        charge=rows["described"].re_search(_ANY).cast("int64").sum(),
        whole=(rows["described"].strip().re_search(_WHOLE) | rows["code"].re_search(_WHOLE)).cast("int64").sum(),
    )
    codes = codes.mutate(pattern=_pattern(codes["code"]))
    usual = _usual_patterns(codes)
    half = ibis.greatest(codes["charge"] * 2, codes["whole"] * 2) >= codes["told"]
    likely = codes.filter((codes["told"] > 0) & half & ((codes["charge"] > 0) | (codes["whole"] > 0)))
    found: list[dict[str, Any]] = likely.order_by([ibis.desc("lines"), "code"]).limit(2_000).to_pyarrow().to_pylist()
    kept = [c for c in found if (c["pattern"] not in usual if usual else c["whole"] * 2 >= c["told"])]
    return _condition(product, kept, "product codes")


def _pattern(code: ir.StringColumn) -> ir.StringValue:
    """The shape of a code: runs of digits as 9, of letters as A. 85123A -> 9A, POST -> A."""
    return cast(ir.StringValue, code.re_replace(r"[0-9]+", "9").re_replace(r"[A-Za-z]+", "A"))


def _usual_patterns(codes: ir.Table) -> set[str]:
    """Patterns that a twentieth of all codes or more have; none where one of them is mere letters, as charges have."""
    counts = codes.group_by("pattern").agg(n=codes.count()).order_by(ibis.desc("n")).limit(100)
    found: list[dict[str, Any]] = counts.to_pyarrow().to_pylist()
    total = sum(p["n"] for p in found)
    usual = {p["pattern"] for p in found if p["n"] >= 0.05 * total}
    return set() if total < 20 or usual & {"A", "A A"} else usual


def _charge_names(table: ir.Table, name: str) -> Condition | None:
    text = _text(table[name])
    rows = table.select(code=text).filter(text.strip().re_search(_WHOLE))
    counts = rows.group_by("code").agg(lines=rows.count()).order_by([ibis.desc("lines"), "code"]).limit(2_000)
    return _condition(name, counts.to_pyarrow().to_pylist(), "names")


def _condition(column: str, found: Sequence[dict[str, Any]], what: str) -> Condition | None:
    if not 1 <= len(found) <= _MOST_CODES:
        return None
    lines = sum(c["lines"] for c in found)
    note = f"{len(found)} {what} in {lines:,} lines are postage, fees, discounts, samples or corrections"
    return Condition(_in(column, [c["code"] for c in found]), note)


# Amounts that are not of the line -------------------------------------------------------------------------------------


def totals_repeat(table: ir.Table, columns: ColumnMap) -> bool:
    """Whether the amount is the total of the order, written on each of its lines: summed, it would count twice."""
    order, amount = columns.get("order"), columns.get("amount")
    if order is None or amount is None or len(amount.uses) != 1 or len(order.uses) != 1:
        return False
    rows = table.select(order=_text(table[order.uses[0]]), amount=_text(table[amount.uses[0]]))
    orders = rows.group_by("order").agg(lines=rows.count(), amounts=rows["amount"].nunique())
    several = orders.filter(orders["lines"] > 1)
    row = several.agg(n=several.count(), same=(several["amounts"] == 1).cast("int64").sum()).to_pyarrow().to_pylist()[0]
    return bool(row["n"] >= 20 and row["same"] >= 0.95 * row["n"])


# Rhythm ---------------------------------------------------------------------------------------------------------------


def orders_of(lines: ir.Table, columns: ColumnMap, *, now: datetime) -> ir.Table:
    """``customer`` and ``time`` of the lines that were bought by somebody known, and not returned."""
    who, when = columns["customer"].uses[0], columns["time"].uses[0]
    how_much = (columns.get("quantity") or columns["amount"]).uses[0]
    form = values.time_formats(lines, [when], latest=now)[when]
    rows = lines.select(
        customer=values.identifier(lines[who]),
        time=values.timestamp(lines[when], form),
        negative=_negative(lines[how_much]).fill_null(False),
    )
    bought = rows.filter(rows["customer"].notnull() & rows["time"].notnull() & ~rows["negative"])
    return bought.filter(bought["time"] <= ibis.literal(now.replace(tzinfo=None))).select("customer", "time")


def rhythm(orders: ir.Table) -> Rhythm:
    """How often customers buy, from a table of ``customer`` and ``time``, both known.

    >>> import ibis
    >>> times = ["2024-01-01", "2024-01-31", "2024-03-01"]
    >>> rhythm(ibis.memtable({"customer": ["a", "a", "b"], "time": times}).mutate(time=ibis._.time.cast("timestamp")))
    Rhythm(repeaters=1, customers=2, gap=30)
    """
    days = orders.select("customer", day=orders["time"].cast("date"))
    each = days.group_by("customer").agg(first=days["day"].min(), last=days["day"].max(), n=days["day"].nunique())
    span = cast(ir.NumericColumn, days_between(each["last"], each["first"])).cast("float64")
    mean = (span / (each["n"] - 1).nullif(0).cast("float64")).round().cast("int64")
    gaps = each.select(gap=mean)  # null after a single day with orders
    counts = gaps.group_by("gap").agg(n=gaps.count()).order_by("gap").to_pyarrow().to_pylist()
    known = [(int(c["gap"]), int(c["n"])) for c in counts if c["gap"] is not None]
    return Rhythm(sum(n for _, n in known), sum(int(c["n"]) for c in counts), _weighted_median(known))


def _weighted_median(counts: Sequence[tuple[int, int]]) -> int | None:
    half, seen = sum(n for _, n in counts) / 2, 0
    for value, n in counts:
        seen += n
        if seen >= half:
            return value
    return None


# Lengths that people plan in: months, quarters, years.
_ROUND = (30, 45, 60, 90, 120, 150, 180, 270, 365, 540, 730, 1095)


def friendly(days: float, low: int, high: int) -> int:
    """The nearest length in days that people plan in, between two bounds.

    >>> friendly(95, 30, 365), friendly(7, 30, 365), friendly(800, 90, 1095)
    (90, 30, 730)
    """
    allowed = [d for d in _ROUND if low <= d <= high]
    return min(allowed, key=lambda d: abs(d - days))
