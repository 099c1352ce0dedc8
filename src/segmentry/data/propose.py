"""From files to a proposal for a whole workspace: sources, id spaces, the rhythm of orders, first segmentations.

:func:`propose` reads the files, a :class:`Proposal` is data, :func:`to_yaml` writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations, permutations
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry import expressions, postcodes
from segmentry.data import files, values
from segmentry.data.contacts import by_contact, with_own_id
from segmentry.data.currency import currency_of, mixed_currencies
from segmentry.data.known_exports import OPEN_OR_LOST, opportunities_of
from segmentry.data.lost_zeros import lost_zeros
from segmentry.data.order_lines import (
    Rhythm,
    find_charges,
    find_lost,
    find_returns,
    orders_of,
    rhythm,
    totals_repeat,
)
from segmentry.data.profiling import ambiguous_days
from segmentry.data.proposal import Proposal, distinct_attributes, listed
from segmentry.data.proposal_yaml import to_yaml
from segmentry.data.recognise import (
    NO_CUSTOMER,
    Question,
    SourceProposal,
    as_known,
    organisations_as_customers,
    recognise,
    respondents_as_customers,
    rows_as_customers,
)
from segmentry.data.repeats import repeated
from segmentry.data.source_files import (
    Group,
    LeftOut,
    Opened,
    Progress,
    grouped,
    in_folders,
    open_group,
    source_name,
    unusable,
    written_paths,
)
from segmentry.data.vocabulary import name_score
from segmentry.errors import DataError

__all__ = ["Proposal", "Question", "propose", "to_yaml"]

# Ids of two files are of one kind when at least this share of the smaller set is in the larger one.
_SHARED = 0.05
# Ids of one file are those of another but for zeros in front: so many of them then join, and so many more than before.
_SAME_BUT_FOR_ZEROS = 0.5
_ZEROS = 0.02
# When so many of a system's ids share what is one person's own with another id, the same people are looked for. A
# value that more ids share than a crowd is a default.
_REPEATED = 0.02
_CROWD = 20
# Lines in which returns, charges and the rhythm are looked for: a bound on the time that a first look takes.
_LOOKED_AT = 5_000_000


@dataclass(frozen=True)
class _Found:
    """A recognised source with its records."""

    source: SourceProposal
    opened: Opened


def propose(
    con: Backend,
    paths: Sequence[str],
    root: Path,
    scratch: Path,
    *,
    name: str | None = None,
    tables: Sequence[Group] = (),
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Proposal:
    """Recognise files and propose a workspace in ``root`` that reads them.

    ``paths`` are files, patterns or folders, relative to ``root`` or absolute; ``tables`` the first rows of tables
    of databases; ``scratch`` is a folder for what must be unpacked or transcoded; ``now`` judges which dates lie
    in the future (default: the clock). ``progress`` is told bytes looked at and bytes in all. Raises
    :class:`DataError` when nothing tells of customers.
    """
    paths = in_folders(paths, root)
    groups, left_out = grouped(files.expand(paths, root), root)
    groups += tables
    found: list[_Found] = []
    sizes = [sum(path.stat().st_size for path in group.paths) for group in groups]
    for i, group in enumerate(groups):
        before, total = sum(sizes[:i]), max(1, sum(sizes))
        shown = (lambda part, _, before=before, total=total: progress(before + part, total)) if progress else None
        taken = {f.source.name for f in found}
        outcome = _recognised(con, group, paths, root, scratch, taken, shown, alone=len(groups) == 1)
        if isinstance(outcome, LeftOut):
            left_out.append(outcome)
        else:
            found.append(outcome)
    found = _without_repeats(_customers_from_accounts(_opportunities_from_deals(found)), left_out)
    found = _with_places(_with_respondents(found), left_out)
    if not any("customer" in f.source.columns for f in found):
        raise _nothing_about_customers(left_out, found)
    moment = now or datetime.now(UTC)
    rhythms = []
    found = [_with_day_first(each, moment) for each in found]
    for i, each in enumerate(found):
        if each.source.kind == "transactions":
            found[i], rows = _looked_into(each, moment)
            rhythms.append(rows)
    found = [
        replace(f, source=replace(f.source, doubts=(*lost_zeros(f.source), *mixed_currencies(f.source)))) for f in found
    ]
    found = _with_contacts(_with_id_spaces(con, found))
    sources = distinct_attributes([f.source for f in found])
    made = Proposal(
        name=name or root.resolve().name or "segments",
        sources=sources,
        left_out=tuple(left_out),
        currency=currency_of(sources),
        rhythm=_rhythm(rhythms),
        several_ids=_several_ids(found),
    )
    for each in found:
        each.opened.close()
    return made


def _recognised(
    con: Backend,
    group: Group,
    paths: Sequence[str],
    root: Path,
    scratch: Path,
    taken: set[str],
    progress: Progress | None,
    *,
    alone: bool,
) -> _Found | LeftOut:
    try:
        opened = open_group(con, group, scratch, progress)
        written = written_paths(group, paths, root) if group.origin is None else (group.origin.table,)
        name = source_name(group, taken)
        source = recognise(
            con, opened.first, name=name, paths=written, sheet=group.sheet, heading=group.shapes[0].heading
        )
        source = replace(source, origin=group.origin)
    except DataError as error:
        left_out = unusable(group.paths[0], root, error)
        return replace(left_out, path=group.origin.table) if group.origin else left_out
    if source.kind is None and alone and source.reasons[0] == NO_CUSTOMER:
        source = rows_as_customers(source) or source
    if source.kind is None:
        opened.close()
        return LeftOut(source.paths[0], source.reasons[0], source.table.names)
    if opened.not_opened:
        note = f"Looked at the first {len(opened.records)} of {len(group.paths)} files; `segmentry run` reads all."
        source = replace(source, notes=(*source.notes, note))
    return _Found(source, opened)


def _customers_from_accounts(found: list[_Found]) -> list[_Found]:
    """Organisations stand for customers, too, where no file is about people."""
    if any(f.source.kind == "customers" for f in found):
        return found
    made = []
    for each in found:
        made.append(each)
        if each.source.kind == "accounts":
            stand_ins = organisations_as_customers(each.source, taken={f.source.name for f in found})
            # Its further columns become traits of the customers that it stands for.
            made[-1] = replace(each, source=replace(each.source, attributes=(), left_out=()))
            made.append(replace(each, source=stand_ins))
    return made


def _opportunities_from_deals(found: list[_Found]) -> list[_Found]:
    """Deals are read twice where there are accounts: those won as purchases, all of them as opportunities."""
    if not any(f.source.kind == "accounts" for f in found):
        return found
    made = []
    for each in found:
        made.append(each)
        aside = each.source.known.set_aside if each.source.known else {}
        deals = opportunities_of(each.source.table) if OPEN_OR_LOST in aside else None
        if deals is not None:
            taken = {f.source.name for f in (*found, *made)}
            options = ("opportunities", "pipeline", *(f"pipeline{n}" for n in range(2, 100)))
            name = next(o for o in options if o not in taken)
            made.append(replace(each, source=as_known(each.source, name, deals)))
    return made


def _with_respondents(found: list[_Found]) -> list[_Found]:
    """Surveys that name nobody are read twice: the answers, and what else the rows say of the respondents."""
    made: list[_Found] = []
    for each in found:
        read_twice = respondents_as_customers(each.source, {f.source.name for f in (*found, *made)})
        made += [replace(each, source=source) for source in read_twice] or [each]
    return made


def _without_repeats(found: list[_Found], left_out: list[LeftOut]) -> list[_Found]:
    """The sources without those whose rows stand in a larger one, too."""
    told = repeated([(f.source, f.opened) for f in found])
    for each in found:
        if each.source.name in told:
            left_out.append(LeftOut(each.source.paths[0], told[each.source.name], each.source.table.names))
            each.opened.close()
    return [f for f in found if f.source.name not in told]


def _with_places(found: list[_Found], left_out: list[LeftOut]) -> list[_Found]:
    """Tables of places with how many postal codes of customers they hold; left out where no customer has one."""
    homes = [f for f in found if f.source.kind == "customers" and len(_postcode(f)) == 1]
    made = []
    for each in found:
        if each.source.kind != "places":
            made.append(each)
        elif not homes:
            reason = f"{each.source.reasons[0]}, and no file of customers has a postal code"
            left_out.append(LeftOut(each.source.paths[0], reason, each.source.table.names))
            each.opened.close()
        else:
            notes = tuple(_found_places(home, each) for home in homes)
            made.append(replace(each, source=replace(each.source, notes=(*each.source.notes, *notes))))
    return made


def _postcode(found: _Found) -> tuple[str, ...]:
    mapped = found.source.columns.get("postcode")
    return mapped.uses if mapped else ()


def _found_places(home: _Found, places: _Found) -> str:
    codes = [
        f.opened.all(*_postcode(f)).rename(code=_postcode(f)[0]).mutate(code=lambda t: t["code"].cast("string"))
        for f in (home, places)
    ]
    lived, listed = (t.filter(t["code"].notnull()).select(code=postcodes.comparable(t["code"])) for t in codes)
    known = lived["code"].isin(listed["code"])
    share = lived.agg(share=known.cast("float64").mean()).to_pyarrow().to_pylist()[0]["share"] or 0.0
    return (
        f"Joined to customers by {home.source.columns['postcode'].expression} of {home.source.name}: "
        f"{100 * share:.0f} % of its postal codes are here. Of a postal code with several rows the last counts."
    )


def _with_day_first(found: _Found, now: datetime) -> _Found:
    """The source with what is assumed where no date of a column tells whether its day or its month comes first."""
    source = found.source
    for mapped in source.columns.values():
        for name in mapped.uses:
            if not ambiguous_days(source.table[name]):
                continue
            form = values.time_formats(found.opened.all(name), [name], latest=now)[name]
            if form.ambiguous:
                source = replace(source, day_first=form.day_first is not False, day_doubt=name)
    return replace(found, source=source)


# Order lines ----------------------------------------------------------------------------------------------------------


def _looked_into(found: _Found, now: datetime) -> tuple[_Found, ir.Table]:
    """Transactions with their returns and charges, found by value, and their orders: customer and time."""
    source = found.source
    used = list(dict.fromkeys(name for m in source.columns.values() for name in m.uses))
    aside = [expressions.parse(c, where="set_aside") for c in (source.known.set_aside.values() if source.known else ())]
    judged = [name for condition in aside for name in condition.columns]
    lines = found.opened.all("_line", *used, *judged).limit(_LOOKED_AT)
    for condition in aside:
        lines = lines.filter(~condition.bind(lines).fill_null(False))
    returns, charges = find_returns(lines, source.table, source.columns), find_charges(lines, source.columns)
    notes = list(source.notes)
    if not source.table.complete and int(lines.count().to_pyarrow().as_py()) == _LOOKED_AT:
        notes.append(f"Returns, charges and the life cycle were found in the first {_LOOKED_AT:,} lines.")
    if totals_repeat(lines, source.columns):
        amount = source.columns["amount"].expression
        notes.append(f"{amount} is the same on all lines of an order: if it is the order's total, sums count it twice.")
    if not aside and (lost := find_lost(source.table, source.columns)):
        notes.append(lost)
    made = replace(
        source,
        returns=returns.where if returns else None,
        return_note=returns.note if returns else "",
        charges=charges.where if charges else None,
        charge_note=charges.note if charges else "",
        notes=tuple(notes),
    )
    return replace(found, source=made), orders_of(lines, source.columns, now=now)


def _rhythm(orders: Sequence[ir.Table]) -> Rhythm | None:
    if not orders:
        return None
    first, *others = orders
    return rhythm(first.union(*others) if others else first)


# Id spaces ------------------------------------------------------------------------------------------------------------


def _with_id_spaces(con: Backend, found: list[_Found]) -> list[_Found]:
    """Sources that share ids get one id space; the others one of their own.

    The id of an account counts as one wherever it stands: on accounts, on their contacts, on what they bought.
    """
    customers = [f for f in found if "customer" in f.source.columns and f.source.columns["customer"].uses]
    with_ids = [f for f in found if f in customers or f.source.kind in ("accounts", "opportunities")]
    found = [_alone(f) for f in found]
    if len(with_ids) < 2:
        return found
    ids = _stored_ids(con, with_ids)
    overlap, doubts = _overlaps(ids), _lost_against_another(ids)
    for each_ids in ids:
        con.drop_table(each_ids.table.get_name(), force=True)
    space = {f.source.name: f.source.name for f in with_ids}
    for (one, other), share in overlap.items():
        if share >= _SHARED:
            old, new = space[other], space[one]
            space = {name: new if at == old else at for name, at in space.items()}
    main = _main_space(space, [f.source.name for f in customers])
    made = []
    for each in found:
        source = each.source
        if source.name in space and (len(customers) > 1 or space[source.name] != main):
            at = space[source.name]
            mine = [s.source for s in with_ids if space[s.source.name] == at and s is not each]
            id_space = "customers" if at == main else at
            source = replace(source, id_space=id_space, id_space_note=_id_note(source, mine, overlap))
            peers = [s for s in mine if "customer" in s.columns]
            if peers and at == main and (own := with_own_id(source)):
                note = f"ids of its own; {source.columns['customer'].expression} states those of {peers[0].name}"
                source = replace(own, id_space=source.name, id_space_note=note)
        if source.name in doubts:
            source = replace(source, doubts=(*source.doubts, doubts[source.name]))
        made.append(replace(each, source=source))
    return made


def _with_contacts(found: list[_Found]) -> list[_Found]:
    """Facts that name an e-mail address are joined to the customers of whom one is known."""
    known = [f.source.name for f in found if f.source.kind == "customers" and "email" in f.source.columns]
    return [replace(f, source=by_contact(f.source, known[0])) for f in found] if known else found


def _main_space(space: Mapping[str, str], customers: Sequence[str]) -> str | None:
    """The space that is called `customers`: the first that several sources with customers share, or the only one's."""
    own = [space[name] for name in customers]
    if len(own) == 1:
        return own[0]
    every = list(space.values())
    return next((at for at in own if own.count(at) > 1), next((at for at in own if every.count(at) > 1), None))


