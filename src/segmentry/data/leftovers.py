"""The columns that no contract asks for: which become attributes of the customer, and which are left out, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from segmentry.catalogue import Model, lookup
from segmentry.columns import Pii, Type
from segmentry.data.mapping import Mapped
from segmentry.data.personal import personal
from segmentry.data.profiling import ColumnProfile, TableProfile, same_meaning
from segmentry.data.vocabulary import has_word, words_in, words_of
from segmentry.tables import TABLES

Kind = Literal["number", "category", "boolean"]
# Kinds whose further columns say something about a customer; of the others only the columns of the contract are read.
_DESCRIBING = frozenset({"customers", "accounts", "transactions", "places"})
_FEW = 30  # levels of a category of transactions that is worth a trait per customer
_LEAST_BANDS = 3
_MANY = 100  # levels from which on a category of customers is free text or a code


@dataclass(frozen=True)
class AttributeProposal:
    """A column of the file that becomes a trait."""

    name: str
    source: str  # column of the file
    expression: str
    model: Model
    kind: Kind
    unit: str = ""
    pii: Pii = Pii.NONE
    distinct: int = 0
    fill: float = 1.0


# Columns that the table of traits has besides the traits.
_RESERVED = words_in("customer_key customer_id segment")


def leftovers(
    table: TableProfile, kind: str, columns: Mapping[str, Mapped]
) -> tuple[tuple[AttributeProposal, ...], tuple[tuple[str, str], ...]]:
    """Attributes, and the columns left out with the reason of each, in the order of the file."""
    used = {name for m in columns.values() for name in m.uses}
    attributes: list[AttributeProposal] = []
    left_out: list[tuple[str, str]] = []
    taken = set(_RESERVED)
    kept: list[ColumnProfile] = [table[name] for name in used]
    contract = TABLES[kind]
    ids = {n for t, m in columns.items() if t in contract and contract[t].type is Type.ID for n in m.uses}
    measured = [c for c in table.columns if c.name not in ids and _measured(c) and not _one_by_one(c)]
    for column in table.columns:
        if column.name in used:
            continue
        reason = _why_not(column, kind) or _copy_of(column, kept) or _bands_of(column, measured)
        if reason:
            left_out.append((column.name, reason))
            continue
        kept.append(column)
        attribute = _attribute(column, kind, taken)
        taken.add(attribute.name)
        attributes.append(attribute)
    return tuple(attributes), tuple(left_out)


def _why_not(column: ColumnProfile, kind: str) -> str:
    """Why a column is no attribute; empty where it is one. The first reason that holds is given."""
    found = personal(column)
    pii = found.pii if found else Pii.NONE
    many = f"{column.distinct:,} different values in {column.filled:,} rows: a code or free text"
    reasons = (
        (not column.filled, "empty"),
        (column.constant, "the same in every row"),
        (column.distinct == 1, "one value only"),
        (pii is Pii.DIRECT, f"personal: {found.holds if found else ''}"),
        (column.row_number, "numbers the rows"),
        (kind not in _DESCRIBING, f"not needed of {kind}"),
        (kind == "places" and pii is Pii.QUASI, f"names the place: {found.holds if found else ''}"),
        (column.is_time, "a date; an attribute is a number, a category or yes/no"),
        (kind == "transactions" and _measured(column), "a number about a line, not about a customer"),
        (kind == "transactions" and not _few_levels(column), f"{many}, no trait of a customer"),
        (
            pii is Pii.QUASI and not _measured(column) and column.distinct > _FEW,
            f"personal: {found.holds if found else ''}",
        ),
        (not _measured(column) and _free_text(column), many),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _few_levels(column: ColumnProfile) -> bool:
    return column.is_boolean or (1 < column.distinct <= _FEW and column.filled >= 20)


def _free_text(column: ColumnProfile) -> bool:
    return column.distinct > _MANY or (column.uniqueness > 0.5 and column.filled >= 20)


def _copy_of(column: ColumnProfile, kept: list[ColumnProfile]) -> str:
    for other in kept:
        if same_meaning(column, other):
            return f"says the same as {other.name}"
    return ""


def _one_by_one(column: ColumnProfile) -> bool:
    """Whole numbers that occur once each, as those of customers do: a file in the order of its regions has bands."""
    return column.is_integer and column.distinct == column.filled


def _bands_of(column: ColumnProfile, measured: Sequence[ColumnProfile]) -> str:
    """Whether a category cuts a number of the same file into bands, such as '$100 - $200'; where, in words."""
    if column.is_number or column.is_boolean or not _LEAST_BANDS <= column.distinct <= _FEW:
        return ""
    for other in measured:
        if other.distinct < 10 * column.distinct:
            continue
        within: dict[str, list[float]] = {}
        for level, number in zip(column.sample, other.vector.tolist(), strict=True):
            if level is not None and number == number:  # noqa: PLR0124 - NaN where there is none
                within.setdefault(level, []).append(number)
        ends = sorted((min(numbers), max(numbers)) for numbers in within.values() if len(numbers) > 1)
        apart = all(before[1] < after[0] for before, after in pairwise(ends))
        if len(ends) >= _LEAST_BANDS and apart:
            return f"bands of {other.name}"
    return ""


def _measured(column: ColumnProfile) -> bool:
    """A number that is one: no code, and no yes or no."""
    return not column.is_boolean and column.is_number and not _coded(column)


def _coded(column: ColumnProfile) -> bool:
    """Whole numbers that stand for something: 'region code', 'store id'."""
    words = words_of(column.name)
    last = words[-1] if words else ""
    code = {"id", "code", "key", "type", "class", "cluster", "zone", "group", "nr", "no", "sku", "zip", "segment"}
    return column.is_integer and last in code


def _attribute(column: ColumnProfile, kind: str, taken: set[str]) -> AttributeProposal:
    values: Kind = "boolean" if column.is_boolean else "number"
    if not column.is_boolean and (not column.is_number or _coded(column)):
        values = "category"
    model, unit = _model_of(column, kind), _unit_of(column, values)
    if unit == "currency" and model is Model.BEHAVIORAL and values == "number":
        model = Model.VALUE
    found = personal(column)
    pii = found.pii if found is not None else Pii.QUASI if model is Model.DEMOGRAPHIC else Pii.NONE
    if kind == "places":  # the income of a place is nobody's own; a figure that no two places share tells the place
        pii = Pii.QUASI if column.uniqueness > 0.5 else Pii.NONE
    return AttributeProposal(
        name=_free_name(column.name, kind, taken),
        source=column.name,
        expression=column.name,
        model=model,
        kind=values,
        unit=unit,
        pii=pii,
        distinct=column.distinct,
        fill=column.fill,
    )


def snake(name: str) -> str:
    """A name in snake_case that the workspace file allows.

    >>> snake("MntWines"), snake("Avg Monthly GB Download"), snake("2nd Card"), snake("AcceptedCmp3"), snake("Größe")
    ('mnt_wines', 'avg_monthly_gb_download', 'x_2nd_card', 'accepted_cmp3', 'grosse')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", "_", name)
    plain = "".join(_ASCII.get(c, c) for c in spaced.lower())
    plain = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40].rstrip("_")
    return plain if re.match(r"[a-z]", plain) else f"x_{plain}"[:40].rstrip("_")


