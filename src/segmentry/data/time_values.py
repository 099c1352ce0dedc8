"""From text to times in UTC: several ways of writing them in one column, day or month first as the column shows.

Read are ISO 8601 (with ``T``, ``Z`` and offsets), years first with ``/`` or ``.``, days or months first with ``/``,
``-`` or ``.``, years of two digits (69 to 99 are 19xx, as POSIX has it), ``20101201`` with or without a time, names of
months (English, German, French, Spanish, Italian, Portuguese, Dutch: ``1 Dec 2010``, ``Dec 1, 2010``, ``01-DEC-10``),
months alone (``2010-12``: their first day), Excel's serial numbers, and seconds or milliseconds since 1970. A time of
day may follow any date, with AM and PM too.

Whether ``01/02/2010`` has the day first is decided for each of ``/``, ``-`` and ``.`` by the column: a number above 12
in one place settles it. Where no cell has one: the caller's preference; else the order that puts fewer cells after
``latest``; else day first, and the format is marked ambiguous (``.`` always has the day first). Where a column holds
both orders, a cell that only fits one is read so, the others in the more frequent one, and it is ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from segmentry.data import time_patterns as pattern
from segmentry.data.number_values import NumberFormat
from segmentry.data.text_functions import let, matches, tidy, unless

_SECONDS_TO_1970 = 25_569 * 86_400  # from 1899-12-30, day 0 of Excel
_ISO_12H = "%Y-%m-%d %I:%M %p"
_ISO_12H_SECONDS = "%Y-%m-%d %I:%M:%S %p"


@dataclass(frozen=True)
class TimeFormat:
    """How a column writes times.

    ``formats`` are what stands in its cells, the most frequent first: dates as strftime writes them (any time of day
    may follow), ``%z`` where some cells state an offset, ``%p`` where some have AM or PM, or one of the counts of
    :mod:`segmentry.data.time_patterns`. ``day_first`` says how ``01/02/2010`` is read (nothing if no cell is written
    so); ``ambiguous`` that nothing in the column told. ``share`` is the part of the filled cells that look like times.
    """

    formats: tuple[str, ...] = (pattern.ISO,)
    day_first: bool | None = None
    ambiguous: bool = False
    share: float = 1.0


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def _in_zone(zone: str, time: datetime) -> datetime:
    """The instant at which clocks of the zone show a time."""
    raise AssertionError(zone, time)  # Ibis calls the function of that name in the database; so with all below


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _on_clocks(zone: str, instant: datetime) -> datetime:
    """What clocks of the zone show at an instant."""
    raise AssertionError(zone, instant)


@ibis.udf.scalar.builtin(name="epoch_us", signature=(("timestamp('UTC')",), "int64"))
def _microseconds(time: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    raise AssertionError(time)


@ibis.udf.scalar.builtin(name="epoch_ms", signature=(("timestamp",), "int64"))
def _milliseconds(time: datetime) -> int:
    """Milliseconds since 1970."""
    raise AssertionError(time)


@ibis.udf.scalar.builtin(name="make_timestamp", signature=(("int64",), "timestamp"))
def _from_microseconds(count: int) -> datetime:
    """The time in UTC."""
    raise AssertionError(count)


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp"))
def _strptime(text: str, form: str) -> datetime:
    """The time that a text writes in one form; null if it is written otherwise."""
    raise AssertionError(text, form)


# Reading --------------------------------------------------------------------------------------------------------------


def timestamp(column: ir.Value, fmt: TimeFormat, zone: str = "UTC") -> ir.Value:
    """A column as times in UTC (a timestamp without zone); null where it says nothing or cannot be read.

    What states no offset was on clocks of ``zone``; see :func:`local_to_utc`, and :func:`day_to_utc` for a date alone.
    Counts of seconds since 1970 are UTC anyway.
    """
    given: Any = column
    kind = given.type()
    if kind.is_date():
        return day_to_utc(given.cast("timestamp"), zone)
    if kind.is_timestamp():
        return local_to_utc(given.cast("timestamp"), zone) if kind.timezone is None else _utc(given)

    def slow(column: Any) -> ir.Value:
        cell = _cell(column)
        first, others = _passes(fmt.formats)
        times = [_count(cell, form, zone) for form in fmt.formats if form in pattern.COUNTS]
        times += [_written(cell, forms, fmt.formats, zone) for forms in (first, others) if forms]
        return ibis.coalesce(*times, ibis.null("timestamp"))

    if not kind.is_string() or pattern.ISO not in fmt.formats:
        return slow(given)
    return unless(given, pattern.PLAIN_ISO, slow, lambda cell: _plain(cell, cell.try_cast("timestamp"), zone))


def plain_time(column: ir.Value) -> ir.BooleanValue:
    """Whether a cell is written as the default :class:`TimeFormat` says, in digits alone; null for null."""
    return matches(column, pattern.PLAIN_ISO)


def local_to_utc(time: ir.Value, zone: str) -> ir.Value:
    """Times on the clocks of a zone as times in UTC.

    An hour that clocks show twice in autumn is taken as the second one (standard time); one that they skip in spring is
    read as if they had not been put forward yet. Neither fails.
    """
    return time if zone in ("UTC", "Etc/UTC") else _utc(_in_zone(zone, time))


def day_to_utc(day: ir.Value, zone: str, is_alone: ir.BooleanValue | bool = True) -> ir.Value:
    """Dates alone, as midnights without a zone, as times in UTC: of the same date there and on the clocks of the zone.

    That is midnight in the zone; east of Greenwich, where that is still the day before in UTC, midnight in UTC. Where
    ``is_alone`` is false it is a time on the clocks of the zone.
    """
    if zone in ("UTC", "Etc/UTC"):
        return day
    return ibis.greatest(local_to_utc(day, zone), ibis.cases((is_alone, day)))  # DuckDB takes no notice of nulls


def _plain(iso: ir.StringValue, time: ir.Value, zone: str) -> ir.Value:
    """The time of a text in ISO form without an offset."""
    return day_to_utc(time, zone, ~iso.contains(":"))


def by_the_clock(column: ir.Value, fmt: TimeFormat, zone: str) -> ir.BooleanValue:
    """Whether a time without an offset falls into an hour that the clocks of a zone show twice, or never."""
    local = timestamp(column, fmt)
    # What states its offset is the same moment whatever zone is meant; asked only of the few that may be odd.
    meant = timestamp(column, fmt, "Asia/Kolkata") != local
    return ibis.cases((local.truncate("h").isin(odd_hours(zone)), meant), else_=False)


@cache
def odd_hours(zone: str) -> tuple[datetime, ...]:
    """The hours, from 1970 to 2037, that the clocks of a zone show twice or never; none where they are not changed."""
    there = ZoneInfo(zone)
    first, days = datetime(1970, 1, 1), (datetime(2038, 1, 1) - datetime(1970, 1, 1)).days
    offsets = [(first + timedelta(days=d)).replace(tzinfo=there).utcoffset() for d in range(days)]
    found = []
    for d in range(1, days):
        if offsets[d] != offsets[d - 1]:
            for h in range(24):
                hour = first + timedelta(days=d - 1, hours=h)
                late = hour + timedelta(minutes=59)
                if any(x.replace(tzinfo=there).utcoffset() != x.replace(tzinfo=there, fold=1).utcoffset()
                       for x in (hour, late)):  # fmt: skip
                    found.append(hour)
    return tuple(found)


def utc_to_local(time: ir.Value, zone: str) -> ir.Value:
    """Times in UTC as clocks of a zone show them."""
    return time if zone in ("UTC", "Etc/UTC") else _on_clocks(zone, _in_zone("UTC", time))


def from_microseconds(count: ir.Value) -> ir.Value:
    """Microseconds since 1970 as times in UTC."""
    return _from_microseconds(count)


def seconds_between(later: ir.Value, earlier: ir.Value) -> ir.Value:
    """Whole seconds from one time to another, as int64."""
    return (_milliseconds(later) - _milliseconds(earlier)) // 1_000


def _utc(instant: ir.Value) -> ir.Value:
    # By way of microseconds: half the time of asking ICU for the clocks of UTC.
    return _from_microseconds(_microseconds(instant))


def _cell(column: Any) -> ir.Value:
    kind = column.type()
    if kind.is_floating():
        whole = column.try_cast("int64")
        return ibis.cases((whole.cast("float64") == column, whole.cast("string")), else_=column.cast("string"))
    return tidy(column if kind.is_string() else column.cast("string"))


def _passes(formats: Sequence[str]) -> tuple[list[str], list[str]]:
    """Formats to try together, and the second order of day and month where a column has both."""
    dates = [f for f in formats if f not in (*pattern.COUNTS, pattern.OFFSET, pattern.TWELVE_HOURS)]
    first: list[str] = []
    for form in dates:
        if pattern.swapped(form) not in first or not pattern.is_ordered(form):
            first.append(form)
    return first, [form for form in dates if form not in first]


def _written(cell: Any, forms: Sequence[str], formats: Sequence[str], zone: str) -> ir.Value:
    iso = cell
    for form in forms:
        for before, after in pattern.REWRITES.get(form, ()):
            iso = iso.re_replace(before, after)
    if pattern.WORDS in forms:
        iso = ibis.cases((cell.re_search(r"\p{L}{3}"), _spelled_out(cell)), else_=iso)
    return let(iso, lambda text: _instant(text, formats, zone))


def _instant(iso: Any, formats: Sequence[str], zone: str) -> ir.Value:
    """The time of a text in ISO form."""
    # DuckDB would read words such as "epoch" and "infinity" as times too.
    local = ibis.cases(((iso >= "0") & (iso < ":"), iso.try_cast("timestamp")))
    cases = []
    if pattern.OFFSET in formats:
        cases.append((iso.re_search(pattern.HAS_OFFSET), _utc(_normal_offset(iso).try_cast("timestamp('UTC')"))))
    if pattern.TWELVE_HOURS in formats:
        cases.append((iso.re_search(pattern.HAS_TWELVE), local_to_utc(_afternoon(iso), zone)))
    plain = _plain(iso, local, zone)
    return ibis.cases(*cases, else_=plain) if cases else plain


def _normal_offset(iso: Any) -> ir.Value:
    """DuckDB wants seconds before an offset, no space, and ``+00`` for ``Z``."""
    zulu = iso.re_replace(r"(?i)\s*(?:Z|UTC|GMT)$", "+00").re_replace(r"\s+([+-]\d)", r"\1")
    return zulu.re_replace(r"^([^:]*:\d{2})([+-].*)$", r"\1:00\2")


def _afternoon(iso: Any) -> ir.Value:
    tidy = iso.re_replace(r"(?i)^(\S+) +(\d{1,2}:\d{2})(:\d{2})?(?:\.\d+)? *([ap])\.? ?m\.?$", r"\1 \2\3 \4M")
    seconds = tidy.re_search(":.*:")
    return ibis.cases((seconds, _strptime(tidy, _ISO_12H_SECONDS)), else_=_strptime(tidy, _ISO_12H))


def _spelled_out(cell: Any) -> ir.Value:
    """A date with the name of a month in ISO form."""

    def iso(parts: Any) -> ir.Value:
        century = ibis.cases((parts.y.length() == 4, ""), (parts.y < "69", "20"), else_="19")
        day = ibis.cases((parts.d == "", "01"), else_=parts.d)
        date = century + parts.y + "-" + pattern.month_number(parts.m) + "-" + day
        return ibis.cases((parts.m != "", date + parts.r))

    return pattern.spelled_parts(cell, iso)


def _count(cell: Any, form: str, zone: str) -> ir.Value:
    value = ibis.cases((cell.re_search(pattern.COUNTS[form]), cell.try_cast("float64")))
    if form == pattern.EXCEL:
        # Fractions of a day are not exact: 40513.35 is 08:24:00 and not a microsecond before.
        seconds = (value * 86_400).round().cast("int64") - _SECONDS_TO_1970
        return day_to_utc(_from_microseconds(seconds * 1_000_000), zone, seconds % 86_400 == 0)
    scale = 1_000_000 if form == pattern.UNIX else 1_000
    return _from_microseconds((value * scale).round().cast("int64"))


# Judging a column -----------------------------------------------------------------------------------------------------


def time_formats(
    table: ir.Table, columns: Sequence[str], *, day_first: bool | None = None, latest: datetime | None = None
) -> dict[str, TimeFormat]:
    """How columns write times, found out over all their cells in one query (and a second one where ``latest`` helps).

    ``day_first`` is what the caller prefers where a column itself does not tell; no time is expected after ``latest``.
    """
    texts = [c for c in columns if not table[c].type().is_temporal()]
    formats = {c: TimeFormat(formats=()) for c in columns}
    if not texts:
        return formats
    seen = [_seen(table[name], i) for i, name in enumerate(texts)]
    every = ibis.union(*seen) if len(seen) > 1 else seen[0]
    flags = ("first_over", "second_over", "year_like", "offset", "twelve")
    weighted = {f: (every[f] * every["n"]).sum().fill_null(0) for f in flags}
    counts = every.group_by("place", "kind").agg(n=every["n"].sum(), **weighted)
    rows = counts.order_by("place", ibis.desc("n"), "kind").to_pyarrow().to_pylist()
    for i, name in enumerate(texts):
        mine = [row for row in rows if row["place"] == i and row["kind"] is not None]
        formats[name] = _judge(mine, day_first)
        if formats[name].ambiguous and day_first is None and latest is not None:
            formats[name] = _by_future(table[name], formats[name], latest)
    return formats


def _seen(column: ir.Value, place: int) -> ir.Table:
    """What each cell looks like: its kind, and what it tells about the order of day and month."""
    cells: Any = column.name("cell").as_table()
    # Each different cell once: times repeat on the lines of an order.
    cells = cells.group_by("cell").agg(n=cells.count())
    cells = cells.select("n", cell=_cell(cells["cell"]))
    parts = cells.select("n", "cell", parts=pattern.numeric_parts(cells["cell"]))
    kind = pattern.kind(parts["cell"], parts["parts"])
    found: Any = parts.select("n", "cell", kind=kind, a=parts["parts"].a, b=parts["parts"].b)
    cell = found["cell"]
    return found.select(
        place=ibis.literal(place),
        n="n",
        kind="kind",
        first_over=(found["a"].try_cast("int16") > 12).cast("int64"),
        second_over=(found["b"].try_cast("int16") > 12).cast("int64"),
        year_like=(found["a"].try_cast("int16") > 31).cast("int64"),
        offset=ibis.cases((cell.contains(":"), cell.re_search(pattern.HAS_OFFSET))).cast("int64"),
        twelve=ibis.cases((cell.lower().re_search(r"m\.?$"), cell.re_search(pattern.HAS_TWELVE))).cast("int64"),
    )


def _judge(rows: Sequence[Mapping[str, Any]], preferred: bool | None) -> TimeFormat:
    given = sum(row["n"] for row in rows)
    recognised = [row for row in rows if row["kind"] != pattern.OTHER]
    ordered = [row for row in recognised if row["kind"].startswith(pattern.ORDERED)]
    # Of each mark on its own: 12/1/2010 and 01.12.2010 come from different hands.
    orders = {
        mark: _order(mark, [row for row in ordered if row["kind"][1] == mark], preferred)
        for mark in dict.fromkeys(row["kind"][1] for row in ordered)
    }
    formats: list[str] = []
    for row in recognised:
        order = orders.get(row["kind"][1]) if row in ordered else None
        formats += [row["kind"]] if order is None else order.formats(row["kind"])
    for flag, form in (("offset", pattern.OFFSET), ("twelve", pattern.TWELVE_HOURS)):
        if any(row[flag] for row in recognised):
            formats.append(form)
    return TimeFormat(
        formats=tuple(dict.fromkeys(formats)),
        day_first=next((order.day_first for order in orders.values()), None),
        ambiguous=any(order.ambiguous for order in orders.values()),
        share=sum(row["n"] for row in recognised) / given if given else 1.0,
    )


@dataclass(frozen=True)
class _Order:
    """What a column says about the order of day and month; ``mixed``: both orders occur."""

    day_first: bool
    ambiguous: bool = False
    mixed: bool = False
    year_first: bool = False

    def formats(self, kind: str) -> list[str]:
        return pattern.formats_of(kind, day_first=self.day_first, mixed=self.mixed, year_first=self.year_first)


def _order(mark: str, rows: Sequence[Mapping[str, Any]], preferred: bool | None) -> _Order:
    days, months, years = (sum(row[f] for row in rows) for f in ("first_over", "second_over", "year_like"))
    if years:
        return _Order(day_first=False, year_first=True)
    if days and months:
        return _Order(days >= months, ambiguous=True, mixed=True)
    if days or months or mark == ".":
        return _Order(day_first=not months)
    return _Order(True if preferred is None else preferred, ambiguous=preferred is None)


def _by_future(column: Any, found: TimeFormat, latest: datetime) -> TimeFormat:
    """The order of day and month that puts fewer times after the latest possible one, if they differ."""
    if any(pattern.swapped(f) in found.formats for f in found.formats if pattern.is_ordered(f)):
        return found
    swapped = TimeFormat(tuple(pattern.swapped(f) for f in found.formats), not found.day_first, False, found.share)
    late = [(timestamp(column, fmt) > latest + timedelta(days=1)).sum().fill_null(0) for fmt in (found, swapped)]
    counts = column.as_table().agg(found=late[0], swapped=late[1]).to_pyarrow().to_pylist()[0]
    if counts["found"] == counts["swapped"]:
        return found
    return swapped if counts["swapped"] < counts["found"] else replace(found, ambiguous=False)


def format_notes(formats: Mapping[str, TimeFormat | NumberFormat]) -> tuple[str, ...]:
    """Where a column left a doubt about how to read it, one sentence each."""
    notes = []
    for name, fmt in formats.items():
        if isinstance(fmt, NumberFormat) and len(fmt.currencies) > 1:
            said = " and ".join(fmt.currencies)
            one = f"{name} * case when {name} like '%$%' then 0.9 else 1 end"
            notes.append(f"{name}: amounts are written in {said}; only the mapping converts them, such as `{one}`.")
        if not fmt.ambiguous:
            continue
        if isinstance(fmt, NumberFormat):
            other = "." if fmt.decimal == "," else ","
            meaning = f"1{fmt.decimal}234 is read as a bit more than one, 1{other}234 as a thousand"
            notes.append(f"{name}: {meaning}; the column does not tell.")
        else:
            meaning = "1 February (day first)" if fmt.day_first else "2 January (month first)"
            why = "the column holds both orders" if _passes(fmt.formats)[1] else "the column does not tell"
            notes.append(f"{name}: 01/02/2024 is read as {meaning}; {why}. `day_first` settles it.")
    return tuple(notes)