def _alone(found: _Found) -> _Found:
    """Respondents who are nobody's customers have ids of their own."""
    customer = found.source.columns.get("customer")
    if customer is None or customer.uses or found.source.id_space:
        return found
    return replace(
        found, source=replace(found.source, id_space=found.source.name, id_space_note="ids made of the rows")
    )


@dataclass(frozen=True)
class _Ids:
    """The different ids of a source: as they are (``id``), and without zeros in front (``bare``)."""

    source: str
    whose: str
    table: ir.Table
    number: int

    def shared(self, other: _Ids, column: str = "id") -> int:
        """How many of them the other source has."""
        return int(self.table.semi_join(other.table, column).count().to_pyarrow().as_py())


def _stored_ids(con: Backend, found: Sequence[_Found]) -> list[_Ids]:
    kept = []
    for each in found:
        for target, whose in _ids_in(each.source):
            names = each.source.columns[target].uses
            table = each.opened.all(*names)
            ids = table.select(id=ibis.coalesce(*(values.identifier(table[name]) for name in names)))
            ids = ids.filter(ids["id"].notnull()).distinct()
            ids = ids.mutate(bare=ids["id"].re_replace("^0+([0-9]+)$", "\\1"))
            stored = con.create_table(f"ids_{each.source.name}_{whose}", ids, temp=True, overwrite=True)
            kept.append(_Ids(each.source.name, whose, stored, int(stored.count().to_pyarrow().as_py())))
    return kept


