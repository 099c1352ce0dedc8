"""What the rows of a file are, and which of its columns is which: with a confidence, and the reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.catalogue import Model
from segmentry.columns import Pii
from segmentry.data.known import Known, made
from segmentry.data.known_exports import find_export
from segmentry.data.known_surveys import alike, find_anonymous_survey, find_survey
from segmentry.data.leftovers import AttributeProposal, Kind, leftovers
from segmentry.data.mapping import SURE, ColumnMap, Mapped, candidates, columns_of, map_columns, needed, quoted
from segmentry.data.personal import personal
from segmentry.data.profiling import ColumnProfile, TableProfile, looks_like_a_record, profile
from segmentry.data.source_files import Origin
from segmentry.data.survey_header import SurveyHeading
from segmentry.data.vocabulary import KIND_WORDS, name_score, words_in, words_of
from segmentry.errors import DataError

NO_CUSTOMER = "no column identifies the customer"
# Below this a kind is no more than a guess, and the file is left out.
POSSIBLE = 0.35


# So many columns at least tell of somebody where rows are taken for customers whom nothing names.
_LEAST_TOLD = 3

DAY_FIRST = ("day first", "month first")


@dataclass(frozen=True)
class Question:
    """What a person can answer better than the file: ``candidates`` has the best guess first.

    ``column`` is the column of the contract that is asked about, or ``kind``, or ``day_first``.
    """

    source: str
    column: str
    candidates: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class SourceProposal:
    """What a file (or several of the same columns) is taken for.

    ``kind`` is None where it is none of the kinds that can be collected; ``reasons`` then says why.
    """

    name: str
    paths: tuple[str, ...]
    origin: Origin | None = field(default=None, kw_only=True)
    kind: str | None
    confidence: float
    reasons: tuple[str, ...]
    columns: ColumnMap
    attributes: tuple[AttributeProposal, ...]
    left_out: tuple[tuple[str, str], ...]  # column of the file, why
    pii: Mapping[str, Pii]
    pii_why: Mapping[str, str]  # by column: what it holds, and what says so
    table: TableProfile = field(repr=False)
    sheet: str | None = None
    day_first: bool | None = None
    day_doubt: str = ""  # a column of dates that does not tell
    id_space: str | None = None
    id_space_note: str = ""
    returns: str | None = None
    charges: str | None = None
    charge_note: str = ""
    return_note: str = ""
    as_customers: bool = False  # organisations that stand for the customers
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # what is told on the terminal, too
    answers: Mapping[str, str] = field(default_factory=dict)
    known: Known | None = None  # the export that it is recognised as

    @property
    def questions(self) -> tuple[Question, ...]:
        """What should be asked, the kind first."""
        if self.kind is None:
            return ()
        asked: list[Question | None] = []
        if self.confidence < SURE and "kind" not in self.answers:
            possible = [k for k in _KINDS if set(needed(k)) <= map_columns(k, self.table).keys()]
            kinds = (self.kind, *(k for k in possible if k != self.kind))
            asked.append(Question(self.name, "kind", kinds, f"What is a row of {self.name}?"))
        asked += [self._ask(self.kind, target) for target in needed(self.kind) if target not in self.answers]
        if self.day_doubt:
            text = f"Is 01/02/2024 in {self.day_doubt} of {self.name} 1 February (day first) or 2 January?"
            options = DAY_FIRST if self.day_first else DAY_FIRST[::-1]
            asked.append(Question(self.name, "day_first", options, text))
        return tuple(question for question in asked if question and len(question.candidates) > 1)

    def _ask(self, kind: str, target: str) -> Question | None:
        found = self.columns.get(target)
        if found is None or not found.check:
            return None
        # What is surely something else is not offered.
        sure = {n for t, m in self.columns.items() if t != target and m.confidence >= 0.95 for n in m.uses}
        others = (*found.rivals, *candidates(kind, target, self.table))
        offered = dict.fromkeys([*found.uses[:1], *(name for name in others if name not in sure)])
        text = f"Which column of {self.name} is the {_WORDS.get(target, target)}?"
        return Question(self.name, target, tuple(offered)[:_OFFERED], text)


_OFFERED = 8  # more candidates than this are a list of all columns
_WORDS = {
    "customer": "customer's id",
    "time": "date of the record",
    "amount": "amount paid",
    "account": "organisation's id",
    "product": "product code",
}


def recognise(
    con: Backend,
    table: ir.Table,
    *,
    name: str,
    paths: Sequence[str] = (),
    sheet: str | None = None,
    heading: SurveyHeading | None = None,
) -> SourceProposal:
    """What the rows of one table of records are.

    ``table`` is what :func:`segmentry.data.files.open_records` gives; ``name`` names the source and its file in
    messages; ``heading`` is what a survey tool's header says. Raises :class:`DataError` where there are no columns, no
    records, or no header line.
    """
    names = [column for column in table.columns if column != "_line"]
    shown = paths[0] if paths else name
    if looks_like_a_record(names):
        raise DataError(
            f"{shown}: the first line seems to be a record, not the names of the columns.",
            why="Columns are recognised by their names.",
            fix="Add a first line with a name for each column, for example customer_id,date,amount.",
        )
    found = replace(profile(con, table), heading=heading)
    if not found.rows:
        raise DataError(
            f"{shown}: has column names but no records.",
            why="What the columns hold is found out from the records.",
            fix="Export the file again with its records, or leave it out.",
        )
    return understand(found, name=name, paths=tuple(paths), sheet=sheet)


def understand(
    table: TableProfile,
    *,
    name: str,
    paths: tuple[str, ...],
    sheet: str | None = None,
    answers: Mapping[str, str] | None = None,
) -> SourceProposal:
    """The proposal for profiled columns; ``answers`` of a person (column of the contract, or ``kind``) are kept to."""
    given = dict(answers or {})
    fixed = {target: column for target, column in given.items() if target != "kind"}
    known = find_known(table, name, paths)
    if known is not None and given.get("kind", known.kind) != known.kind:
        known = None
    if "kind" in given:
        judged: _Judged = (given["kind"], 1.0, ("your answer",))
    elif known is not None:
        judged = (known.kind, known.confidence, known.reasons)
    else:
        judged = _best_kind(table, name, paths, fixed)
    kind, confidence, reasons = judged
    if kind is None:
        known = find_anonymous_survey(table, name)
        if known is not None:
            kind, confidence, reasons = known.kind, known.confidence, known.reasons
    columns = _columns(kind, table, fixed, known) if kind else {}
    proposal = SourceProposal(
        name=name,
        paths=paths,
        kind=kind,
        confidence=confidence,
        reasons=reasons,
        columns=columns,
        attributes=(),
        left_out=(),
        pii={},
        pii_why={},
        table=table,
        sheet=sheet,
        answers=given,
        known=known,
        notes=known.notes if known else (),
    )
    return complete(proposal)


def find_known(table: TableProfile, name: str, paths: Sequence[str]) -> Known | None:
    """The export that a file is as a whole; None where its columns have to be understood one by one."""
    return find_survey(table, name) or find_export(table, _words_about(name, paths))


def _words_about(name: str, paths: Sequence[str]) -> frozenset[str]:
    return frozenset(w for text in (name, *(Path(p).stem for p in paths[:1])) for w in words_of(text))


def _columns(kind: str, table: TableProfile, fixed: Mapping[str, str], known: Known | None) -> ColumnMap:
    if known is None:
        return map_columns(kind, table, fixed)
    own = {target: found for target, found in known.columns.items() if target not in fixed}
    if known.whole:
        answered = {t: Mapped(quoted(c), (c,), 1.0, "your answer") for t, c in fixed.items() if t in known.columns}
        return own | answered
    # An export's own columns go before what names say; what it does not speak of is found by name.
    used = {name for found in own.values() for name in found.uses}
    others = map_columns(kind, table, fixed)
    free = {t: m for t, m in others.items() if t not in own and (t in fixed or not used & set(m.uses))}
    merged = own | free
    return {target: merged[target] for target in columns_of(kind) if target in merged}


# What an organisation's columns are called as traits, where organisations stand for the customers.
_OF_ACCOUNTS: dict[str, tuple[str, Kind, str]] = {
    "industry": ("industry", "category", ""),
    "employees": ("employees", "number", "persons"),
    "revenue": ("annual_revenue", "number", "currency a year"),
    "founded": ("founded_year", "number", "year"),
    "parent": ("parent_account", "category", ""),
}


# Columns of customers that make sense for an organisation, too.
_SHARED_WITH_ACCOUNTS = words_in(
    "joined_at updated_at address phone email language country region city postcode latitude longitude"
)


def organisations_as_customers(proposal: SourceProposal, taken: Collection[str] = ()) -> SourceProposal:
    """A source of accounts read as customers: each organisation is a customer, its columns are traits.

    Its name is none of those ``taken``.
    """
    options = (f"{proposal.name[:24]}_as_customers{n}" for n in ("", *range(2, 100)))
    called = proposal.name if proposal.name not in taken else next(o for o in options if o not in taken)
    organisation = proposal.columns["account"]
    read = {name for m in proposal.columns.values() for name in m.uses}
    found = map_columns("customers", proposal.table, {"customer": organisation.uses[0]})
    columns = {
        target: mapped
        for target, mapped in found.items()
        if target in _SHARED_WITH_ACCOUNTS and not read & set(mapped.uses)
    }
    columns |= {target: m for target, m in proposal.columns.items() if target in _SHARED_WITH_ACCOUNTS}
    columns |= {"customer": organisation, "account": organisation}
    columns = {target: columns[target] for target in columns_of("customers") if target in columns}
    made = []
    for target, (name, kind, unit) in _OF_ACCOUNTS.items():
        if target in proposal.columns:
            column = proposal.table[proposal.columns[target].uses[0]]
            made.append(
                AttributeProposal(
                    name,
                    column.name,
                    column.name,
                    Model.FIRMOGRAPHIC,
                    kind,
                    unit,
                    Pii.NONE,
                    column.distinct,
                    column.fill,
                )
            )
    names = {a.name for a in made}
    used = {name for m in columns.values() for name in m.uses}
    others = tuple(a for a in proposal.attributes if a.name not in names and a.source not in used)
    unused = tuple((name, reason) for name, reason in proposal.left_out if name not in used)
    left_out = tuple(
        (proposal.columns[target].uses[0], "names the organisation; not needed of customers")
        for target in ("account_name", "domain")
        if target in proposal.columns and proposal.columns[target].uses[0] not in used
    )
    note = "Each organisation is read as a customer: no file names the people behind it."
    return replace(
        proposal,
        name=called,
        kind="customers",
        columns=columns,
        attributes=(*made, *others),
        left_out=(*unused, *left_out),
        as_customers=True,
        notes=(*proposal.notes, note),
    )


def as_known(proposal: SourceProposal, name: str, known: Known) -> SourceProposal:
    """The file of a proposal read once more, as another source of a known kind."""
    made = replace(
        proposal,
        name=name,
        kind=known.kind,
        confidence=known.confidence,
        reasons=known.reasons,
        columns={target: known.columns[target] for target in columns_of(known.kind) if target in known.columns},
        answers={},
        known=known,
        notes=known.notes,
    )
    return complete(made)


CUSTOMERS_IN_ROWS = "customers_in_rows"


def rows_as_customers(proposal: SourceProposal) -> SourceProposal | None:
    """A source that names nobody, read as customers, one a row; None where rows say too little, or are sales."""
    table = proposal.table
    if {"time", "amount"} <= map_columns("transactions", table).keys():
        return None
    about = {t: m for t, m in map_columns("customers", table).items() if t not in ("customer", "known_as")}
    reason = "no column identifies the customer, and this is the only file: each row is taken for a customer of its own"
    columns = {"customer": made("_row", "an id made of the row", 0.7), **about}
    note = "A row that is exported with another value is a new customer. Better: export the customer's number along."
    found = complete(
        replace(
            proposal,
            kind="customers",
            confidence=0.5,
            reasons=(reason,),
            columns=columns,
            answers={"kind": "customers"},
            known=Known("customers", 0.5, (reason,), columns, layout=CUSTOMERS_IN_ROWS),
            notes=(note,),
        )
    )
    return found if len(about) + len(found.attributes) >= _LEAST_TOLD else None


def respondents_as_customers(survey: SourceProposal, taken: Collection[str]) -> tuple[SourceProposal, ...]:
    """A survey of people whom nothing names, and its rows read once more as the people who answered, of the same ids.

    What describes them forms no segments, so it must be no answer. Empty for another source, one of a survey tool, or
    one that says nothing else of its respondents. The second has none of the names ``taken``.
    """
    known = survey.known
    if known is None or known.answers is None or "time" in survey.columns or survey.columns["customer"].uses:
        return ()
    people = rows_as_customers(survey)
    items = {c.name for c in alike(survey.table)}
    attributes = tuple(a for a in people.attributes if a.source not in items) if people else ()
    about = tuple(name for m in people.columns.values() for name in m.uses) if people else ()
    if people is None or not (attributes or about):
        return ()
    options = (f"{survey.name[:24]}_people{n}" for n in ("", *range(2, 100)))
    people = replace(
        people,
        name=next(o for o in options if o not in taken),
        reasons=(f"what the rows of {survey.name} say of the respondents, beside the answers",),
        attributes=attributes,
        left_out=tuple((name, reason) for name, reason in people.left_out if name not in items),
        id_space=survey.name,
        id_space_note=f"the rows of {survey.name}",
        notes=(),
    )
    answers = known.answers.model_copy(update={"leave_out": (*known.answers.leave_out, *about)})
    return replace(survey, known=replace(known, answers=answers)), people


def complete(proposal: SourceProposal) -> SourceProposal:
    """The proposal with its attributes, personal columns and what is left out worked out from its mapping."""
    used = {name: target for target, m in proposal.columns.items() for name in m.uses}
    pii: dict[str, Pii] = {}
    why: dict[str, str] = {}
    for column in proposal.table.columns:
        target = used.get(column.name)
        found = personal(
            column, f"{proposal.kind}.{target}" if target and target not in ("amount", "properties") else None
        )
        if found is not None:
            pii[column.name] = found.pii
            why[column.name] = f"{found.holds}: {found.why}"
    if proposal.kind is None:
        return replace(proposal, pii=pii, pii_why=why)
    if proposal.known is not None and proposal.known.layout not in (None, CUSTOMERS_IN_ROWS):
        return replace(proposal, pii=pii, pii_why=why)
    attributes, left_out = leftovers(proposal.table, proposal.kind, proposal.columns)
    if proposal.kind == "places":  # the file speaks of no person; a trait made of it may tell where one lives
        return replace(proposal, attributes=attributes, left_out=left_out)
    pii |= {a.source: a.pii for a in attributes if a.pii is not Pii.NONE}
    return replace(proposal, attributes=attributes, left_out=left_out, pii=pii, pii_why=why)


# Kinds ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Evidence:
    """How much speaks for a kind, and what."""

    score: float
    reasons: tuple[str, ...] = ()


_Judged = tuple[str | None, float, tuple[str, ...]]


def _best_kind(table: TableProfile, name: str, paths: Sequence[str], fixed: Mapping[str, str]) -> _Judged:
    words = _words_about(name, paths)
    found: dict[str, _Evidence] = {}
    for kind, judge in _KINDS.items():
        usable = {t: c for t, c in fixed.items() if t in needed(kind)}
        evidence = judge(table, map_columns(kind, table, usable))
        if evidence.score and words & KIND_WORDS[kind]:
            evidence = _Evidence(evidence.score + 0.08, (*evidence.reasons, "so the file's name says"))
        found[kind] = evidence
    best = max(found, key=lambda kind: found[kind].score)
    score = round(min(found[best].score, 0.99), 2)
    if score < POSSIBLE:
        return None, score, (_why_none(found),)
    return best, score, found[best].reasons


def _why_none(found: Mapping[str, _Evidence]) -> str:
    hints = [
        reason for kind in ("customers", "transactions") for reason in found[kind].reasons[:1] if found[kind].score
    ]
    return hints[0] if hints else NO_CUSTOMER


def _confidence(columns: ColumnMap, *targets: str) -> float:
    return min((columns[t].confidence if t in columns else 0.0 for t in targets), default=0.0)


def _one(table: TableProfile, columns: ColumnMap, target: str) -> ColumnProfile | None:
    found = columns.get(target)
    return table[found.uses[0]] if found and len(found.uses) == 1 else None


def _per_row(column: ColumnProfile) -> float:
    """1 where each value occurs once, less where values repeat."""
    return 1.0 if column.uniqueness >= 0.98 else 0.6 if column.uniqueness >= 0.8 else 0.25


def _transactions(table: TableProfile, columns: ColumnMap) -> _Evidence:
    what = _confidence(columns, "time", "amount")
    who = _one(table, columns, "customer")
    if not what or who is None:
        return _Evidence(0.0)
    repeats = who.uniqueness < 0.95 or "order" in columns
    # Without repeat customers it is a list of first orders, if there is hardly anything but a date and an amount.
    spare = len(table.columns) - sum(len(m.uses) for m in columns.values())
    first_orders = 0.85 if what == 1 and spare <= 1 else 0.45
    score = what * (0.5 + 0.5 * columns["customer"].confidence) * (1.0 if repeats else first_orders)
    reasons = [
        f"each row has a customer ({columns['customer'].uses[0]}), a date ({', '.join(columns['time'].uses)}) and an "
        f"amount ({columns['amount'].expression})"
    ]
    if who.uniqueness < 0.95:
        reasons.append(f"a customer has {1 / who.uniqueness:,.1f} rows on average")
    return _Evidence(score, tuple(reasons))


# What says that a row is about a person, beside an id.
_ABOUT_PEOPLE = (
    "name",
    "first_name",
    "last_name",
    "email",
    "phone",
    "birth_date",
    "birth_year",
    "age",
    "gender",
    "income",
)
_PLACE = ("postcode", "city", "region", "country")


def _customers(table: TableProfile, columns: ColumnMap) -> _Evidence:
    id_ = _one(table, columns, "customer")
    if id_ is None:
        return _Evidence(0.0)
    described = len(columns) - 1 + sum(1 for c in table.columns if c is not id_ and (c.is_category or c.is_number)) / 2
    score = columns["customer"].confidence * _per_row(id_) * (0.75 + 0.25 * min(1.0, described / 2))
    email = _one(table, columns, "email")
    if email is not None and email.uniqueness < 0.9 and columns["customer"].confidence < 1:
        score *= 0.6  # the same people several times: rows are what they did
    if "updated_at" in columns and id_.uniqueness < 0.8:
        score *= 2.4  # a history of customer records: ids repeat, each time with the date of the change
    if _per_row(id_) < 1:
        return _Evidence(score, (f"{id_.name} repeats, and no date and amount stand beside it",))
    for target in _PLACE:
        place = _one(table, columns, target)
        if place is not None and place.filled >= 50 and place.uniqueness >= 0.98 and not _people(columns):
            why = f"each {place.name} occurs once and nothing tells of a person: the rows are places, not customers"
            return _Evidence(score * 0.2, (why,))
    about = [t for t in (*_ABOUT_PEOPLE, *_PLACE) if t in columns]
    reasons = [f"each {id_.name} occurs once"]
    if about:
        reasons.append(f"there is {_listed(about[:4])}")
    return _Evidence(score, tuple(reasons))


def _people(columns: ColumnMap) -> bool:
    return any(t in columns for t in _ABOUT_PEOPLE) or columns["customer"].confidence > 0.9


def _listed(names: Sequence[str]) -> str:
    plain = [name.replace("_", " ") for name in names]
    return plain[0] if len(plain) == 1 else ", ".join(plain[:-1]) + " and " + plain[-1]


def _accounts(table: TableProfile, columns: ColumnMap) -> _Evidence:
    id_ = _one(table, columns, "account")
    if id_ is None:
        return _Evidence(0.0)
    about = [t for t in ("industry", "employees", "revenue", "founded", "domain", "parent") if t in columns]
    if any(name_score(c.name, "customer") == 1 and c.uniqueness >= 0.98 for c in table.columns):
        about = about[:1]  # a row has a customer's id of its own: the organisation describes the customer
    score = columns["account"].confidence * _per_row(id_) * min(1.0, 0.45 + 0.2 * len(about))
    return _Evidence(score, (f"each {id_.name} occurs once, with {_listed(about)}",) if about else ())


def _products(table: TableProfile, columns: ColumnMap) -> _Evidence:
    id_ = _one(table, columns, "product")
    if id_ is None or any(name_score(c.name, "customer") >= 0.8 for c in table.columns):
        return _Evidence(0.0)
    about = [t for t in ("product_name", "category", "unit_cost", "list_price") if t in columns]
    score = columns["product"].confidence * _per_row(id_) * min(1.0, 0.3 + 0.3 * len(about))
    return _Evidence(score, (f"each {id_.name} occurs once, with {_listed(about)}",) if about else ())


def _events(table: TableProfile, columns: ColumnMap) -> _Evidence:
    what = _confidence(columns, "time", "name")
    if not what or "customer" not in columns:
        return _Evidence(0.0)
    money = [c for c in table.columns if name_score(c.name, "amount") >= 0.8 and c.is_number]
    score = what * (0.5 + 0.5 * columns["customer"].confidence) * (0.7 if money else 1.0)
    return _Evidence(score, ("each row has a customer, a time and the name of what happened",))


def _responses(_: TableProfile, columns: ColumnMap) -> _Evidence:
    score = _confidence(columns, "question", "answer", "customer")
    return _Evidence(score, ("each row has a respondent, a question and an answer",) if score else ())


def _costs(table: TableProfile, columns: ColumnMap) -> _Evidence:
    score = _confidence(columns, "type", "amount")
    if not score or ("customer" in columns and any(name_score(c.name, "order") >= 0.8 for c in table.columns)):
        return _Evidence(0.0)
    words = {w for c in table.columns for w in words_of(c.name)} & KIND_WORDS["costs"]
    return _Evidence(score * (0.85 if words else 0.3), ("each row has a type of cost and an amount",))


def _opportunities(table: TableProfile, columns: ColumnMap) -> _Evidence:
    id_ = _one(table, columns, "opportunity")
    if id_ is None or "account" not in columns or not {"amount", "closes_at"} & columns.keys():
        return _Evidence(0.0)
    score = _confidence(columns, "opportunity", "stage") * _per_row(id_)
    return _Evidence(score, (f"each {id_.name} occurs once, with its stage and its organisation",))


def _stores(table: TableProfile, columns: ColumnMap) -> _Evidence:
    id_ = _one(table, columns, "store")
    if id_ is None or any(name_score(c.name, "customer") >= 0.8 for c in table.columns):
        return _Evidence(0.0)
    about = [t for t in ("store_name", "latitude", "longitude", "postcode", "city") if t in columns]
    score = columns["store"].confidence * _per_row(id_) * min(1.0, 0.3 + 0.3 * len(about))
    return _Evidence(score, (f"each {id_.name} occurs once, with {_listed(about)}",) if about else ())


_CONSENT = words_in("granted denied opt-in opt-out optin optout opted-in opted-out subscribed unsubscribed")


def _consents(table: TableProfile, columns: ColumnMap) -> _Evidence:
    status = _one(table, columns, "status")
    if status is None or "customer" not in columns:
        return _Evidence(0.0)
    consents = [c for c in table.columns if any("consen" in w or "einwillig" in w for w in words_of(c.name))]
    said = bool(status.levels) and all(v.lower().replace(" ", "-") in _CONSENT for v in status.levels)
    shape = ("channel" in columns or "purpose" in columns) and (status.is_boolean or said)
    score = _confidence(columns, "customer", "status") * (0.9 if said or (consents and shape) else 0.3)
    extra = len(table.columns) - len(columns)
    return _Evidence(score * (0.4 if extra > 4 else 1.0), ("each row has a customer and whether consent was given",))


_LEAST_PLACES = 50  # fewer customers may well live in as many places


def _places(table: TableProfile, columns: ColumnMap) -> _Evidence:
    """A table with one row per postal code that tells of no person, organisation or shop."""
    place = _one(table, columns, "postcode")
    about = map_columns("customers", table)
    named = "customer" in about
    # The income and the age of a place are means; beside an id they may be somebody's own.
    somebody = any(t in about for t in (*_ABOUT_PEOPLE, "account", "address") if named or t not in ("income", "age"))
    if place is None or place.filled < _LEAST_PLACES or place.uniqueness < 0.98 or somebody:
        return _Evidence(0.0)
    if named and about["customer"].confidence > 0.9:
        return _Evidence(0.0)
    return _Evidence(
        0.95 * columns["postcode"].confidence,
        (f"each {place.name} occurs once and nothing tells of a person: the rows are places, not customers",),
    )


def _market(_: TableProfile, columns: ColumnMap) -> _Evidence:
    score = _confidence(columns, "cell", "measure", "value")
    return _Evidence(score, ("each row has a cell, a measure and its value",) if score else ())


_KINDS: dict[str, Callable[[TableProfile, ColumnMap], _Evidence]] = {
    "customers": _customers,
    "transactions": _transactions,
    "accounts": _accounts,
    "opportunities": _opportunities,
    "products": _products,
    "stores": _stores,
    "events": _events,
    "responses": _responses,
    "costs": _costs,
    "consents": _consents,
    "market": _market,
    "places": _places,
}
