"""The three rules that place a customer, and the preparation before them, as data.

Every method fits one of these: :class:`Cascade` (the first condition that holds), :class:`Grid` (cut points give a
cell, cells give segments) or :class:`Nearest` (closest centre). A rule turns a table of traits into a table of
placements in three named steps (prepared, scored, placed), each a plain SELECT, so it runs on any engine (laws 9 and
10), and says for one customer why, and what would have to change.

Placements have the columns of the traits' keys and ``segment_index`` (-1 no data, -2 no good fit), ``fit``,
``runner_up_index``, ``margin``, ``score``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir

from segmentry import engine, expressions
from segmentry.errors import ArtefactError

NO_DATA = -1
NO_GOOD_FIT = -2
_FIRST_LETTER = 48  # "0"; the grids there are have at most 78 segments, so that all letters are ASCII
_TIE = 1e-9  # distances closer than this are equal, and the lowest index wins (law 9)
_FAR = 1e300  # stands for "no such candidate" in comparisons
_WAYS = ("up", "down")
_BEYOND = 1e150  # infinities and NaN (which all engines order last) count as not known


@dataclass(frozen=True)
class Reason:
    """One reason why a customer is where it is.

    ``weight`` is the share of the decision it carries, 0 to 1, where the rule can tell.
    """

    trait: str
    value: object
    text: str
    weight: float | None = None


@dataclass(frozen=True)
class Move:
    """One change of one trait that would move the customer to another segment."""

    trait: str
    value: object
    needed: object
    segment_index: int
    text: str


@dataclass(frozen=True)
class Why:
    """Why a customer is in its segment, and the smallest single changes that would move it."""

    reasons: tuple[Reason, ...]
    moves: tuple[Move, ...]


class Rule(Protocol):
    """What the three rules have in common."""

    @property
    def traits(self) -> tuple[str, ...]:
        """Traits the rule reads."""

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Step 1: traits to numbers."""

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Step 2: numbers to one score per segment or candidate."""

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Step 3: scores to placements."""

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        """The reasons for one customer; ``row`` holds its traits, ``index`` is the segment index it was placed in."""


def exact(value: float) -> float:
    """A constant as it may stand in SQL: 15 significant digits (longer literals become DECIMAL in DuckDB)."""
    return float(f"{value:.15g}")


# Cascade --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cascade:
    """Ordered conditions; the first that holds takes the customer, ``rest`` takes the others.

    The fit is always 1 (a condition holds or not) and there is no margin; the runner-up is the next condition that
    holds too, else the rest.
    """

    conditions: tuple[str, ...]
    rest: int
    kinds: tuple[tuple[str, str], ...] = ()  # (trait, kind) of the traits read

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.kinds)

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        known = [traits[name].notnull().ifelse(1, 0) for name in self.traits]
        held = {
            f"holds_{i}": expressions.parse(text, where=f"condition {i + 1}").condition(traits).fill_null(False)
            for i, text in enumerate(self.conditions)
        }
        return traits.select(*keys, known=_add(known) if known else ibis.literal(1), **held)

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        holds = [prepared[f"holds_{i}"] for i in range(len(self.conditions))]
        first = ibis.cases(*((h, i) for i, h in enumerate(holds)), else_=self.rest)
        return prepared.select(*keys, "known", *(f"holds_{i}" for i in range(len(holds))), first=first.cast("int64"))

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        later = [(scored[f"holds_{i}"] & (scored["first"] < i), i) for i in range(len(self.conditions))]
        runner = ibis.cases(*later, (scored["first"] != self.rest, self.rest), else_=ibis.null("int64"))
        return _placements(
            scored,
            keys,
            index=(scored["known"] > 0).ifelse(scored["first"], NO_DATA),
            fit=ibis.literal(1.0),
            runner=runner.cast("int64"),
            margin=ibis.null("float64"),
            score=ibis.null("string"),
        )

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        table = _one_row(row, dict(self.kinds))
        reasons: list[Reason] = []
        moves: list[Move] = []
        for i, text in enumerate(self.conditions):
            whole = expressions.parse(text, where=f"condition {i + 1}")
            pieces = expressions.pieces(whole)
            each = {f"p{j}": p.condition(table).fill_null(False) for j, p in enumerate(pieces)}
            held = table.select(**each).to_pyarrow()
            fails = [p for j, p in enumerate(pieces) if not held.column(f"p{j}")[0].as_py()]
            if i == index:
                reasons += [Reason(_first(p.columns), _shown(row, p), expressions.reads_as(p, words)) for p in pieces]
            elif fails and (index in (NO_DATA, self.rest) or i < index):
                text_needed = " and ".join(_bracketed(expressions.reads_as(p, words)) for p in fails)
                moves.append(Move(_first(fails[0].columns), _shown(row, fails[0]), None, i, f"if {text_needed}"))
        if index == self.rest:
            reasons.append(Reason("", None, "none of the conditions of the other segments holds"))
        if index == NO_DATA:
            reasons.append(Reason("", None, "none of the traits that the conditions read is known"))
        moves.sort(key=lambda m: m.text.count(" and "))
        return Why(tuple(reasons), tuple(moves[:5]))