def _overlaps(ids: Sequence[_Ids]) -> dict[tuple[str, str], float]:
    """Of each pair of sources: the share of the smaller set of ids that the other has, too."""
    shares: dict[tuple[str, str], float] = {}
    for one, other in combinations(ids, 2):
        if one.source != other.source and one.whose == other.whose:
            pair = (one.source, other.source)
            share = one.shared(other) / max(1, min(one.number, other.number))
            shares[pair] = max(share, shares.get(pair, 0.0))
    return shares


def _lost_against_another(ids: Sequence[_Ids]) -> dict[str, str]:
    """What is to be said of sources whose ids are those of another one but for zeros in front."""
    led = {}
    for each in ids:
        zeros = each.table.filter(each.table["bare"] != each.table["id"]).count().to_pyarrow().as_py()
        led[each.source, each.whose] = int(zeros) / max(1, each.number)
    told: dict[str, str] = {}
    for one, other in permutations(ids, 2):
        apart = one.source != other.source and one.whose == other.whose and one.source not in told
        lost = led[one.source, one.whose] < _ZEROS <= led[other.source, other.whose]
        if not apart or not lost:
            continue
        now, then = (one.shared(other, column) / max(1, one.number) for column in ("id", "bare"))
        if then >= _SAME_BUT_FOR_ZEROS and then - now >= _ZEROS:
            told[one.source] = (
                f"{100 * then:.0f} % of its ids are those of {other.source} without the zeros in front, "
                f"{100 * now:.0f} % as they are, so the others do not join. Nothing is changed: export the ids as text"
            )
    return told


