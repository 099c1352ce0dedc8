"""Which column of a file is which column of a contract: by name, checked by value.

Everything here is a pure function of column profiles, so that an answer to a question can be worked in without reading
the file again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from segmentry.columns import Type
from segmentry.data.profiling import ColumnProfile, TableProfile
from segmentry.data.vocabulary import concept_of, fold, has_word, name_score, words_in, words_of
from segmentry.errors import UsageError
from segmentry.tables import TABLES
from segmentry.texts import vocabularies

# Below this a needed mapping is asked about; candidates nearer than CLOSE to the best are asked about, too.
SURE = 0.6
CLOSE = 0.08
_HIDDEN = frozenset({"customer_key", "line_kind", "source", "file", "line", "row_id", "known_from", "known_until"})


@dataclass(frozen=True)
class Mapped:
    """What a column of the contract is in the file: the name of a column, or an expression over several."""

    expression: str
    uses: tuple[str, ...]  # columns of the file
    confidence: float
    reason: str
    rivals: tuple[str, ...] = ()  # columns of the file that were nearly as good

    @property
    def check(self) -> bool:
        """Whether a person should look at it."""
        return self.confidence < SURE or bool(self.rivals)


ColumnMap = dict[str, Mapped]


def quoted(name: str) -> str:
    """A column of the file as an expression: double-quoted unless it is a plain name and no word of SQL.

    >>> quoted("InvoiceNo"), quoted("Customer ID"), quoted("order")
    ('InvoiceNo', '"Customer ID"', '"order"')
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in _SQL_WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


_SQL_WORDS = words_in(
    """all and any array as asc at between both by case cast collate column constraint create cross current_date
    current_time current_timestamp date default desc describe distinct div drop else end escape except exists extract
    false fetch filter first following for foreign from full group having if ilike in index inner insert intersect
    interval into is isnull join key last left like limit natural not notnull null offset on only or order outer over
    partition pivot position preceding primary qualify range references replace returning right row rows select set show
    similar some struct table then time timestamp to trailing trim true try_cast union unique unnest unpivot update use
    using values view when where window with xor day month year hour minute second"""
)


def columns_of(kind: str) -> tuple[str, ...]:
    """The columns of a kind that a person may map."""
    return tuple(name for name in TABLES[kind].names if name not in _HIDDEN)


def needed(kind: str) -> tuple[str, ...]:
    """The columns that a source of a kind cannot do without; facts need a customer to be of use."""
    required = tuple(name for name in TABLES[kind].required if name not in _HIDDEN)
    facts = kind in {"transactions", "events", "responses"}
    return ("customer", *required) if facts and "customer" not in required else required


def map_columns(kind: str, table: TableProfile, fixed: Mapping[str, str] | None = None) -> ColumnMap:
    """The best column of the file for each column of a kind; those without one are left out.

    ``fixed`` holds answers of a person: column of the contract -> column of the file.
    """
    mapped: ColumnMap = {}
    for target, name in (fixed or {}).items():
        if name not in table.names:
            raise UsageError(f"'{name}' is no column of the file.", fix="Choose one of its columns.")
        mapped[target] = Mapped(name, (name,), 1.0, "your answer")
    scores = _scores(kind, table)
    used = {name for m in mapped.values() for name in m.uses}
    ranked = sorted(
        ((score, target, name) for target, found in scores.items() for name, score in found.items()),
        key=lambda item: (-item[0], columns_of(kind).index(item[1]), table.names.index(item[2])),
    )
    for score, target, name in ranked:
        if target in mapped or name in used or score < 0.4:
            continue
        mapped[target] = Mapped(name, (name,), score, "by its name")
        used.add(name)
    for fallback in _FALLBACKS.get(kind, ()):
        for target, found in fallback(table, mapped, used):
            if target not in mapped or (target in _REPLACEABLE and target not in (fixed or {})):
                mapped[target] = found
                used.update(found.uses)
    return {target: _with_rivals(kind, target, mapped, scores) for target in columns_of(kind) if target in mapped}