# Grid -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Band:
    """A trait cut into bands: a value on a cut belongs to the upper band.

    ``scores`` has one more entry than ``cuts``: the score of each band, from the lowest values up. ``low`` and ``high``
    are the ends that the outer bands are measured by.
    """

    label: str
    trait: str
    cuts: tuple[float, ...]
    scores: tuple[int, ...]
    low: float
    high: float

    def edges(self) -> tuple[tuple[float, float], ...]:
        """Lower and upper end of every band."""
        return tuple(pairwise((min(self.low, *self.cuts, self.low), *self.cuts, max(self.high, *self.cuts, self.high))))

    def position(self, value: float) -> int:
        return sum(value >= cut for cut in self.cuts)


@dataclass(frozen=True)
class Grid:
    """Bands of one or more traits; ``cells`` gives the segment of every combination, the last band running fastest.

    The fit is always 1; the runner-up is the segment across the nearest cut point, and the margin is the way to it as a
    share of the width of the customer's band (0 on the border, at most 1).
    """

    bands: tuple[Band, ...]
    cells: tuple[int, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(band.trait for band in self.bands)

    def strides(self) -> tuple[int, ...]:
        """How far apart in ``cells`` neighbours along each band are."""
        sizes = [len(band.cuts) + 1 for band in self.bands]
        return tuple(math.prod(sizes[i + 1 :]) for i in range(len(sizes)))

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        columns: dict[str, ir.Value] = {}
        for i, band in enumerate(self.bands):
            value = _number(traits[band.trait])
            columns[f"value_{i}"] = value
            columns[f"band_{i}"] = ibis.cases(
                *((value < cut, j) for j, cut in enumerate(band.cuts)), (value.notnull(), len(band.cuts))
            ).cast("int64")
        return traits.select(*keys, **columns)

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        cell = _add([prepared[f"band_{i}"] * stride for i, stride in enumerate(self.strides())])
        columns: dict[str, ir.Value] = {"cell": cell, "score": self._score(prepared)}
        for i, band in enumerate(self.bands):
            at, value = prepared[f"band_{i}"], prepared[f"value_{i}"]
            edges = band.edges()
            for way in _WAYS:
                cases = []
                for j, (low, high) in enumerate(edges):
                    beyond = j == len(edges) - 1 if way == "up" else j == 0
                    if not beyond:
                        gap = (exact(high) - value) if way == "up" else (value - exact(low))
                        # 1e-12: a band of one single value has no width
                        width = exact(max(high - low, 1e-12))
                        cases.append((at == j, ibis.least(ibis.greatest(gap / width, 0.0), 1.0)))
                columns[f"{way}_{i}"] = ibis.cases(*cases, else_=_FAR) if cases else ibis.literal(_FAR)
        return prepared.select(*keys, **columns)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        signed = [(f"{way}_{i}", stride, way) for i, stride in enumerate(self.strides()) for way in _WAYS]
        ways = [(name, stride if way == "up" else -stride) for name, stride, way in signed]
        there = {f"at_{way}": self._segment(scored["cell"] + step) for way, step in ways}
        looked = scored.mutate(own=self._segment(scored["cell"]), **there)
        gaps = {
            f"gap_{way}": ((looked[way] < _FAR) & (looked[f"at_{way}"] != looked["own"])).ifelse(looked[way], _FAR)
            for way, _ in ways
        }
        reached = looked.mutate(**gaps)
        nearest = reached.mutate(nearest=ibis.least(*(reached[gap] for gap in gaps)))
        reachable = nearest["nearest"] < _FAR
        border = nearest["nearest"] + _TIE
        runner = ibis.cases(*((reachable & (nearest[f"gap_{way}"] <= border), nearest[f"at_{way}"]) for way, _ in ways))
        return _placements(
            nearest,
            keys,
            index=nearest["cell"].isnull().ifelse(NO_DATA, nearest["own"]),
            fit=ibis.literal(1.0),
            runner=runner,
            margin=reachable.ifelse(nearest["nearest"], ibis.null("float64")),
            score=nearest["score"],
        )

    def _segment(self, cell: ir.Value) -> ir.Value:
        """The segment index of a cell: one letter of a text per cell, which takes half the time of comparing it with
        lists of cells. A cell beyond the grid gives a number that means nothing."""
        letters = ibis.literal("".join(chr(_FIRST_LETTER + s) for s in self.cells))
        return letters.substr(cell.cast("int32"), 1).ascii_str().cast("int64") - _FIRST_LETTER

    def _score(self, prepared: ir.Table) -> ir.Value:
        digits = [
            ibis.cases(*((prepared[f"band_{i}"] == j, str(s)) for j, s in enumerate(band.scores)))
            for i, band in enumerate(self.bands)
        ]
        joined = digits[0]
        for digit in digits[1:]:
            joined = joined + "-" + digit
        return joined

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        if index == NO_DATA:
            gone = [band.trait for band in self.bands if row.get(band.trait) is None]
            return Why(tuple(Reason(t, None, f"{words(t)} is not known") for t in gone), ())
        values = [float(row[band.trait]) for band in self.bands]
        reasons = []
        moves: list[tuple[float, Move]] = []
        at = [band.position(v) for band, v in zip(self.bands, values, strict=True)]
        own = self.cells[sum(p * s for p, s in zip(at, self.strides(), strict=True))]
        for i, (band, value, position) in enumerate(zip(self.bands, values, at, strict=True)):
            reasons.append(Reason(band.trait, value, _band_text(band, value, position)))
            for there in range(len(band.cuts) + 1):
                cell = sum(
                    (there if k == i else p) * s for k, (p, s) in enumerate(zip(at, self.strides(), strict=True))
                )
                if there != position and self.cells[cell] != own:
                    up = there > position
                    needed = band.cuts[there - 1] if up else band.cuts[there]
                    text = f"{words(band.trait)} {'at least' if up else 'below'} {figure(needed)}"
                    low, high = band.edges()[position]
                    way = abs(needed - value) / max(high - low, 1e-12)
                    moves.append((way, Move(band.trait, value, needed, self.cells[cell], text)))
        nearest: dict[int, Move] = {}
        for _, move in sorted(moves, key=lambda m: m[0]):
            nearest.setdefault(move.segment_index, move)
        return Why(tuple(reasons), tuple(nearest.values())[:5])


# Nearest --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prep:
    """How one trait becomes one number: fill, cut off, log, scale.

    ``level`` makes it 1 where a category has that level. ``log`` is sign(x) ln(1 + abs(x)). Values beyond ``low`` and
    ``high`` (on the scale of the trait) count as those. The result is ``(x - centre) / scale``.
    """

    trait: str
    fill: float
    centre: float
    scale: float
    low: float
    high: float
    log: bool = False
    level: str | None = None

    def of(self, traits: ir.Table) -> ir.Value:
        """The prepared number as an expression."""
        raw = traits[self.trait]
        number = (raw == self.level).ifelse(1.0, 0.0) if self.level is not None else _number(raw)
        value = ibis.least(ibis.greatest(number.fill_null(exact(self.fill)), exact(self.low)), exact(self.high))
        if self.log:
            size = engine.ln(value.abs() + 1.0)
            value = (value < 0).ifelse(-size, size)
        return (value - exact(self.centre)) / exact(self.scale)

    def of_value(self, raw: Any) -> float:
        """The prepared number of one value: the same arithmetic in Python, to explain one customer."""
        if self.level is not None:
            number = 1.0 if raw == self.level else (self.fill if raw is None else 0.0)
        else:
            number = self.fill if raw is None or not abs(float(raw)) < _BEYOND else float(raw)
        value = min(max(number, self.low), self.high)
        if self.log:
            value = math.copysign(math.log1p(abs(value)), value)
        return (value - self.centre) / self.scale

    def back(self, prepared: float) -> float:
        """The value of the trait that has this prepared number."""
        value = prepared * self.scale + self.centre
        return math.copysign(math.expm1(abs(value)), value) if self.log else value


@dataclass(frozen=True)
class Nearest:
    """The closest of some centres, by Euclidean distance over prepared numbers.

    ``typical`` is the median distance of a segment's own members when it was fitted: the fit is typical / (typical +
    distance), so 0.5 is a typical member. Beyond ``limit`` there is no good fit. The margin is how much farther the
    runner-up is, as a share of its distance. A customer of whom less than half of the traits are known has no data.
    """

    prep: tuple[Prep, ...]
    centres: tuple[tuple[float, ...], ...]
    typical: tuple[float, ...]
    limit: tuple[float, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.trait for p in self.prep))

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        known = _add([traits[name].notnull().ifelse(1, 0) for name in self.traits])
        return traits.select(*keys, known=known, **{f"z{j}": p.of(traits) for j, p in enumerate(self.prep)})

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        distances = {}
        for k, centre in enumerate(self.centres):
            gaps = [prepared[f"z{j}"] - exact(c) for j, c in enumerate(centre)]
            distances[f"d{k}"] = _add([gap * gap for gap in gaps])
        return prepared.select(*keys, "known", **distances)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        ks = range(len(self.centres))
        nearest = scored.mutate(best=ibis.least(*(scored[f"d{k}"] for k in ks)) if len(ks) > 1 else scored["d0"])
        first = nearest.mutate(
            first=ibis.cases(*((nearest[f"d{k}"] <= nearest["best"] + _TIE, k) for k in ks)).cast("int64")
        )
        others = [(first["first"] == k).ifelse(_FAR, first[f"d{k}"]) for k in ks]
        second = first.mutate(next=ibis.least(*others) if len(ks) > 1 else ibis.literal(_FAR))
        runner = ibis.cases(
            *(((second["first"] != k) & (second[f"d{k}"] <= second["next"] + _TIE), k) for k in ks),
            else_=ibis.null("int64"),
        ).cast("int64")
        near, far = second["best"].sqrt(), second["next"].sqrt()
        typical = ibis.cases(*((second["first"] == k, exact(self.typical[k])) for k in ks))
        limit = ibis.cases(*((second["first"] == k, exact(self.limit[k])) for k in ks))
        unknown = second["known"] * 2 < len(self.traits)
        return _placements(
            second,
            keys,
            index=ibis.cases((unknown, NO_DATA), (near > limit, NO_GOOD_FIT), else_=second["first"]),
            fit=engine.ratio(typical, typical + near).fill_null(1.0),
            runner=runner,
            margin=engine.ratio(far - near, far).fill_null(0.0) if len(ks) > 1 else ibis.null("float64"),
            score=ibis.null("string"),
        )

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        if index == NO_DATA:
            gone = [t for t in self.traits if row.get(t) is None]
            return Why(tuple(Reason(t, None, f"{words(t)} is not known") for t in gone), ())
        z = [p.of_value(row.get(p.trait)) for p in self.prep]
        gaps = [sum((a - c) ** 2 for a, c in zip(z, centre, strict=True)) for centre in self.centres]
        order = sorted(range(len(gaps)), key=lambda k: gaps[k])
        own = order[0] if index == NO_GOOD_FIT else index
        if len(order) == 1:
            return Why((), ())
        other = next(k for k in order if k != own)
        pull = [(a - d) ** 2 - (a - c) ** 2 for a, c, d in zip(z, self.centres[own], self.centres[other], strict=True)]
        total = sum(abs(p) for p in pull) or 1.0
        reasons = [self._reason(j, row, pull[j] / total, own) for j in sorted(range(len(pull)), key=lambda j: -pull[j])]
        moves = [m for k in order if k != own for m in self._moves(row, z, own, k)]
        return Why(tuple(r for r in reasons if r.weight and r.weight > 0)[:5], tuple(moves[:5]))

    def _reason(self, j: int, row: Mapping[str, Any], weight: float, own: int) -> Reason:
        prep = self.prep[j]
        value = row.get(prep.trait)
        centre = prep.back(self.centres[own][j])
        if prep.level is not None:
            text = (
                f"{words(prep.trait)} is {value}; {100 * min(max(centre, 0), 1):.0f} % of the segment are {prep.level}"
            )
        elif value is None:
            text = f"{words(prep.trait)} is not known; counted as {figure(prep.fill)}"
        else:
            text = f"{words(prep.trait)} is {figure(float(value))}; the segment's centre is {figure(centre)}"
        return Reason(prep.trait, value, text, weight)

    def _moves(self, row: Mapping[str, Any], z: Sequence[float], own: int, other: int) -> list[Move]:
        """The change of each single trait that makes ``other`` as close as ``own``: the gap is linear in it."""
        gap = sum(
            (a - d) ** 2 - (a - c) ** 2 for a, c, d in zip(z, self.centres[own], self.centres[other], strict=True)
        )
        found: list[tuple[float, Move]] = []
        for j, prep in enumerate(self.prep):
            slope = 2 * (self.centres[own][j] - self.centres[other][j])
            if prep.level is not None or abs(slope) < _TIE:
                continue
            step = -gap / slope
            needed = prep.back(z[j] + step)
            if not prep.low <= needed <= prep.high or not self._lands(z, j, z[j] + step * 1.001, other):
                continue
            way = "above" if step > 0 else "below"
            text = f"{words(prep.trait)} {way} {figure(needed)}"
            found.append((abs(step), Move(prep.trait, row.get(prep.trait), needed, other, text)))
        return [m for _, m in sorted(found, key=lambda f: f[0])][:2]

    def _lands(self, z: Sequence[float], j: int, value: float, other: int) -> bool:
        there = [value if i == j else a for i, a in enumerate(z)]
        gaps = [sum((a - c) ** 2 for a, c in zip(there, centre, strict=True)) for centre in self.centres]
        return min(range(len(gaps)), key=lambda k: gaps[k]) == other