def _ids_in(source: SourceProposal) -> list[tuple[str, str]]:
    """The columns of a source that hold ids, and whose: customers' or accounts'."""
    found = [("customer", "customer")] if "customer" in source.columns else []
    if source.kind in ("customers", "accounts", "opportunities") and "account" in source.columns:
        found.append(("account", "account"))
    elif found and name_score(source.columns["customer"].uses[0], "account") >= 0.7:
        found.append(("customer", "account"))  # the organisation stands for the customer
    return [(target, whose) for target, whose in found if source.columns[target].uses]


def _id_note(source: SourceProposal, mine: Sequence[SourceProposal], overlap: Mapping[tuple[str, str], float]) -> str:
    if not mine:
        return "fewer than 5 % of its ids are in another source; one id_space for both joins what they hold"

    def share(other: SourceProposal) -> float:
        return max(overlap.get((source.name, other.name), 0.0), overlap.get((other.name, source.name), 0.0))

    best = max(mine, key=share)
    note = f"{100 * share(best):.0f} % of the ids are in {best.name}, too"
    columns = {s.name: s.columns[_ids_in(s)[0][0]].uses[0] for s in (source, best)}
    names = {name.casefold() for name in columns.values()}
    counted = all(s.table[columns[s.name]].is_integer for s in (source, best))
    # Two systems that both number their customers 1, 2, 3 ... share ids without sharing customers.
    return f"{note}; both are plain numbers: please check" if counted and len(names) > 1 else note