def candidates(kind: str, target: str, table: TableProfile) -> tuple[str, ...]:
    """The columns of the file that could be a column of the contract, the best first."""
    found = _scores(kind, table).get(target, {})
    possible = [c.name for c in table.columns if _fits(kind, target, c) > 0 and c.filled]
    return tuple(sorted(possible, key=lambda name: (-found.get(name, 0.0), table.names.index(name))))


def _with_rivals(kind: str, target: str, mapped: ColumnMap, scores: Mapping[str, Mapping[str, float]]) -> Mapped:
    found = mapped[target]
    if target not in needed(kind) or found.confidence == 1.0:
        return found
    taken = {name for m in mapped.values() for name in m.uses}
    rivals = tuple(
        name
        for name, score in scores.get(target, {}).items()
        if name not in taken and score > found.confidence - CLOSE and score >= 0.4
    )
    return Mapped(found.expression, found.uses, found.confidence, found.reason, rivals)


def _scores(kind: str, table: TableProfile) -> dict[str, dict[str, float]]:
    scores: dict[str, dict[str, float]] = {}
    for target in columns_of(kind):
        for column in table.columns:
            by_name = name_score(column.name, concept_of(kind, target))
            score = by_name * _fits(kind, target, column) if by_name and column.filled else 0.0
            if score:
                scores.setdefault(target, {})[column.name] = round(score, 3)
    return scores


# What values may be -----------------------------------------------------------------------------------------------


# Plausible bounds of numbers about people and companies, generous on both sides: the data are real, with real errors.
_BOUNDS: dict[str, tuple[float, float]] = {
    "birth_year": (1880, 2035),
    "founded": (1500, 2035),
    "age": (0, 125),
    "household_size": (0, 30),
    "children": (0, 25),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
}


_DAY_OF_YEAR = re.compile(r"([0-3]?\d)[-/.]([0-3]?\d)\.?")


def _is_day_of_year(column: ColumnProfile) -> float:
    days = sum(1 for v in column.values if _DAY_OF_YEAR.fullmatch(v.strip()))
    return float(days >= 0.9 * max(1, len(column.values)))


def _says_urban_or_rural(column: ColumnProfile) -> bool:
    """Whether a column says city, suburb or country: at least two of these, and hardly anything else."""
    if not column.is_category or column.is_number or column.distinct > _MOST_LEVELS["area_type"]:
        return False
    strange = set(vocabularies.unknown("area_type", column.levels))
    meant = set(vocabularies.meanings("area_type", [v for v in column.levels if v not in strange]).values())
    return len(meant - {None}) >= 2 and sum(1 for v in column.values if v in strange) <= 0.05 * len(column.values)


# What the values of a column look like that its name alone does not prove.
_LOOK: dict[str, Callable[[ColumnProfile], float]] = {
    "email": lambda column: 1.0 if column.shares["email"] >= 0.5 else 0.3,
    "birthday": _is_day_of_year,
    # Somebody's own: hardly anybody else has it.
    "person_id": lambda column: _id_fit(column) * float(column.uniqueness >= 0.5),
}
_MOST_LEVELS = {"gender": 12, "status": 6, "area_type": 12}


def _fits(kind: str, target: str, column: ColumnProfile) -> float:
    """How well the values of a column fit a column of a contract, 0 to 1."""
    declared = TABLES[kind][target]
    if target in _BOUNDS:
        inside = column.within(*_BOUNDS[target]) if column.is_number else 0.0
        return inside if inside >= 0.95 else 0.0
    if target in _LOOK:
        return _LOOK[target](column)
    if target in _MOST_LEVELS:
        return float(column.distinct <= _MOST_LEVELS[target])
    if declared.type in {Type.TIME, Type.DATE}:
        return float(column.is_time or _since_1970(column))
    if declared.type in {Type.NUMBER, Type.MONEY, Type.INTEGER}:
        return _number_fit(target, column)
    return _id_fit(column) if declared.type is Type.ID else _text_fit(target, column)


