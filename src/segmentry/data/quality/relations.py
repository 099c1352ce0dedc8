"""Records against each other: keys, references to other tables, statements that exclude each other, categories.

These are holistic: each groups once and then counts the groups (law 11).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import postcodes
from segmentry.columns import Type
from segmentry.data import hierarchy
from segmentry.data.ids import plain_name
from segmentry.data.quality.findings import Collected, Found
from segmentry.engine import Session
from segmentry.texts import vocabularies
from segmentry.wording import agree

_KEYS = {"customers": "customer", "accounts": "account", "products": "product", "places": "postcode"}
_REFERENCES = (
    ("transactions", "product", "products", "product", "unknown_products"),
    ("customers", "account", "accounts", "account", "unknown_accounts"),
    ("customers", "postcode", "places", "postcode", "unknown_places"),
)
_NEARLY_ALL = 0.999
_LEAST_ROWS = 100
_MOST_CATEGORIES = 2_000
_NAMED = 3  # variants that a text names
# Columns whose values have a vocabulary. Titles and stages of deals have none that anybody could list.
_VOCABULARIES = {
    "customers": ("education", "marital_status", "area_type", "language"),
    "accounts": ("industry", "ownership", "stage", "adoption_stage"),
}
_NOT_PERSONAL = 5  # records with a spelling from which on it names nobody


def keys(collected: Collected) -> Iterator[Found]:
    """Records that share the key of their table."""
    key = _KEYS.get(collected.kind)
    if key is None or key not in collected.columns:
        return
    rows = collected.rows
    groups = rows.group_by(key).agg(n=ibis._.count()).filter(ibis._.n > 1)
    found = _row(groups.agg(keys=ibis._.count(), rows=ibis._.n.sum(), newest=ibis._.n.count()))
    if found["keys"]:
        extra = int(found["rows"] - found["keys"])
        text = agree(found["keys"], f"{{n}} [value|values] of {key} [stands|stand] on {found['rows']:,} records")
        wrong = rows[key].isin(groups[key])
        yield Found("repeated_keys", key, extra, _rows(rows), text, wrong)


def references(collected: Collected, every: Sequence[Collected]) -> Iterator[Found]:
    """Records that name a customer, product or account which the tables of those do not have."""
    if collected.kind != "customers" and "customer" in collected.columns:
        peers = [c for c in every if c.kind == "customers" and c.source.id_space == collected.source.id_space]
        yield from _unknown(collected, "customer", peers, "customer", "unknown_customers")
    for kind, column, other, key, check in _REFERENCES:
        if kind == collected.kind and column in collected.columns:
            yield from _unknown(collected, column, [c for c in every if c.kind == other], key, check)


def _unknown(collected: Collected, column: str, others: Sequence[Collected], key: str, check: str) -> Iterator[Found]:
    if not others:
        return
    alike = postcodes.comparable if column == "postcode" else _as_it_is
    lists = [c.rows.select(known=alike(c.rows[key])) for c in others]
    known = lists[0].union(*lists[1:], distinct=True) if len(lists) > 1 else lists[0].distinct()
    rows = collected.rows
    if "line_kind" in rows.columns and column == "product":  # postage is on no product list
        rows = rows.filter(rows["line_kind"] != "charge")
    used = rows.filter(rows[column].notnull()).group_by(column).agg(n=ibis._.count())
    total = _row(used.agg(rows=ibis._.n.sum()))["rows"] or 0
    missing = used.anti_join(known, alike(used[column]) == known["known"])
    found = _row(missing.agg(ids=ibis._.count(), rows=ibis._.n.sum()))
    if found["ids"]:
        names = ", ".join(c.name for c in others)
        missing_ids = agree(found["ids"], f"{{n}} [{column} that is|{column}s that are] not in {names}")
        text = agree(int(found["rows"]), "{n} [record names|records name] ") + missing_ids
        wrong = collected.rows[column].isin(missing[column])
        yield Found(check, column, int(found["rows"]), int(total), text, wrong)


def _as_it_is(value: ir.Value) -> ir.Value:
    return value


def parents(session: Session, collected: Collected, every: Sequence[Collected]) -> Iterator[Found]:
    """Parents that are no account's id or name, and accounts whose parents lead back to them."""
    if collected.kind != "accounts" or "parent" not in collected.columns:
        return
    space = collected.source.id_space
    peers = [c for c in every if c.kind == "accounts" and c.source.id_space == space]
    rows = session.keep("stated_parents", _parents_of(collected, peers))
    total = _rows(rows)
    unknown = rows.filter(rows["found"].isnull())
    if lost := _rows(unknown):
        text = agree(
            lost, "{n} [account names|accounts name] a parent that is no account's id, and not the name of exactly one"
        )
        wrong = collected.rows["parent"].isin(unknown["parent"])
        yield Found("unknown_accounts", "parent", lost, total, text, wrong)
    own = rows.filter(rows["found"] == rows["account"]).select("account").distinct()
    others = rows.filter(rows["found"] != rows["account"])
    _, circles = hierarchy.climbed(session, others.group_by(account_key="account").agg(parent_key=ibis._.found.min()))
    themselves, around = _rows(own), _rows(circles)
    if themselves + around:
        text = (
            f"{themselves:,} accounts are their own parent, the parents of {around:,} lead back to them: none is taken"
        )
        account = collected.rows["account"]
        wrong = account.isin(own["account"]) | account.isin(circles["account_key"])
        yield Found("parent_loops", "parent", themselves + around, total, text, wrong)