# What only one person has; names that two share are nobody's own.
_OWN = (("email",), ("person_id",), ("first_name", "last_name", "birth_date"), ("name", "birth_date"))


def _several_ids(found: Sequence[_Found]) -> str:
    """What says that the only system there is has the same people under several ids; empty where nothing does."""
    spaces = {f.source.id_space for f in found if "customer" in f.source.columns}
    if len(spaces) > 1:
        return ""  # then the same people are looked for anyway
    for each in found:
        columns = {t: m.uses[0] for t, m in each.source.columns.items() if len(m.uses) == 1}
        if each.source.kind != "customers" or "customer" not in columns:
            continue
        for own in _OWN:
            if not columns.keys() >= set(own):
                continue
            rows = each.opened.all(columns["customer"], *(columns[c] for c in own)).limit(_LOOKED_AT)
            told = rows.select(
                id=values.identifier(rows[columns["customer"]]),
                **{c: values.identifier(rows[columns[c]]).lower() for c in own},
            )
            told = told.filter(*(told[c].notnull() for c in told.columns))
            sizes = told.group_by(own).agg(ids=told["id"].nunique())
            repeated = sizes["ids"].sum(where=(sizes["ids"] > 1) & (sizes["ids"] <= _CROWD))
            counts = sizes.agg(several=repeated, ids=sizes["ids"].sum()).to_pyarrow().to_pylist()[0]
            several, ids = counts["several"], counts["ids"]
            if several and several / ids >= _REPEATED:
                what = " and ".join(columns[c] for c in own)
                return f"{100 * several / ids:.0f} % of the ids in {each.source.name} share their {what} with another"
    return ""


# Errors ---------------------------------------------------------------------------------------------------------------


def _nothing_about_customers(left_out: Sequence[LeftOut], found: Sequence[_Found]) -> DataError:
    if len(left_out) == 1 and not found:
        only = left_out[0]
        if only.error is not None:
            return only.error
        return DataError(
            f"{only.path}: {only.reason}.",
            why=f"Every record must say whose it is. The columns are: {listed(only.columns)}.",
            fix="Export the customer's number or e-mail address along. If each row is a customer of its own, add a "
            "column that numbers the rows, such as customer_id, and run init again.",
        )
    reasons = [f"{u.path}: {u.reason.rstrip('.')}" for u in left_out]
    reasons += [f"{f.source.paths[0]}: {f.source.kind}" for f in found]
    return DataError(
        "None of the files tells of customers." if reasons else "No file was found.",
        why="; ".join(reasons) + "." if reasons else "",
        fix="Add a file with one row per customer, or with orders, in which a column holds the customer's number.",
    )