# JSON -----------------------------------------------------------------------------------------------------------------


def to_json(rule: Cascade | Grid | Nearest) -> dict[str, Any]:
    """The rule as plain JSON values."""
    return {"kind": type(rule).__name__, **asdict(rule)}


def from_json(data: Mapping[str, Any]) -> Cascade | Grid | Nearest:
    """The rule back from :func:`to_json`; :class:`ArtefactError` when something is missing or not known."""
    body = {k: v for k, v in data.items() if k != "kind"}
    try:
        match data.get("kind"):
            case "Cascade":
                kinds = tuple((str(n), str(k)) for n, k in body["kinds"])
                return Cascade(tuple(body["conditions"]), int(body["rest"]), kinds)
            case "Grid":
                bands = tuple(
                    Band(**{**b, "cuts": tuple(b["cuts"]), "scores": tuple(b["scores"])}) for b in body["bands"]
                )
                return Grid(bands, tuple(body["cells"]))
            case "Nearest":
                return Nearest(
                    tuple(Prep(**p) for p in body["prep"]),
                    tuple(tuple(c) for c in body["centres"]),
                    tuple(body["typical"]),
                    tuple(body["limit"]),
                )
    except (KeyError, TypeError) as error:
        raise ArtefactError(f"The rule of the segmentation is damaged: {error}.", fix="Fit it again.") from error
    raise ArtefactError(
        f"The rule kind '{data.get('kind')}' is not known here.",
        why="Known: Cascade, Grid, Nearest.",
        fix="Update Segmentry, or fit the segmentation again.",
    )


