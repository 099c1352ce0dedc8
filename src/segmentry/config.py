"""segmentry.yaml as frozen models: what a person may write, and where exactly it is wrong.

``load`` reads a file into a :class:`Config`; every error names file, line and key path. ``json_schema`` describes the
same models to an editor. Values may hold ``${NAME}``, taken from the environment mapping that the caller hands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from segmentry import crm_objects
from segmentry.catalogue import Model
from segmentry.checks import CHECKS, Severity
from segmentry.config_text import SECRET, dotted, line_of, no_secret, substituted, value_at
from segmentry.crm_objects import CRM_OBJECTS, CrmObject
from segmentry.declaration import STRICT, DeclaredTrait, owner_of_name
from segmentry.errors import ConfigError, did_you_mean
from segmentry.tables import COLLECTABLE, TABLES, Pii

FILE_NAME = "segmentry.yaml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class _Part(BaseModel):
    model_config = STRICT


def _text_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


TextList = Annotated[
    tuple[str, ...],
    BeforeValidator(_text_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class Attribute(_Part):
    """A further column of a source that becomes a trait."""

    expression: str = Field(alias="from", description="Column of the file, or an expression over its columns.")
    model: Model = Field(Model.BEHAVIORAL, description="The segmentation model that the trait belongs to.")
    kind: Literal["number", "category", "boolean"] = Field("category", description="What its values are.")
    unit: str = Field("", description="Unit of a number.")
    description: str = Field("", description="What it says about the customer.")
    pii: Pii = Field(Pii.NONE, description="How personal it is.")


class Answers(_Part):
    """How a survey with one row per respondent becomes one row per answer."""

    leave_out: TextList = Field((), description="Columns that hold no answers. So do those that `columns` use.")
    several: dict[str, str] = Field({}, description="Column whose cells hold several answers: what separates them.")
    codes: dict[str, str] = Field(
        {}, description="Column: code of its question. Default: its name, or Q and its place."
    )
    duration: tuple[str, str] | None = Field(
        None, description="Columns of start and end; the seconds between them become the answer to _duration."
    )


# What a source's layout makes of a file, and the kinds of source that it is for.
LAYOUTS: dict[str, tuple[str, ...]] = {
    "answers_in_columns": ("responses",),
    "measures_in_columns": ("market",),
    "ga4_events": ("events",),
    "customers_in_rows": ("customers",),
}


class Source(_Part):
    """Where records of one kind come from."""

    kind: str = Field(description="What a row of it is.", json_schema_extra={"enum": list(COLLECTABLE)})
    path: TextList | None = Field(None, description="File or files; * and ** are allowed. Relative to segmentry.yaml.")
    url: str | None = Field(
        None,
        description="Instead of a path: a database, such as postgresql://user:${PASSWORD}@host:5432/database or "
        "sqlite:///shop.db; with a connector, the address of the service.",
        repr=False,
        exclude=True,
    )
    table: str | None = Field(None, description="Table of the database, also as schema.table.", exclude=True)
    query: str | None = Field(None, description="Instead of a table: one SELECT of the database's.", exclude=True)
    connector: Literal["hubspot", "salesforce"] | None = Field(None, description="Instead of a path: a CRM system.")
    object: str | None = Field(
        None,
        description="What to read of a CRM system: "
        + "; ".join(f"{c}: {', '.join(o)}" for c, o in CRM_OBJECTS.items()),
        exclude=True,
    )
    token: str | None = Field(None, description="Access token of the service: ${NAME}.", repr=False, exclude=True)
    username: str | None = Field(None, description="Salesforce, without a token.", repr=False, exclude=True)
    password: str | None = Field(None, description="Salesforce, without a token: ${NAME}.", repr=False, exclude=True)
    security_token: str | None = Field(None, description="Goes with the password: ${NAME}.", repr=False, exclude=True)
    refresh_token: str | None = Field(
        None, description="HubSpot, of an OAuth app, instead of a token: ${NAME}.", repr=False, exclude=True
    )
    client_id: str | None = Field(None, description="Goes with refresh_token.", repr=False, exclude=True)
    client_secret: str | None = Field(None, description="Goes with refresh_token: ${NAME}.", repr=False, exclude=True)
    cursor: str | None = Field(
        None,
        description="Column that only grows, such as updated_at: a run reads on from its last value. Without one "
        "everything is read in every run.",
        exclude=True,
    )
    key: TextList | None = Field(
        None, description="Columns that name a record: when it comes again with other content, it replaces the former."
    )
    keep: Literal["latest", "first"] = Field(
        "latest",
        description="Of the records of one key: the latest, for records that change, or the first, for events that may "
        "be delivered more than once.",
    )
    full_export: bool = Field(
        False, description="Each file is the whole table: a record that a file lacks is gone. Needs a key."
    )
    columns: dict[str, str] = Field(
        description="Column of the table: column of the file, or an expression over them. A connector brings its own."
    )
    attributes: dict[str, Attribute] = Field({}, description="Further columns to keep: they become traits.")
    id_space: str = Field("customers", description="Sources of one id space share their customer ids.")
    timezone: str = Field("UTC", description="Time zone of times without one, such as Europe/London.")
    day_first: bool | None = Field(None, description="01/02/2024 is 1 February. Found out where the data tell.")
    sheet: str | None = Field(None, description="Sheet of an Excel file.")
    layout: str | None = Field(
        None,
        description="What a row of the file is, where it is not one record: answers_in_columns (a respondent), "
        "measures_in_columns (a cell of market research), ga4_events (Google Analytics 4 in BigQuery's shape), "
        "customers_in_rows (a customer whom no column names: _row is an id made of the row).",
        json_schema_extra={"enum": [*LAYOUTS, None]},
    )
    answers: Answers = Field(Answers(), description="Which columns are answers, for layout: answers_in_columns.")
    measures: TextList = Field((), description="Columns of figures, for layout: measures_in_columns.")
    set_aside: dict[str, str] = Field(
        {}, description="Reason: condition over the file's columns. Such rows go to quarantine with that reason."
    )
    returns: str | None = Field(None, description="Condition over the file's columns: the line is a return.")
    charges: str | None = Field(None, description="Condition over the file's columns: postage, fee, no product.")
    leads: str | None = Field(
        None,
        description="Condition over the file's columns: a deal of nobody yet. It is kept as a lead, whatever set_aside "
        "says, and needs neither time nor amount: it is no purchase. A record that names a customer is none.",
    )
    pii: dict[str, Pii] = Field({}, description="Columns of the file that are personal, and how.")

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, given: Any) -> Any:
        """What a CRM system's object is by itself goes without saying."""
        return crm_objects.completed(given)

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Source:
        given = [k for k in ("path", "url", "connector") if getattr(self, k) is not None]
        if given not in (["path"], ["url"], ["connector"], ["url", "connector"]):
            raise ValueError("needs one of path (files), url (a database) and connector (a CRM system).")
        if self.connector:
            self._names_its_object(self.connector)
        elif self.url is not None and (self.table is None) == (self.query is None):
            raise ValueError("url: a database needs table, or query with one SELECT, and not both.")
        foreign = {
            "table": self.url and not self.connector,
            "query": self.url and not self.connector,
            "cursor": self.url or self.connector,
            "sheet": self.path,
            "object": self.connector,
            "token": self.connector,
            **dict.fromkeys(("username", "password", "security_token"), self.connector == "salesforce"),
            **dict.fromkeys(crm_objects.OAUTH, self.connector == "hubspot"),
        }
        for name, belongs in foreign.items():
            if getattr(self, name) is not None and not belongs:
                raise ValueError(f"{name}: does not go with {given[0]}.")
        return self

    def _names_its_object(self, connector: str) -> None:
        objects = CRM_OBJECTS[connector]
        if self.object not in objects:
            raise ValueError(
                f"object: {connector} has no '{self.object or ''}' here. {did_you_mean(self.object or '', objects)}"
            )
        given = {name for name in crm_objects.ACCESS if getattr(self, name)}
        if lacking := crm_objects.lacking_access(connector, given):
            raise ValueError(lacking)

    @property
    def crm_object(self) -> CrmObject:
        """The object of a CRM system that the source reads."""
        return CRM_OBJECTS[self.connector or ""][self.object or ""]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Source:
        if self.kind not in COLLECTABLE:
            raise ValueError(f"kind: '{self.kind}' is no kind of source. {did_you_mean(self.kind, COLLECTABLE)}")
        table = TABLES[self.kind]
        hidden = {"customer_key", "line_kind", "source", "file", "line", "row_id", "known_from", "known_until"}
        allowed = [name for name in table.names if name not in hidden]
        for name in self.columns:
            if name not in allowed:
                raise ValueError(f"columns.{name}: {self.kind} has no such column. {did_you_mean(name, allowed)}")
        missing = [name for name in table.required if name not in hidden and name not in self.columns]
        if missing:
            raise ValueError(f"columns: {self.kind} need {', '.join(missing)}. Map a column of the file to it.")
        for name in self.attributes:
            if name in table or name in TABLES.get(f"golden_{self.kind}", table) or not NAME.fullmatch(name):
                raise ValueError(
                    f"attributes.{name}: not a free name. Use letters, digits and _, and no column of {self.kind}."
                )
        if self.id_space.startswith("visitor "):
            raise ValueError("id_space: names that begin with 'visitor ' are those of a source's visitors.")
        self._check_layout()
        self._check_key()
        if (self.returns or self.charges or self.leads) and self.kind != "transactions":
            raise ValueError("returns, charges and leads belong to a source of kind transactions.")
        return self

    def _check_key(self) -> None:
        if self.keep == "first" and not self.key:
            raise ValueError("keep: first needs a key, such as the id of a message, that tells equal records.")
        if self.full_export and (not self.key or self.keep == "first"):
            raise ValueError("full_export: needs a key, and keep: latest, to know the records that are gone.")
        if self.full_export and self.cursor:
            raise ValueError("full_export: does not go with cursor, which reads only what is new.")

    def _check_layout(self) -> None:
        if self.layout is not None and self.layout not in LAYOUTS:
            raise ValueError(f"layout: '{self.layout}' is no layout. {did_you_mean(self.layout, LAYOUTS)}")
        if self.layout is not None and self.kind not in LAYOUTS[self.layout]:
            raise ValueError(f"layout: {self.layout} is for {', '.join(LAYOUTS[self.layout])}, not for {self.kind}.")
        if self.layout not in (None, "ga4_events") and self.key:
            raise ValueError(f"key: does not go with layout: {self.layout}, where a row is several records.")
        if self.layout != "answers_in_columns" and self.answers != Answers():
            raise ValueError("answers belongs to layout: answers_in_columns.")
        if (self.layout == "measures_in_columns") != bool(self.measures):
            raise ValueError("measures and layout: measures_in_columns belong together: name the columns of figures.")
        if any(not reason.strip() for reason in self.set_aside):
            raise ValueError("set_aside: a condition needs a reason in words, such as 'lost or still open'.")