def _since_1970(column: ColumnProfile) -> bool:
    """Seconds or milliseconds since 1970, between 1990 and 2035: of a column whose name says time."""
    seconds, milliseconds = (6.3e8, 2.05e9), (6.3e11, 2.05e12)
    return column.is_integer and (column.within(*seconds) == 1 or column.within(*milliseconds) == 1)


def _number_fit(target: str, column: ColumnProfile) -> float:
    share = 1.0 if column.stored == "number" else column.shares["number"]
    if share < 0.9 or column.is_code or column.is_time:
        return 0.0
    if target == "discount" and column.within(0, 1) == 1 and not column.is_integer:
        return 0.0  # a share of the price, not an amount of money
    return share


def _id_fit(column: ColumnProfile) -> float:
    fraction = column.is_number and not column.is_integer
    bank = column.shares["iban"] >= 0.5 or column.shares["card"] >= 0.9
    return 0.0 if fraction or bank or column.is_time or column.stored == "boolean" else 1.0


def _text_fit(target: str, column: ColumnProfile) -> float:
    if column.is_time:
        return 0.0
    coded = {
        "education",
        "marital_status",
        "occupation",
        "region",
        "channel",
        "store",
        "category",
        "answer",
        "postcode",
    }
    if column.is_number and target not in coded | {"phone", "address", "industry", "status", "question", "name"}:
        return 0.0
    if target in {"postcode", "region", "city"} and _says_urban_or_rural(column):
        return 0.0  # a column called zip_code that says "Rural" is no postal code
    if target == "country" and column.distinct > 260:  # there are about 250 countries in ISO 3166
        return 0.0
    return 1.0


# What no single name says ---------------------------------------------------------------------------------------------

_Found = Iterator[tuple[str, Mapped]]
# A line total found by a doubtful name gives way to quantity x unit price; others to what is put together of them.
_REPLACEABLE = frozenset({"amount", "address", "birthday"})