# Pieces ---------------------------------------------------------------------------------------------------------------


def _placements(
    table: ir.Table,
    keys: Sequence[str],
    *,
    index: ir.Value,
    fit: ir.Value,
    runner: ir.Value,
    margin: ir.Value,
    score: ir.Value,
) -> ir.Table:
    segment = index.cast("int64")
    unknown = segment == NO_DATA
    return table.select(
        *keys,
        segment_index=segment,
        fit=unknown.ifelse(ibis.null("float64"), fit.cast("float64")),
        runner_up_index=unknown.ifelse(ibis.null("int64"), runner),
        margin=unknown.ifelse(ibis.null("float64"), margin),
        score=score,
    )


def _number(value: ir.Value) -> ir.Value:
    # PostgreSQL casts no boolean to a number
    number = ibis.cases((value, 1.0), (~value, 0.0)) if value.type().is_boolean() else value.cast("float64")
    return (number.abs() < _BEYOND).ifelse(number, ibis.null("float64"))


def _add(terms: Sequence[ir.Value]) -> ir.Value:
    """The sum from left to right (law 9: floating point sums depend on their order)."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _one_row(row: Mapping[str, Any], kinds: Mapping[str, str]) -> ir.Table:
    types = {"number": "float64", "category": "string", "boolean": "boolean"}
    literals = {n: ibis.literal(row.get(n), type=types[kind]) for n, kind in kinds.items()}
    anchor = ibis.memtable({"anchor": [1]})
    return anchor.select(**literals)


def words(name: str) -> str:
    return name.replace("_", " ")


def _bracketed(text: str) -> str:
    return f"({text})" if " or " in text else text


def _first(columns: Sequence[str] | frozenset[str]) -> str:
    return next(iter(columns), "")


def _shown(row: Mapping[str, Any], piece: expressions.Expression) -> object:
    return row.get(_first(piece.columns))


def _band_text(band: Band, value: Any, position: int) -> str:
    best = max(band.scores)
    name = f"{words(band.trait)} is {figure(float(value))}"
    if not band.cuts:
        return name
    if position == 0:
        span = f"below {figure(band.cuts[0])}"
    elif position == len(band.cuts):
        span = f"{figure(band.cuts[-1])} or more"
    else:
        span = f"{figure(band.cuts[position - 1])} to below {figure(band.cuts[position])}"
    return f"{name}: {band.label} {band.scores[position]} of {best} ({span})"


def figure(value: float) -> str:
    """A number for people: no decimals above 100, two otherwise, none when whole."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.2f}"