Survivor = Literal["priority", "newest", "most_complete"]
IdPair = Annotated[
    tuple[str, str], Field(description="Two ids, such as crm:0035; those of the space `customers` stand alone.")
]


class _Joining(_Part):
    """How the records of several systems become customers, or accounts; ``_of`` names their table."""

    _of: ClassVar[str]

    link: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Find the same one under different ids; auto does where sources have several id spaces.",
    )
    threshold: float = Field(0.99, gt=0.5, lt=1, description="Least probability at which two records are one.")
    priority: TextList = Field((), description="Sources whose values count first; the others follow in their order.")
    survivor: Survivor = Field("priority", description="Whose value of a field is taken.")
    fields: dict[str, Survivor] = Field({}, description="The same for single fields, such as {country: newest}.")
    same: tuple[IdPair, ...] = Field((), description="Pairs of ids that are one, whatever is found.")
    different: tuple[IdPair, ...] = Field((), description="Pairs of ids that are not; wins over everything.")

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        allowed = TABLES[self._of].names
        for name in self.fields:
            if name not in allowed:
                raise ValueError(f"fields.{name}: {self._of} have no such column. {did_you_mean(name, allowed)}")
        return self


class AccountIdentity(_Joining):
    """How the records of several systems become accounts (organisations)."""

    _of = "accounts"