def _account_as_customer(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    if "customer" in mapped:
        return
    for column in table.columns:
        score = name_score(column.name, "account") * _fits("transactions", "customer", column)
        if column.name not in used and score >= 0.7:
            reason = "the organisation stands for the customer: the file names nobody else"
            yield "customer", Mapped(column.name, (column.name,), round(0.75 * score, 3), reason)
            return


def _repeating_id(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    if "customer" in mapped:
        return
    for column in table.columns:
        if column.name in used or not column.filled or not _fits("transactions", "customer", column):
            continue
        if name_score(column.name, "generic_id") >= 0.8 and column.uniqueness < 0.95:
            yield "customer", Mapped(column.name, (column.name,), 0.7, "an id that repeats")
            return
    for column in table.columns:
        if column.name not in used and column.shares["email"] >= 0.8:
            reason = "the e-mail address stands for the customer: there is no id"
            yield "customer", Mapped(column.name, (column.name,), 0.6, reason)
            return
    for column in table.columns:
        if column.name not in used and name_score(column.name, "customers.name") >= 0.8 and not column.is_number:
            reason = "the name stands for the customer: there is no id"
            yield "customer", Mapped(column.name, (column.name,), 0.5, reason)
            return


def _nameless_id(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    """A code that repeats beside a date and an amount: order lines whose columns do not say what they are."""
    if "customer" in mapped or not {"time", "amount"} <= mapped.keys():
        return
    for column in table.columns:
        free = column.name not in used and _id_fit(column) and column.fill > 0.5 and column.max_length <= 40
        if free and column.distinct >= 20 and column.uniqueness < 0.8 and (column.is_number or column.is_code):
            yield "customer", Mapped(column.name, (column.name,), 0.45, "a code that repeats beside dates and amounts")
            return


def _only_time(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    if "time" in mapped:
        return
    times = [c for c in table.columns if c.is_time and c.name not in used and not name_score(c.name, "birth_date")]
    if len(times) == 1:
        yield "time", Mapped(times[0].name, (times[0].name,), 0.65, "the only column of dates")
    elif times:
        best = max(times, key=lambda c: (c.fill, c.distinct))
        rivals = tuple(c.name for c in times if c is not best)
        yield "time", Mapped(best.name, (best.name,), 0.5, "one of several columns of dates", rivals)


def _quantity_times_price(table: TableProfile, mapped: ColumnMap, _: set[str]) -> _Found:
    """The amount as quantity x unit price, where no column holds the total of a line."""
    quantity = mapped.get("quantity")
    if quantity is None:
        return
    prices = {
        c.name: score
        for c in table.columns
        if (score := name_score(c.name, "unit_price") * _fits("transactions", "amount", c)) > 0
    }
    amount = mapped.get("amount")
    # A column called plain 'price' is the price of a piece where there is a quantity; 'total' is not.
    if not prices or (amount is not None and amount.confidence > 0.8):
        return
    price = max(prices, key=lambda name: prices[name])
    if amount is not None and amount.uses[0] not in prices:
        return
    confidence = round(min(quantity.confidence, max(prices[price], 0.8)), 3)
    expression = f"{quoted(quantity.uses[0])} * {quoted(price)}"
    uses = (*quantity.uses, price)
    yield "amount", Mapped(expression, uses, confidence, "quantity times unit price: no column holds the line total")


def _only_money(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    if "amount" in mapped:
        return
    prices = [
        c for c in table.columns if name_score(c.name, "unit_price") >= 0.8 and c.is_number and c.name not in used
    ]
    money = [c for c in table.columns if c.is_number and not c.is_integer and c.name not in used and c.shares["number"]]
    for column in (*prices, *(money if len(money) == 1 else ())):
        confidence = 0.7 if column in prices else 0.5
        reason = "a price: no column holds a quantity" if column in prices else "the only number with decimals"
        yield "amount", Mapped(column.name, (column.name,), confidence, reason)
        return


def _unique_id(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    """Customers: the id of the row, where no column is called customer."""
    if "customer" in mapped:
        return
    free = [c for c in table.columns if _fits("customers", "customer", c) and c.filled]
    for column in free:
        if column.name not in used and name_score(column.name, "generic_id") >= 0.8 and column.uniqueness >= 0.98:
            yield "customer", Mapped(column.name, (column.name,), 0.75, "an id that occurs once per row")
            return
    for column in free:
        if column.shares["email"] >= 0.8 and column.uniqueness >= 0.9 and column.fill >= 0.9:
            reason = "the e-mail address stands for the customer: there is no id"
            yield "customer", Mapped(column.name, (column.name,), 0.6, reason)
            return
    for column in free:
        coded = column.values and all(re.search(r"\d", v) and len(v) <= 40 and " " not in v for v in column.values)
        words = words_of(column.name)
        called = words and words[-1] in {"id", "no", "nr", "number", "nummer", "code", "key", "num"}
        if column.name not in used and coded and called and column.uniqueness == 1 and column.fill == 1:
            yield "customer", Mapped(column.name, (column.name,), 0.5, "a code that occurs once per row")
            return


def _children_in_parts(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    """Children counted in two columns: small ones and teenagers."""
    if "children" in mapped:
        return
    parts = [
        c.name
        for c in table.columns
        if c.name not in used
        and c.is_integer
        and c.within(0, 15) == 1
        and any(
            word.startswith(("kid", "teen", "kind", "enfant", "hijo", "figli", "child")) for word in words_of(c.name)
        )
    ]
    if len(parts) >= 2:
        expression = " + ".join(quoted(name) for name in parts)
        yield "children", Mapped(expression, tuple(parts), 0.85, "counted in parts")


def _area_type_by_values(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    """City or country, whatever the column is called."""
    if "area_type" in mapped:
        return
    for column in table.columns:
        if column.name not in used and _says_urban_or_rural(column):
            yield "area_type", Mapped(column.name, (column.name,), 0.9, "its values are urban, suburban or rural")
            return


_HOUSE_NUMBER = words_in(
    "housenumber streetnumber houseno streetno hausnummer hausnr huisnummer numerorue numerocivico"
)


def _address_in_parts(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    """A street without the number of the house, which stands in a column of its own."""
    street = mapped.get("address")
    if street is None or len(street.uses) != 1:
        return
    for column in table.columns:
        if column.name not in used and fold(column.name) in _HOUSE_NUMBER and column.max_length <= 10:
            # concat, because a street without a number is an address, too
            expression = f"concat({quoted(column.name)}, ' ', {quoted(street.uses[0])})"
            yield "address", Mapped(expression, (column.name, *street.uses), street.confidence, "number and street")
            return


def _birthday_day_first(table: TableProfile, mapped: ColumnMap, _: set[str]) -> _Found:
    """Days of birth that are written 31/12."""
    found = mapped.get("birthday")
    if found is None:
        return
    values = [m for v in table[found.uses[0]].values if (m := _DAY_OF_YEAR.fullmatch(v.strip()))]
    day_first = sum(1 for m in values if int(m[1]) > 12) > sum(1 for m in values if int(m[2]) > 12)
    if day_first and all(len(m[1]) == len(m[2]) == 2 for m in values):
        name = quoted(found.uses[0])
        expression = f"concat(substring({name}, 4, 2), '-', left({name}, 2))"
        yield "birthday", Mapped(expression, found.uses, found.confidence, "the day stands first")


_MONEY_PREFIX = words_in(
    """mnt amt amount spend spent spending revenue sales umsatz ausgaben montant depense importe gasto bedrag omzet
    importo spesa expenditure"""
)


def _value_in_parts(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    """Value as the sum of amounts by product that share a prefix: MntWines + MntFruits + ..."""
    if "value" in mapped:
        return
    groups: dict[str, list[str]] = {}
    for column in table.columns:
        words = words_of(column.name)
        if column.name not in used and len(words) > 1 and column.is_number and column.within(0, 1e12) == 1:
            groups.setdefault(words[0], []).append(column.name)
    for prefix, names in groups.items():
        if prefix in _MONEY_PREFIX and len(names) >= 3:
            expression = " + ".join(quoted(name) for name in names)
            yield "value", Mapped(expression, (), 0.8, "the sum of amounts that share a prefix")
            return


def _type_of_cost(table: TableProfile, mapped: ColumnMap, used: set[str]) -> _Found:
    if "type" not in mapped and "amount" in mapped:
        for column in table.columns:
            if column.name not in used and has_word(column.name, "type") and column.is_category:
                yield "type", Mapped(column.name, (column.name,), 0.5, "a category called type")
                return


def _name_as_account(_: TableProfile, mapped: ColumnMap, __: set[str]) -> _Found:
    if "account" not in mapped and "account_name" in mapped:
        name = mapped["account_name"]
        reason = "the name stands for the id: there is none"
        yield "account", Mapped(name.expression, name.uses, round(0.9 * name.confidence, 3), reason)


def _account_as_name(table: TableProfile, mapped: ColumnMap, __: set[str]) -> _Found:
    """Where the id of an organisation is its name."""
    found = mapped.get("account")
    if found is None or "account_name" in mapped or len(found.uses) != 1:
        return
    column = table[found.uses[0]]
    if not (column.is_code or column.is_number) and column.values and any(" " in v for v in column.values):
        yield "account_name", Mapped(found.expression, found.uses, round(0.9 * found.confidence, 3), "the id is a name")


_Fallback = Callable[[TableProfile, ColumnMap, set[str]], _Found]
_FACTS: tuple[_Fallback, ...] = (_account_as_customer, _repeating_id, _only_time)
_FALLBACKS: dict[str, tuple[_Fallback, ...]] = {
    "transactions": (*_FACTS, _quantity_times_price, _only_money, _nameless_id),
    "events": _FACTS,
    "responses": (_account_as_customer, _repeating_id),
    "customers": (
        _unique_id,
        _children_in_parts,
        _value_in_parts,
        _address_in_parts,
        _birthday_day_first,
        _area_type_by_values,
    ),
    "accounts": (_name_as_account, _account_as_name),
    "costs": (_type_of_cost,),
}