def _parents_of(collected: Collected, peers: Sequence[Collected]) -> ir.Table:
    """account, parent as it is stated, and ``found``: the id among the ``peers`` that is meant, null where none is."""
    called = [plain_name(c.rows["account_name"]) if "account_name" in c.columns else ibis.null("string") for c in peers]
    lists = [c.rows.select(known="account", name=name) for c, name in zip(peers, called, strict=True)]
    known = ibis.union(*lists) if len(lists) > 1 else lists[0]
    ids = known.select(by_id="known").distinct()
    names = known.filter(known["name"].notnull())
    names = names.group_by("name").agg(n=names["known"].nunique(), called=names["known"].min())
    stated = collected.rows.filter(collected.rows["parent"].notnull()).select("account", "parent")
    stated = stated.mutate(plain=plain_name(stated["parent"]))
    rows = stated.left_join(ids, stated["parent"] == ids["by_id"])
    rows = rows.left_join(names, rows["plain"] == names["name"])
    alone = (rows["n"] == 1).ifelse(rows["called"], ibis.null("string"))
    return rows.select("account", "parent", found=ibis.coalesce(rows["by_id"], alone))


def contradictions(collected: Collected, day: date) -> Iterator[Found]:
    """Consents that are granted and denied at once; ages and dates of one person that cannot both hold."""
    rows: Any = collected.rows
    if collected.kind == "consents" and "status" in collected.columns:
        yield from _of_consents(collected)
    if collected.kind != "customers":
        return
    has = set(collected.columns)
    if {"age", "birth_year"} <= has:
        # The source may state the age of some years ago; an age that lies ahead cannot be.
        wrong = (rows["birth_year"] + rows["age"]) > day.year + 1
        yield from _counted(
            collected, "age", wrong, "{n} [customer is|customers are] older than their year of birth allows"
        )
    if {"birth_date", "joined_at"} <= has:
        wrong = rows["birth_date"] > rows["joined_at"].cast("date")
        yield from _counted(collected, "joined_at", wrong, "{n} [customer|customers] joined before they were born")
    if {"updated_at", "joined_at"} <= has:
        wrong = rows["updated_at"].cast("date") < rows["joined_at"].cast("date")
        yield from _counted(
            collected, "updated_at", wrong, "{n} [record was|records were] changed before the customer joined"
        )