class Identity(_Joining):
    """How the records of several systems become customers."""

    _of = "customers"

    accounts: AccountIdentity = Field(AccountIdentity(), description="The same for organisations.")


class LifecycleDays(_Part):
    """Where the stages of the customer life cycle end, in days."""

    new: int = Field(30, ge=1, description="First order at most this long ago, and no second one: new.")
    active: int = Field(90, ge=1, description="Last order at most this long ago: active.")
    lapsed: int = Field(365, ge=1, description="Last order longer ago than this: lapsed. Between: cooling.")

    @model_validator(mode="after")
    def _in_order(self) -> LifecycleDays:
        if self.lapsed <= self.active:
            raise ValueError("lapsed must be more days than active.")
        return self


class Sample(_Part):
    """The bounded sample that segmentations are learned on."""

    size: int = Field(50_000, ge=100, le=500_000, description="Customers in the sample.")
    seed: int = Field(1, ge=0, description="Another seed draws another sample.")


class Acceptance(_Part):
    """A finding of data quality that somebody has looked at and can live with."""

    check: str = Field(description="Name of the check.", json_schema_extra={"enum": list(CHECKS)})
    source: str = Field(description="The source that it is about.")
    column: str | None = Field(None, description="Only findings about this column.")
    day: date | None = Field(None, description="Only the finding whose period holds this day.")
    until: date | None = Field(None, description="Last as-of date that it is accepted for. Default: for good.")
    reason: str = Field(min_length=1, description="Why it is accepted: for whoever reads this next year.")


