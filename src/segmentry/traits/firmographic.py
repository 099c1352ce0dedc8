"""Firmographic traits: what kind of organisation an account is and how the business with it goes; of customers, what
they share with the account that they are contacts of.

Industry, size, ownership and hierarchy are what the records said on the day (``data/versions.py``). Opportunities
count as they stood at the end of the day: one that has closed since was open then, and what it was worth then nobody
wrote down.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS
from segmentry.texts import vocabularies
from segmentry.traits.behavioral import amount, whole
from segmentry.traits.known import KEY, Expression, Known, Part, combine, levels, respelt

# Upper ends of the staff headcount classes of the European Commission's recommendation 2003/361/EC.
_SIZES = ((10, "micro"), (50, "small"), (250, "medium"))
# Groups are added up so many levels down: every level takes a join, and real ones have fewer than ten.
_DEEPEST = 20
_BUYING = ("decider", "buyer", "influencer", "user", "gatekeeper")
_OLDEST_FIRM = 1500  # years; the oldest companies there are were founded in the sixth century


def size_band(employees: ir.NumericValue) -> ir.StringValue:
    """The size of an organisation by its employees; null where their number is not known or negative."""
    unknown = (employees.isnull() | (employees < 0), ibis.null("string"))
    return ibis.cases(unknown, *((employees < end, name) for end, name in _SIZES), else_="large")


def normalised(table: ir.Table, column: str, vocabulary: str) -> ir.StringValue:
    """A category in the words of a vocabulary (``vocabularies.py``); a spelling that it does not have as it is."""
    text = table[column].cast("string")
    return respelt(text, vocabularies.meanings(vocabulary, levels(text)))


def buying_role(rows: ir.Table) -> ir.StringValue:
    """The role in buying that records of contacts state, else the one that their job title speaks of."""
    found = []
    if "role" in rows.columns:
        found.append(normalised(rows, "role", "role"))
    if "occupation" in rows.columns:
        title = rows["occupation"].cast("string")
        told = {spelling: vocabularies.role_of(spelling) for spelling in levels(title)}
        known = [(spelling, role) for spelling, role in told.items() if role]
        found.append(title.cases(*known, else_=ibis.null("string")) if known else ibis.null("string"))
    return ibis.coalesce(*found) if found else ibis.null("string")


# Of customers ---------------------------------------------------------------------------------------------------------


def traits(known: Known) -> Part:
    """The traits of customers who are contacts of an account."""
    people, accounts = known.customers, known.accounts
    if accounts is None or "account_key" not in people.columns or not known.has("customers.account_key"):
        return Part()
    columns: dict[str, ir.Value] = {}
    if "industry" in accounts.columns:
        columns["account_industry"] = normalised(accounts, "industry", "industry")
    if "employees" in accounts.columns:
        columns["account_size_band"] = size_band(accounts["employees"])
    told = accounts.select(own_account="account_key", **columns)
    belonging = people.filter(people["account_key"].notnull())
    if known.ready("buying_role"):
        belonging = belonging.mutate(buying_role=buying_role(belonging))
    row = belonging.join(told, [("account_key", "own_account")])
    there = [c for c in (*columns, "buying_role") if c in row.columns]
    found = {name: any_of for name, any_of in counts(row, there).items() if any_of}
    one = row.select(KEY, **{f"firm_{name}": name for name in found})
    return Part(passes=(one,) if found else (), traits={TRAITS[n]: _column(f"firm_{n}") for n in found})


def counts(table: ir.Table, columns: list[str]) -> dict[str, int]:
    """How many rows have a value in each column."""
    if not columns:
        return {}
    return dict(table.agg(**{c: table[c].count() for c in columns}).to_pyarrow().to_pylist()[0])


def _column(name: str) -> Expression:
    return lambda row: row[name]


# Of accounts ----------------------------------------------------------------------------------------------------------


def of_accounts(known: Known, contacts: ir.Table) -> Part:
    """The firmographic traits of accounts; ``known`` has them as its customers. ``contacts`` are ``account_contacts``
    of the customers known by then."""
    assert known.accounts is not None
    deals = _opportunities(known)
    tells = bool(deals.passes) or known.sales is not None
    stage = {ACCOUNT_TRAITS["relationship_stage"]: _stage(known, deals)} if tells else {}
    return combine(_records(known, known.accounts), _group(known, known.accounts), deals, _contacts(contacts),
                   _touched(known), Part(traits=stage))  # fmt: skip


def _records(known: Known, accounts: ir.Table) -> Part:
    """What the records of an account say."""
    has = counts(accounts, [c for c in accounts.columns if c not in ("account_key", "account_id")])
    columns: dict[str, ir.Value] = {}
    for name, column, vocabulary in (
        ("industry", "industry", "industry"),
        ("ownership", "ownership", "ownership"),
        ("stated_stage", "stage", "stage"),
    ):
        if has.get(column):
            columns[name] = normalised(accounts, column, vocabulary)
    if has.get("employees"):
        staff = accounts["employees"]
        columns["employees"] = (staff >= 0).ifelse(staff, None).cast("int64")
        columns["size_band"] = size_band(staff)
    if has.get("revenue"):
        columns["annual_revenue"] = accounts["revenue"].cast("float64")
    if has.get("founded"):
        age = known.as_of.year - accounts["founded"]
        columns["company_age_years"] = age.between(0, _OLDEST_FIRM).ifelse(age, None).cast("int64")
    one = accounts.select(account_number="account_key", **{f"firm_{n}": value for n, value in columns.items()})
    return Part(
        passes=(one.rename({KEY: "account_number"}),) if columns else (),
        traits={ACCOUNT_TRAITS[name]: _column(f"firm_{name}") for name in columns},
    )


# The group ------------------------------------------------------------------------------------------------------------


def _group(known: Known, accounts: ir.Table) -> Part:
    """Where an account stands in its group, and figures of all below it; nothing where no account has a parent."""
    above = accounts.filter(accounts["parent_id"].notnull())
    deepest = accounts.agg(deepest=accounts["level"].max()).to_pyarrow().to_pylist()[0]["deepest"]
    if not deepest:
        return Part()
    heads = accounts.select(head_key="account_key", head_id="account_id")
    parents = above.join(heads, [("parent_id", "head_id")]).select(member="account_key", parent="head_key")
    below = _below(accounts, parents, min(int(deepest), _DEEPEST))
    counted = below.group_by("head").agg(firm_group_accounts=below.count()).rename({KEY: "head"})
    role = accounts.left_join(parents.select("parent").distinct(), [("account_key", "parent")])
    spelt = ibis.cases(
        (role["parent_id"].notnull(), "subsidiary"), (role["parent"].notnull(), "group head"), else_="independent"
    )
    placed = role.select(number="account_key", firm_group_role=spelt).rename({KEY: "number"})
    expressions: dict[str, Expression] = {
        "group_role": _column("firm_group_role"),
        "group_accounts": lambda row: whole(row["firm_group_accounts"]),
    }
    passes = [counted, placed]
    if known.lines is not None:
        lines = known.lines.join(below, [(KEY, "member")])
        spent = engine.sum_of_units(lines["amount"], known.decimals["amount"], lines["is_goods"], nothing=0)
        passes.append(lines.group_by("head").agg(firm_group_monetary=spent).rename({KEY: "head"}))
        expressions["group_monetary"] = lambda row: amount(row["firm_group_monetary"])
    deals = _stood(known)
    if deals is not None and "worth" in deals.columns:
        rows = deals.join(below, [(KEY, "member")])
        worth = engine.sum_of_units(rows["worth"], _decimals(known), rows["state"] == "open", nothing=0)
        passes.append(rows.group_by("head").agg(firm_group_pipeline=worth).rename({KEY: "head"}))
        expressions["group_pipeline_value"] = lambda row: amount(row["firm_group_pipeline"])
    return Part(passes=tuple(passes), traits={ACCOUNT_TRAITS[n]: e for n, e in expressions.items()})


def _below(accounts: ir.Table, parents: ir.Table, levels_down: int) -> ir.Table:
    """``head`` and ``member``: each account with itself and with every account below it, so many levels down."""
    step = accounts.select(head="account_key", member="account_key")
    found = [step]
    for _ in range(levels_down):
        up = parents.select(child="member", up="parent")
        step = step.join(up, [("head", "child")]).select(head="up", member="member")
        found.append(step)
    return ibis.union(*found)


# Opportunities --------------------------------------------------------------------------------------------------------


def as_stood(known: Known) -> ir.Table | None:
    """The opportunities of accounts as their records stood at the end of the day; None where there are none.

    ``stage`` is won, lost, or as the source spells that of an open one; of one that has closed since it is open, and
    nobody knew what its record says of the end (amount, probability, closes_at). ``time`` is the day on which one was
    won or lost, and of an open one the beginning.
    """
    rows = known.facts.get("opportunities")
    if rows is None:
        return None
    meant = vocabularies.meanings("outcome", levels(rows["stage"]))
    outcome = respelt(rows["stage"], {s: m if m in ("won", "lost") else "open" for s, m in meant.items()})
    closes = rows["closes_at"].cast("date") if "closes_at" in rows.columns else ibis.null("date")
    ended = outcome != "open"
    over = ended & (closes.isnull() | (closes <= ibis.literal(known.as_of)))
    since = ended & ~over
    columns = {
        name: since.ifelse(ibis.null(rows[name].type()), rows[name])
        for name in ("amount", "probability", "closes_at")
        if name in rows.columns
    }
    if "updated_at" in rows.columns:
        changed = rows["updated_at"]
        columns["updated_at"] = (changed.cast("date") <= ibis.literal(known.as_of)).ifelse(changed, None)
    stage = ibis.cases((over, outcome), (since, "open"), else_=rows["stage"])
    time = ibis.coalesce(over.ifelse(closes.cast("timestamp"), ibis.null("timestamp")), rows["time"])
    # Nothing but its end says when it was there.
    stood = rows.filter(~since | rows["time"].notnull())
    return stood.mutate(stage=stage, time=time, **columns)


def _stood(known: Known) -> ir.Table | None:
    """The opportunities as they stood: KEY, ``state`` (won, lost, open), and where there are any ``worth`` (in whole
    units; null where an open one has closed since), ``began``, ``closed``, ``chance`` (0 to 1)."""
    rows = as_stood(known)
    if rows is None:
        return None
    over = rows["stage"].isin(["won", "lost"])
    columns: dict[str, ir.Value] = {"state": over.ifelse(rows["stage"], "open"), "closed": ibis.null("date")}
    if "closes_at" in rows.columns:
        columns["closed"] = over.ifelse(rows["closes_at"].cast("date"), ibis.null("date"))
    if "amount" in rows.columns:
        columns["worth"] = engine.units(rows["amount"], _decimals(known))
    if "created_at" in rows.columns:
        columns["began"] = rows["created_at"].cast("date")
    if "probability" in rows.columns:
        chance = rows["probability"].cast("float64") / 100.0
        columns["chance"] = ((chance >= 0) & (chance <= 1)).ifelse(chance, None)
    return rows.select(KEY, **columns)


def _decimals(known: Known) -> int:
    """How many decimals amounts of opportunities are summed with."""
    rows = known.facts["opportunities"]
    if "amount" not in rows.columns:
        return 0
    largest = rows.agg(largest=rows["amount"].cast("float64").abs().max())
    return engine.decimals_for(largest.to_pyarrow().to_pylist()[0]["largest"])


def _opportunities(known: Known) -> Part:
    rows = _stood(known)
    if rows is None or not rows.count().to_pyarrow().as_py():
        return Part()
    decimals = _decimals(known)
    state = {name: rows["state"] == name for name in ("open", "won", "lost")}
    sums: dict[str, ir.Scalar] = {"deals": rows.count(), **{n: engine.count_where(c) for n, c in state.items()}}
    expressions: dict[str, Expression] = {
        "opportunities": lambda row: whole(row["firm_deals"]),
        **{f"{name}_opportunities": _counted(f"firm_{name}") for name in state},
        "win_rate": lambda row: engine.ratio(row["firm_won"], row["firm_won"] + row["firm_lost"]),
    }
    if "worth" in rows.columns:
        won = state["won"] & rows["worth"].notnull()
        sums |= {
            "pipeline": engine.sum_of_units(rows["worth"], decimals, state["open"], nothing=0),
            "won_worth": engine.sum_of_units(rows["worth"], decimals, won),
            "valued": engine.count_where(won),
        }
        expressions["pipeline_value"] = lambda row: amount(row["firm_pipeline"])
        expressions["average_deal_value"] = lambda row: engine.ratio(row["firm_won_worth"], row["firm_valued"])
        if "chance" in rows.columns:
            expected = engine.units(rows["worth"].cast("float64") * rows["chance"], 0)
            sums["expected"] = engine.sum_of_units(expected, decimals, state["open"], nothing=0)
            expressions["expected_pipeline_value"] = lambda row: amount(row["firm_expected"])
    if "began" in rows.columns:
        days = engine.days_between(rows["closed"], rows["began"])
        dated = state["won"] & (days >= 0)
        sums |= {"cycle": dated.ifelse(days, 0).sum(), "dated": engine.count_where(dated)}
        expressions["sales_cycle_days"] = lambda row: engine.ratio(row["firm_cycle"], row["firm_dated"])
    sums["last_won"] = rows["closed"].max(where=state["won"])
    counted = rows.group_by(KEY).agg(**{f"firm_{name}": value for name, value in sums.items()})
    return Part(passes=(counted,), traits={ACCOUNT_TRAITS[n]: e for n, e in expressions.items()})


def _counted(name: str) -> Expression:
    return lambda row: whole(row[name])


# People and events ----------------------------------------------------------------------------------------------------


def _contacts(contacts: ir.Table) -> Part:
    """How many people, and who of them decides."""
    has = counts(contacts, ["role", "occupation"])
    known = any(has.values())
    rows = contacts.select("account_key", **({"meant": buying_role(contacts)} if known else {}))
    sums: dict[str, ir.Scalar] = {"firm_contacts": rows.count()}
    expressions: dict[str, Expression] = {"contacts": _counted("firm_contacts")}
    if known:
        sums |= {f"firm_{role}s": engine.count_where((rows["meant"] == role).fill_null(False)) for role in _BUYING}
        expressions["deciders"] = _counted("firm_deciders")
        expressions["buying_roles"] = lambda row: reduce(
            add, ((whole(row[f"firm_{role}s"]) > 0).ifelse(1, 0) for role in _BUYING)
        )
    counted = rows.group_by("account_key").agg(**sums).rename({KEY: "account_key"})
    return Part(passes=(counted,), traits={ACCOUNT_TRAITS[n]: e for n, e in expressions.items()})


def _touched(known: Known) -> Part:
    """Events that concern the account."""
    rows = known.facts.get("events")
    if rows is None:
        return Part()
    recent = (rows["time"].cast("date") > known.recent(90)).ifelse(1, 0)
    counted = rows.group_by(KEY).agg(firm_touched=recent.sum(), firm_last_touch=rows["time"].max())
    expressions: dict[str, Expression] = {
        "touchpoints_90d": _counted("firm_touched"),
        "last_touchpoint_days": lambda row: engine.days_between(ibis.literal(known.as_of), row["firm_last_touch"]),
    }
    return Part(passes=(counted,), traits={ACCOUNT_TRAITS[n]: e for n, e in expressions.items()})


def _stage(known: Known, deals: Part) -> Expression:
    """Where the relation stands, by what happened."""
    as_of, limit = ibis.literal(known.as_of), known.settings.lifecycle.lapsed

    def stage(row: ir.Table) -> ir.Value:
        never = ibis.null("date")
        last = [row["last_order"]] if known.sales is not None else []
        last += [row["firm_last_won"]] if deals.passes else []
        latest = ibis.coalesce(ibis.greatest(*(ibis.coalesce(d, *last) for d in last)), never) if last else never
        won = whole(row["firm_won"]) > 0 if deals.passes else ibis.literal(False)
        is_open = whole(row["firm_open"]) > 0 if deals.passes else ibis.literal(False)
        seen = whole(row["firm_lost"]) > 0 if deals.passes else ibis.literal(False)
        if "events" in known.facts:
            seen = seen | row["firm_last_touch"].notnull()
        return ibis.cases(
            (engine.days_between(as_of, latest) > limit, "churned"),
            (latest.notnull() | won, "customer"),
            (is_open, "opportunity"),
            (seen, "prospect"),
            else_="lead",
        )

    return stage