_ASCII = {
    **dict.fromkeys("àáâãäå", "a"),
    **dict.fromkeys("èéêë", "e"),
    **dict.fromkeys("ìíîï", "i"),
    **dict.fromkeys("òóôõö", "o"),
    **dict.fromkeys("ùúûü", "u"),
    "ß": "ss",
    "ç": "c",
    "ñ": "n",
    "%": "_percent_",
}


def _free_name(name: str, kind: str, taken: set[str]) -> str:
    table = TABLES["customers" if kind == "accounts" else kind]
    plain = snake(name)
    options = (plain, f"{plain[:33]}_stated", *(f"{plain[:36]}_{n}" for n in range(2, 1000)))
    # A built-in trait of that name would be two columns of one name in the table of traits.
    tables = (table, TABLES[kind], TABLES["golden_customers"], TABLES.get(f"golden_{kind}", table))
    return next(o for o in options if not (o in taken or lookup(o) or any(o in t for t in tables)))


# Models and units by the words of a name ------------------------------------------------------------------------------

_MODEL_WORDS: tuple[tuple[Model, str], ...] = (
    (
        Model.NEEDS,
        """satisfaction, nps, csat, rating, importance, need, needs, benefit, preference, preferred, reason, motive,
        like, zufriedenheit, bewertung, wichtigkeit, besoin, satisfaccion, tevredenheid, soddisfazione""",
    ),
    (
        Model.TECHNOGRAPHIC,
        """device, browser, os, operating system, internet, platform, app, software, streaming, online security,
        online backup, device protection, tech support, phone service, multiple lines, unlimited data, paperless,
        technology, bandwidth, fiber, gerat, betriebssystem, navigateur, dispositivo, apparaat""",
    ),
    (
        Model.PSYCHOGRAPHIC,
        """interest, interests, hobby, hobbies, attitude, lifestyle, opinion, values, personality, belief, interesse,
        interessen, einstellung, lebensstil, centre interet, interet, aficion, interesses, hobbys, interessi""",
    ),
    (
        Model.FIRMOGRAPHIC,
        """industry, sector, employees, headcount, company, legal form, naics, sic, year established, founded, branche,
        rechtsform, secteur, effectif, empleados, medewerkers, settore, dipendenti""",
    ),
    (
        Model.GEOGRAPHIC,
        """country, region, city, state, zip, postcode, location, territory, urban, rural, climate,
        timezone, time zone, area, district, neighbourhood, office location, gebiet, bezirk, stadtteil, quartier, zona,
        barrio, wijk, gebied, distrito, quartiere""",
    ),
    (
        Model.VALUE,
        """mrr, arr, acv, revenue, spend, spent, spending, sales, margin, profit, clv, cltv, ltv, lifetime value,
        value, charges,
        charge, refunds, amount, mnt, monetary, balance, credit limit, arpu, fee, price, turnover, umsatz, ertrag,
        deckungsbeitrag, montant, marge, importe, ingresos, bedrag, omzet, importo, fatturato""",
    ),
    (
        Model.DEMOGRAPHIC,
        """age, gender, sex, birth, married, marital, dependents, children, kids, kidhome, teenhome, household, family,
        education, occupation, job, income, salary, senior, citizen, nationality, homeowner, home owner, ethnicity,
        race, religion, under 30, alter, geschlecht, kinder, haushalt, beruf, familie, sexe, enfants, foyer, edad,
        hijos, hogar, leeftijd, kinderen, huishouden, eta, figli, famiglia""",
    ),
)
_UNIT_WORDS: tuple[tuple[str, str], ...] = (
    ("months", "months, in months, tenure months, monate, mois, meses, maanden, mesi"),
    ("years", "years, in years, jahre, ans, anos, jaren, anni"),
    ("weeks", "weeks, wochen, semaines, semanas, weken, settimane"),
    ("days", "days, in days, recency, tage, jours, dias, dagen, giorni"),
    ("GB", "gb, gigabytes"),
    ("%", "percent, percentage, pct, prozent, pourcentage, porcentaje, percentuale, share"),
    (
        "currency",
        """mrr, arr, acv, amount, mnt, amt, spend, spent, spending, revenue, sales, charge, charges, refund, refunds,
        price, fee, cost,
        income, salary, balance, credit limit, margin, profit, cltv, clv, ltv, lifetime value, value, monetary,
        turnover, payment, usd, eur, gbp, dollar, umsatz, betrag, preis, kosten, montant, prix, importe, precio, gasto,
        bedrag, prijs, omzet, importo, prezzo, fatturato""",
    ),
)