class Quality(_Part):
    """How severe findings of data quality are, and which are accepted."""

    severity: dict[str, Severity] = Field({}, description="Check: blocking (`run` stops), warning or note.")
    accept: tuple[Acceptance, ...] = Field((), description="Findings that are known and accepted; they stop nothing.")

    @model_validator(mode="after")
    def _known_checks(self) -> Quality:
        for name in [*self.severity, *(a.check for a in self.accept)]:
            if name not in CHECKS:
                raise ValueError(f"there is no check '{name}'. {did_you_mean(name, CHECKS)}")
        return self


class SegmentText(_Part):
    """What people call a segment and do about it. What is left out comes from playbooks.yaml."""

    meaning: str = Field("", description="Who they are, in one line.")
    action: str = Field("", description="What to do next.")
    purpose: str = Field("", description="What the segment is for.")
    owner: str = Field("", description="Who answers for it.")
    review_by: date | None = Field(None, description="When to look at it again.")


class RuleSegment(SegmentText):
    """One segment of a rules segmentation."""

    name: str = Field(min_length=1, max_length=60, description="Name of the segment.")
    where: str = Field(description="Condition over traits. The first segment whose condition holds takes the customer.")


class _Segmentation(_Part):
    unit: Literal["customer"] = Field("customer", description="What is placed.")
    population: str | None = Field(None, description="Condition over traits: who is segmented. Default: everybody.")
    purpose: str = Field("", description="What the segmentation is for.")
    owner: str = Field("", description="Who answers for it.")
    review_by: date | None = Field(None, description="When to look at it again.")