def _of_consents(collected: Collected) -> Iterator[Found]:
    rows: Any = collected.rows
    by = [c for c in ("customer", "channel", "purpose", "time") if c in collected.columns]
    if "customer" not in by:
        return
    said = rows.filter(rows["customer"].notnull()).mutate(said=rows["status"].lower())
    granted, denied = (said["said"] == "granted").any(), (said["said"] == "denied").any()
    groups = said.group_by(by).agg(granted=granted, denied=denied, n=said.count())
    both = groups.filter(groups["granted"] & groups["denied"])
    found = _row(both.agg(cases=ibis._.count(), rows=ibis._.n.sum()))
    if found["cases"]:
        text = (
            f"{found['cases']:,} consents are granted and denied at the same time: the denial counts, as the stricter"
        )
        wrong = rows["customer"].isin(both["customer"])
        yield Found("contradictions", "status", int(found["rows"]), _rows(rows), text, wrong)


def _counted(collected: Collected, column: str, wrong: ir.BooleanValue, text: str) -> Iterator[Found]:
    count = _row(collected.rows.agg(n=wrong.fill_null(False).ifelse(1, 0).sum()))["n"] or 0
    if count:
        yield Found("contradictions", column, int(count), _rows(collected.rows), agree(int(count), text), wrong)


def categories(collected: Collected) -> Iterator[Found]:
    """Values of one category that are spelt differently, and categories that hardly vary."""
    rows: Any = collected.rows
    for column in collected.columns:
        kind = collected.type_of(column)
        if kind not in (Type.CATEGORY, Type.BOOLEAN):
            continue
        counts = rows.filter(rows[column].notnull()).group_by(column).agg(n=ibis._.count())
        top = counts.order_by([ibis.desc("n"), column]).limit(_MOST_CATEGORIES).to_pyarrow().to_pylist()
        found = {r[column]: r["n"] for r in top}
        total = sum(found.values())
        if total >= _LEAST_ROWS:
            yield from _balance(column, found, total)
        if kind is Type.CATEGORY:
            yield from _variants(collected, column, found, total)
        if column in _VOCABULARIES.get(collected.kind, ()):
            yield from _unknown_spellings(collected, column, {str(v): n for v, n in found.items()}, total)


def _balance(column: str, counts: Mapping[Any, int], total: int) -> Iterator[Found]:
    most = next(iter(counts.values()))
    if len(counts) > 1 and most >= _NEARLY_ALL * total:
        text = f"{most / total:.2%} of {column} have one and the same value"
        yield Found("one_value", column, most, total, text)


def _variants(collected: Collected, column: str, counts: Mapping[Any, int], total: int) -> Iterator[Found]:
    spelt: dict[str, Counter[str]] = {}
    for value, n in counts.items():
        spelt.setdefault(_plain(str(value)), Counter())[str(value)] = n
    rare = {v: c.most_common(1)[0][0] for c in spelt.values() for v, _ in c.most_common()[1:]}
    if not rare:
        return
    concerned = sum(counts[v] for v in rare)
    named = "" if collected.pii(column) != "none" else ": " + ", ".join(
        f"'{v}' beside '{usual}'" for v, usual in list(rare.items())[:_NAMED]
    )  # fmt: skip
    text = agree(
        len(rare), f"{{n}} [spelling|spellings] of {column} [differs|differ] from a more frequent one only in "
    )
    text += f"case, accents or spaces{named}"
    yield Found("spelling_variants", column, concerned, total, text, collected.rows[column].isin(list(rare)))


def _unknown_spellings(collected: Collected, column: str, counts: Mapping[str, int], total: int) -> Iterator[Found]:
    """Values that the vocabulary of a column does not have, the most frequent named."""
    strange = vocabularies.unknown(column, counts)
    if not strange:
        return
    personal = collected.pii(column) != "none"
    shown = [s for s in strange if not personal or counts[s] >= _NOT_PERSONAL][:_NAMED]
    named = ", ".join(f"'{s}' ({counts[s]:,})" for s in shown)
    text = agree(len(strange), f"{{n}} [spelling|spellings] of {column} [is|are] not known and [stays|stay] as written")
    concerned = sum(counts[s] for s in strange)
    text += f": {named}" if named else ""
    yield Found("unknown_spellings", column, concerned, total, text, collected.rows[column].isin(strange))


def _plain(value: str) -> str:
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    return "".join(c for c in decomposed if c.isalnum())


def _row(table: ir.Table) -> dict[str, Any]:
    return dict(table.to_pyarrow().to_pylist()[0])


def _rows(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())