def _model_of(column: ColumnProfile, kind: str) -> Model:
    if kind == "transactions":
        return Model.BEHAVIORAL
    if kind == "places":
        return Model.GEOGRAPHIC
    for model, phrases in _MODEL_WORDS:
        if any(has_word(column.name, phrase) for phrase in phrases.split(",")):
            return model
    return Model.BEHAVIORAL


def _unit_of(column: ColumnProfile, values: Kind) -> str:
    if values != "number":
        return ""
    for unit, phrases in _UNIT_WORDS:
        if any(has_word(column.name, phrase) for phrase in phrases.split(",")):
            # 'number of sales' and 'NumDealsPurchases' are counts, and so is a small whole number.
            if unit == "currency" and _counted(column):
                return ""
            if unit == "days" and (not column.is_integer or _perhaps_months(column)):
                return ""
            return unit
    return ""


def _perhaps_months(column: ColumnProfile) -> bool:
    """Whether a recency never goes beyond a year of months: days since the last order would."""
    return has_word(column.name, "recency") and not has_word(column.name, "days") and column.within(0, 12) == 1


def _counted(column: ColumnProfile) -> bool:
    words = words_of(column.name)
    counts = {"num", "number", "count", "no", "nb", "anzahl", "nombre", "numero", "aantal", "score", "index", "rank"}
    return any(word in counts for word in words) or (column.is_integer and column.within(0, 10) == 1)