class Rules(_Segmentation):
    """Segments by conditions, in order; the first that holds takes the customer."""

    method: Literal["rules"] = Field(description="The method.")
    segments: tuple[RuleSegment, ...] = Field(min_length=1, max_length=30, description="The segments, in order.")
    rest: str = Field("Everyone else", description="Name of the segment of those whom no condition takes.")

    @model_validator(mode="after")
    def _unique(self) -> Rules:
        names = [s.name for s in self.segments] + [self.rest]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"segments: the name '{name}' is used twice. Segment names must differ.")
        return self


class RfmCuts(_Part):
    """Cut points set by hand: ascending, four for five scores."""

    recency_days: tuple[float, ...] | None = Field(None, description="Days; fewer are better.")
    frequency: tuple[float, ...] | None = Field(None, description="Orders.")
    monetary: tuple[float, ...] | None = Field(None, description="Money spent.")

    @field_validator("recency_days", "frequency", "monetary")
    @classmethod
    def _four_ascending(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (len(value) != 4 or list(value) != sorted(set(value))):  # 4 cuts make 5 scores
            raise ValueError("needs four different numbers in ascending order, such as [1, 2, 4, 9]")
        return value


class Rfm(_Segmentation):
    """Recency, frequency and monetary value scored 1 to 5 and named."""

    method: Literal["rfm"] = Field(description="The method.")
    cuts: RfmCuts = Field(RfmCuts(), description="Cut points; those left out are learned once and frozen.")
    segments: dict[str, SegmentText] = Field({}, description="Own texts for segments, by name.")


class Tier(_Part):
    """One value tier."""

    name: str = Field(min_length=1, max_length=60, description="Name of the tier.")
    share: float = Field(gt=0, le=1, description="Share of all value that the tiers down to this one bring together.")


class ValueTiers(_Segmentation):
    """Tiers by the share of value they bring (Pareto, ABC analysis)."""

    method: Literal["value_tiers"] = Field(description="The method.")
    trait: str = Field("auto", description="The value trait; auto takes margin where known, else revenue or value.")
    # ABC analysis (Dickie 1951): A brings 80 % of the value, B the next 15 %, C the last 5 %.
    tiers: tuple[Tier, ...] = Field(
        (Tier(name="High", share=0.8), Tier(name="Medium", share=0.95), Tier(name="Low", share=1)),
        description="The tiers, best first.",
    )
    cuts: tuple[float, ...] | None = Field(None, description="Least value of each tier but the last, descending.")
    segments: dict[str, SegmentText] = Field({}, description="Own texts for segments, by name.")

    @model_validator(mode="after")
    def _in_order(self) -> ValueTiers:
        shares = [t.share for t in self.tiers]
        if len(self.tiers) < 2 or shares != sorted(set(shares)) or shares[-1] != 1:
            raise ValueError("tiers: needs two or more, with rising shares, the last of them 1.")
        if self.cuts is not None and (
            len(self.cuts) != len(self.tiers) - 1 or list(self.cuts) != sorted(set(self.cuts), reverse=True)
        ):
            raise ValueError(f"cuts: {len(self.tiers)} tiers need {len(self.tiers) - 1} falling values.")
        return self


class KMeans(_Segmentation):
    """Groups of similar customers (k-means)."""

    method: Literal["kmeans"] = Field(description="The method.")
    traits: TextList = Field(("auto",), description="Traits that form the segments; patterns such as behavioral.*")
    segments: int | Literal["auto"] = Field("auto", description="How many, from 2 to 20; auto chooses.")

    @field_validator("segments")
    @classmethod
    def _number(cls, value: object) -> object:
        if isinstance(value, int) and not 2 <= value <= 20:
            raise ValueError("needs a number from 2 to 20, or auto")
        return value


Segmentation = Annotated[Rules | Rfm | ValueTiers | KMeans, Field(discriminator="method")]
METHODS: dict[str, type[_Segmentation]] = {
    get_args(m.model_fields["method"].annotation)[0]: m for m in (Rules, Rfm, ValueTiers, KMeans)
}


class Config(_Part):
    """A whole segmentry.yaml."""

    version: Literal[1] = Field(1, description="Version of this file's format.")
    name: str = Field(min_length=1, description="Name of the company or project.")
    engine: str = Field(
        "duckdb",
        description="Database that holds the base: duckdb, or a URL such as "
        "postgresql://user:${PASSWORD}@host:5432/database?schema=acme.",
        repr=False,
    )
    as_of: date | Literal["latest"] = Field("latest", description="Date of the picture; latest is the last record's.")
    currency: str = Field("", max_length=3, description="ISO 4217 code; only shown, not converted.")
    primary: str | None = Field(None, description="The segmentation shown first.")
    sources: dict[str, Source] = Field(min_length=1, description="Where records come from, by name.")
    identity: Identity = Field(Identity(), description="How records become customers.")
    lifecycle_days: LifecycleDays = Field(LifecycleDays(), description="Where the stages of the life cycle end.")
    sample: Sample = Field(Sample(), description="The sample that segmentations are learned on.")
    quality: Quality = Field(Quality(), description="Severities and acceptances of data quality findings.")
    traits: dict[str, DeclaredTrait] = Field({}, description="Traits of your own, by name, beside the built-in ones.")
    segmentations: dict[str, Segmentation] = Field({}, description="The segmentations, by name.")

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value == "duckdb" or value.startswith(("postgresql://", "postgres://")):
            return value
        raise ValueError("not an engine. Allowed: duckdb, or postgresql://user:${PASSWORD}@host:5432/database.")

    @model_validator(mode="after")
    def _names(self) -> Config:
        for section in ("sources", "traits", "segmentations"):
            for name in getattr(self, section):
                if not NAME.fullmatch(name):
                    raise ValueError(
                        f"{section}.{name}: a name starts with a lower-case letter; at most 40 letters, digits, _."
                    )
        for at, joining in (("identity", self.identity), ("identity.accounts", self.identity.accounts)):
            for name in joining.priority:
                if name not in self.sources:
                    known = did_you_mean(name, self.sources)
                    raise ValueError(f"{at}.priority: no source is called '{name}'. {known}")
        if self.primary is not None and self.primary not in self.segmentations:
            raise ValueError(
                f"primary: no segmentation is called '{self.primary}'. {did_you_mean(self.primary, self.segmentations)}"
            )
        for i, accepted in enumerate(self.quality.accept):
            if accepted.source not in self.sources:
                raise ValueError(
                    f"quality.accept.{i}.source: no source is called '{accepted.source}'. "
                    f"{did_you_mean(accepted.source, self.sources)}"
                )
        return self

    @model_validator(mode="after")
    def _traits_have_names_of_their_own(self) -> Config:
        become_traits = ("customers", "transactions")
        attributes = {a: n for n, s in self.sources.items() for a in s.attributes if s.kind in become_traits}
        for name in self.traits:
            if owner := owner_of_name(name, attributes):
                raise ValueError(f"traits.{name}: this is the name of {owner}. Give it another one.")
        return self

    @property
    def attributes(self) -> tuple[tuple[str, str, Attribute], ...]:
        """The attributes of all sources, as (table, name, declaration)."""
        return tuple((s.kind, name, found) for s in self.sources.values() for name, found in s.attributes.items())

    @property
    def first(self) -> str | None:
        """The segmentation shown first."""
        return self.primary or next(iter(self.segmentations), None)


def load(path: Path, env: Mapping[str, str]) -> Config:
    """Read and validate a segmentry.yaml.

    Raises :class:`ConfigError` with every mistake found, one a line, each with file, line and key.
    """
    if not path.is_file():
        raise ConfigError(
            f"{path}: there is no workspace here.",
            why=f"A workspace is a folder with a {FILE_NAME}.",
            fix="Run `segmentry init FILES…` to make one, or name its folder with --workspace.",
        )
    return parse(path.read_text(encoding="utf-8-sig"), env, file=path.name)


def parse(text: str, env: Mapping[str, str], *, file: str = FILE_NAME) -> Config:
    """Validate the text of a segmentry.yaml; see :func:`load`."""
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{file}:{line} is not YAML: {error.problem or error.context}.") from error
    if not isinstance(tree, CommentedMap):
        raise ConfigError(f"{file}:1 must be a mapping with keys such as name.", fix="See `segmentry schema`.")
    no_secret(tree, file)
    plain = substituted(tree, env, file, ())
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        lines = [_explain(dict(item), tree, file) for item in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from error


def from_environment(text: str, env: Mapping[str, str]) -> str:
    """A text with its ``${NAME}`` filled in; :class:`ConfigError` for one that is not set."""
    return str(substituted(text, env, "url", ()))


def json_schema() -> dict[str, Any]:
    """JSON Schema of segmentry.yaml, for editors."""
    return Config.model_json_schema(by_alias=True)


def _explain(item: dict[str, Any], tree: CommentedMap, file: str) -> str:
    path = tuple(p for p in _written(item["loc"], tree))
    at = f"{file}:{line_of(tree, path)} {dotted(path)}".rstrip()
    if item["type"] == "extra_forbidden":
        return f"{at}: this key is not known. {did_you_mean(str(path[-1]), _keys_at(path[:-1], tree))}"
    if item["type"] == "missing":
        return f"{at}: this key is needed and missing."
    if item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        given = value_at(tree, path)
        method = str(given.get("method", "")) if isinstance(given, Mapping) else ""
        return f"{at}: method '{method}' is not known. {did_you_mean(method, METHODS)}"
    message = str(item["msg"]).removeprefix("Value error, ")
    given = item.get("input")
    open_to_all = path[-1:] and path[-1] not in ("engine", "url", *SECRET)
    shown = f"{str(given)[:60]!r}: " if isinstance(given, str | int | float) and open_to_all else ""
    return f"{at}: {shown}{message}"


def _written(loc: tuple[object, ...], tree: object) -> Iterator[object]:
    """The key path as the person wrote it: pydantic adds the names of union branches."""
    for i, key in enumerate(loc):
        last = i == len(loc) - 1
        known = isinstance(tree, Mapping) and key in tree
        if known or (isinstance(tree, list) and isinstance(key, int) and key < len(tree)):
            tree = cast(Any, tree)[key]
            yield key
        elif last and isinstance(tree, Mapping) and key not in METHODS:
            yield key


def _keys_at(path: tuple[object, ...], tree: CommentedMap) -> list[str]:
    """The keys that are allowed at a path, for the did-you-mean."""
    model: type[BaseModel] = Config
    match path:
        case ("sources", _, "attributes", _):
            model = Attribute
        case ("sources", _, "answers"):
            model = Answers
        case ("sources", _):
            model = Source
        case ("traits", _):
            model = DeclaredTrait
        case ("segmentations", _):
            model = METHODS.get(str(value_at(tree, path).get("method")), Rules)
        case ("segmentations", _, "segments", int()):
            model = RuleSegment
        case ("segmentations", _, "segments", _):
            model = SegmentText
        case ("segmentations", _, "cuts"):
            model = RfmCuts
        case ("segmentations", _, "tiers", _):
            model = Tier
        case ("identity",):
            model = Identity
        case ("identity", "accounts"):
            model = AccountIdentity
        case ("lifecycle_days",):
            model = LifecycleDays
        case ("sample",):
            model = Sample
        case ("quality",):
            model = Quality
        case ("quality", "accept", int()):
            model = Acceptance
    return [field.alias or name for name, field in model.model_fields.items()]
