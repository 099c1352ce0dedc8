"""The frozen segmentation: what ``fit`` returns, what ``assign`` runs, what is kept as JSON.

It holds the rule (:mod:`segmentry.placement`), the segments with their texts, and what the fit found out. It holds no
personal data and cannot be changed: another fit makes another version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine, expressions, placement
from segmentry.errors import ArtefactError, DataError, did_you_mean
from segmentry.placement import NO_DATA, NO_GOOD_FIT, Cascade, Rule, Why

FORMAT = 1
NO_DATA_NAME = "No data"
NO_GOOD_FIT_NAME = "No good fit"
# What tells units apart: the columns that a table of traits, of memberships, of history begins with.
KEYS = {"customer": ("customer_key", "customer_id"), "account": ("account_key", "account_id")}


TRAIT_TABLES = {"customer": "traits", "account": "account_traits"}


def keys_of(table: ir.Table) -> tuple[str, str]:
    """The two key columns of a table of customers or of accounts."""
    return next(keys for keys in reversed(KEYS.values()) if keys[0] in table.columns)


@dataclass(frozen=True)
class Segment:
    """One segment: what it is called, who they are, what to do, who answers for it."""

    name: str
    meaning: str = ""
    action: str = ""
    purpose: str = ""
    owner: str = ""
    review_by: date | None = None
    criteria: str = ""


# The two segments that every segmentation has besides its own, so that everybody is in exactly one.
OUTSIDE = (
    Segment(
        NO_DATA_NAME,
        "The traits that this segmentation needs are not known for them.",
        "Collect what is missing; do not guess.",
        criteria="too few of the traits are known",
    ),
    Segment(
        NO_GOOD_FIT_NAME,
        "They are unlike every segment.",
        "Look at them one by one: errors in the data, or the start of a new segment.",
        criteria="farther from every segment than its own members are",
    ),
)


@dataclass(frozen=True)
class Segmentation:
    """A fitted segmentation.

    ``traits`` are the segmentation variables with their kinds; ``population`` the condition that a unit must meet to be
    placed (empty: everybody); ``report`` what the fit found out, as plain JSON values.
    """

    name: str
    version: int
    method: str
    rule: Rule
    segments: tuple[Segment, ...]
    traits: tuple[tuple[str, str], ...]
    unit: str = "customer"
    population: str = ""
    purpose: str = ""
    owner: str = ""
    review_by: date | None = None
    as_of: date | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(s.name for s in self.segments)
        return f"<Segmentation {self.name} v{self.version}: {self.method}, {len(self.segments)} segments: {names}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the segments, without 'No data' and 'No good fit'."""
        return tuple(s.name for s in self.segments)

    def segment(self, name: str) -> Segment:
        """A segment by its name; :class:`DataError` lists the names when there is none."""
        for segment in (*self.segments, *OUTSIDE):
            if segment.name.casefold() == name.casefold():
                return segment
        allowed = [s.name for s in (*self.segments, *OUTSIDE)]
        raise DataError(f"{self.name} has no segment '{name}'.", why=did_you_mean(name, allowed))

    def segment_name(self, index: int) -> str:
        """The name of a placement's segment index."""
        return {NO_DATA: NO_DATA_NAME, NO_GOOD_FIT: NO_GOOD_FIT_NAME}.get(index) or self.segments[index].name

    @property
    def rules(self) -> dict[str, tuple[str, ...]]:
        """The traits that each rule reads, by the segment it is for; "every segment" where one rule places them all."""
        where = self._read_by(self.population, "population") if self.population else ()
        if not isinstance(self.rule, Cascade):
            return {"every segment": tuple(dict.fromkeys([*where, *self.rule.traits]))}
        texts = zip(self.names, self.rule.conditions, strict=False)  # the rest has no condition
        return {name: tuple(dict.fromkeys([*where, *self._read_by(text, name)])) for name, text in texts}

    def _read_by(self, text: str, what: str) -> tuple[str, ...]:
        return expressions.parse(text, where=f"{self.name}.{what}").columns

    def assign(self, traits: Any) -> Any:
        """Place every row in exactly one segment.

        ``traits`` has one row per unit and a column per segmentation variable. An Ibis table gives an Ibis table (one
        expression, run where the data live) with the key columns it has; a pandas or polars data frame or an Arrow
        table gives a pandas data frame in the same order, computed by the same expression. Columns: ``segment``,
        ``fit``, ``runner_up``, ``margin``, ``score`` (see ``tables.memberships``). Units outside the population are
        left out.

        Raises :class:`DataError` when a trait is missing.
        """
        if isinstance(traits, ir.Table):
            return self._placed(traits, [k for k in KEYS[self.unit] if k in traits.columns])
        with engine.in_memory() as con:
            rows, types = ibis.memtable(traits), self._schema()
            # a column without any value has no type, and DuckDB stores none such
            empty = {n: rows[n].cast(types.get(n, "string")) for n, type_ in rows.schema().items() if type_.is_null()}
            frame = con.create_table("traits", rows.mutate(**empty) if empty else rows)
            numbered = frame.mutate(row_number=ibis.row_number())
            placed = self._placed(numbered, ["row_number"]).order_by("row_number")
            return con.to_pandas(placed).set_index("row_number").rename_axis(None)

    def sql(self, dialect: str, table: str = "") -> str:
        """The placement as one SELECT over a table of traits, in another database's SQL."""
        key, name = KEYS[self.unit]
        schema = {key: "int64", name: "string", **self._schema()}
        rows = self._population(ibis.table(schema, name=table or TRAIT_TABLES[self.unit]))
        return engine.to_sql(rows, self._named_steps([key, name]), dialect)

    def explain(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], Why]:
        """One unit's placement and the reasons for it; ``row`` maps traits to values."""
        types = self._schema()
        one = ibis.memtable({"anchor": [1]}).select(
            **{name: ibis.literal(row.get(name), type=kind) for name, kind in types.items()}
        )
        with engine.in_memory() as con:
            placed = con.to_pyarrow(engine.in_steps(one, self.placing([]))).to_pylist()[0]
        return placed, self.rule.why(row, int(placed["segment_index"]))

    def _schema(self) -> dict[str, str]:
        types = {"number": "float64", "category": "string", "boolean": "boolean"}
        return {name: types[kind] for name, kind in self.traits}

    def _placed(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        missing = [name for name, _ in self.traits if name not in traits.columns]
        if missing:
            raise DataError(
                f"Segmentation {self.name} needs the trait {missing[0]}, which the table does not have.",
                why=did_you_mean(missing[0], traits.columns),
                fix="`segmentry show traits` lists the traits there are.",
            )
        return engine.in_steps(self._population(traits), self._named_steps(keys))

    def _population(self, traits: ir.Table) -> ir.Table:
        if not self.population:
            return traits
        return traits.filter(expressions.parse(self.population, where=f"{self.name}.population").condition(traits))

    def placing(self, keys: Sequence[str]) -> list[engine.Step]:
        """Law 10: prepared, scored, placed; by the index of the segments, of whatever rows."""
        rule = self.rule
        return [
            ("prepared", lambda rows: rule.prepared(rows, keys)),
            ("scored", lambda rows: rule.scored(rows, keys)),
            ("placed", lambda rows: rule.placed(rows, keys)),
        ]

    def _named_steps(self, keys: Sequence[str]) -> list[engine.Step]:
        return [*self.placing(keys), ("memberships", lambda rows: self._named(rows, keys))]

    def _named(self, placed: ir.Table, keys: Sequence[str]) -> ir.Table:
        labels = [(NO_DATA, NO_DATA_NAME), (NO_GOOD_FIT, NO_GOOD_FIT_NAME), *enumerate(self.names)]

        def named(column: str) -> ir.Value:
            return ibis.cases(*((placed[column] == index, name) for index, name in labels))

        return placed.select(
            *keys,
            segment=named("segment_index"),
            fit=placed["fit"],
            runner_up=named("runner_up_index"),
            margin=placed["margin"],
            score=placed["score"],
        )

    def with_texts(self, texts: Mapping[str, Mapping[str, Any]]) -> Segmentation:
        """The same segmentation with other texts (meaning, action ...) for segments, by name."""
        return replace(self, segments=tuple(replace(s, **texts.get(s.name, {})) for s in self.segments))

    def to_json(self) -> str:
        """The artefact as JSON, with a checksum that shows later edits by hand."""
        body = {
            "format": FORMAT,
            **{k: v for k, v in asdict(self).items() if k != "rule"},
            "rule": placement.to_json(self.rule),
        }
        text = json.dumps(body, default=str, ensure_ascii=False, sort_keys=True)
        body["checksum"] = hashlib.sha256(text.encode()).hexdigest()
        return json.dumps(body, default=str, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, *, where: str = "the artefact") -> Segmentation:
        """The segmentation back from its JSON.

        Raises :class:`ArtefactError` when it was edited by hand, is damaged, or comes from another version.
        """
        try:
            body = json.loads(text)
            checksum = body.pop("checksum")
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
            raise ArtefactError(
                f"{where} is not a whole segmentation: {error}.",
                why="It is not what `segmentry fit` wrote.",
                fix="Put the file back from a backup, or fit the segmentation again.",
            ) from error
        if body.get("format") != FORMAT:
            raise ArtefactError(
                f"{where} has format {body.get('format')}; this version reads format {FORMAT}.",
                fix="Update Segmentry, or fit the segmentation again.",
            )
        again = json.dumps(body, default=str, ensure_ascii=False, sort_keys=True)
        if hashlib.sha256(again.encode()).hexdigest() != checksum:
            raise ArtefactError(
                f"{where} was changed by hand: its checksum differs.",
                why="A fitted segmentation is frozen, so that everybody in it was placed by the same rule.",
                fix="Put the settings into segmentry.yaml and fit again; texts of segments go into playbooks.yaml.",
            )
        body.pop("format")
        try:
            rule = placement.from_json(body.pop("rule"))
            segments = tuple(Segment(**{**s, "review_by": _date(s["review_by"])}) for s in body.pop("segments"))
            traits = tuple((n, k) for n, k in body.pop("traits"))
            for key in ("review_by", "as_of"):
                body[key] = _date(body[key])
            return cls(rule=rule, segments=segments, traits=traits, **body)
        except ArtefactError as error:
            raise ArtefactError(f"{where}: {error.what}", why=error.why, fix=error.fix) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(
                f"{where} was written by another version of Segmentry: {error}.",
                fix="Use that version, or fit the segmentation again.",
            ) from error


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
