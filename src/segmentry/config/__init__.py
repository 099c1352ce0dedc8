"""segmentry.yaml as frozen models: what a person may write, and where exactly it is wrong.

``load`` reads a file into a :class:`Config`; every error names file, line and key path. ``json_schema`` describes the
same models to an editor. Values may hold ``${NAME}``, taken from the environment mapping that the caller hands in.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from segmentry.checks import CHECKS, Severity
from segmentry.config.lifetime import COHORT, Contract, Lifetime
from segmentry.config.objectives import Objective
from segmentry.config.part import NAME, Part, TextList
from segmentry.config.sampling import Bias, Sample
from segmentry.config.scales import Scale
from segmentry.config.segmentations import (
    FINDING,
    METHODS,
    Bands,
    Crossing,
    KMeans,
    KPrototypes,
    LatentClasses,
    Mixtures,
    Rfm,
    RfmCuts,
    Rules,
    RuleSegment,
    Segmentation,
    SegmentText,
    Serve,
    Tier,
    Trees,
    ValueTiers,
)
from segmentry.config.sources import Answers, Attribute, Source
from segmentry.config.survey_needs import BestWorst, Choice
from segmentry.config.surveys import Survey
from segmentry.declaration import DeclaredTrait, owner_of_name
from segmentry.errors import ConfigError, UsageError, did_you_mean
from segmentry.tables import TABLES

__all__ = [
    "FILE_NAME",
    "FINDING",
    "METHODS",
    "NAME",
    "Acceptance",
    "AccountIdentity",
    "Answers",
    "Attribute",
    "Bands",
    "Bias",
    "Config",
    "Crossing",
    "Identity",
    "KMeans",
    "KPrototypes",
    "LatentClasses",
    "LifecycleDays",
    "Lifetime",
    "Mixtures",
    "Objective",
    "Quality",
    "Rfm",
    "RfmCuts",
    "RuleSegment",
    "Rules",
    "Sample",
    "Scale",
    "SegmentText",
    "Segmentation",
    "Serve",
    "Source",
    "Survey",
    "TextList",
    "Tier",
    "Trees",
    "ValueTiers",
    "from_environment",
    "json_schema",
    "line_of",
    "load",
    "parse",
    "threads",
    "with_line",
]

FILE_NAME = "segmentry.yaml"


Survivor = Literal["priority", "newest", "most_complete"]
IdPair = Annotated[
    tuple[str, str], Field(description="Two ids, such as crm:0035; those of the space `customers` stand alone.")
]


class _Joining(Part):
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


class LifecycleDays(Part):
    """Where the stages of the customer life cycle end, in days."""

    new: int = Field(30, ge=1, description="First order at most this long ago, and no second one: new.")
    active: int = Field(90, ge=1, description="Last order at most this long ago: active.")
    lapsed: int = Field(365, ge=1, description="Last order longer ago than this: lapsed. Between: cooling.")

    @model_validator(mode="after")
    def _in_order(self) -> LifecycleDays:
        if self.lapsed <= self.active:
            raise ValueError("lapsed must be more days than active.")
        return self


class Acceptance(Part):
    """A finding of data quality that somebody has looked at and can live with."""

    check: str = Field(description="Name of the check.", json_schema_extra={"enum": list(CHECKS)})
    source: str = Field(description="The source that it is about.")
    column: str | None = Field(None, description="Only findings about this column.")
    day: date | None = Field(None, description="Only the finding whose period holds this day.")
    until: date | None = Field(None, description="Last as-of date that it is accepted for. Default: for good.")
    reason: str = Field(min_length=1, description="Why it is accepted: for whoever reads this next year.")


class Quality(Part):
    """How severe findings of data quality are, and which are accepted."""

    severity: dict[str, Severity] = Field({}, description="Check: blocking (`run` stops), warning or note.")
    accept: tuple[Acceptance, ...] = Field((), description="Findings that are known and accepted; they stop nothing.")

    @model_validator(mode="after")
    def _known_checks(self) -> Quality:
        for name in [*self.severity, *(a.check for a in self.accept)]:
            if name not in CHECKS:
                raise ValueError(f"there is no check '{name}'. {did_you_mean(name, CHECKS)}")
        return self


class Config(Part):
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
    timezone: str | None = Field(
        None,
        description="Time zone of hours and weekdays in traits, such as Europe/London. Default: the one that sources "
        "name, where they all name the same; else UTC.",
    )
    primary: str | None = Field(None, description="The segmentation shown first.")
    sources: dict[str, Source] = Field(min_length=1, description="Where records come from, by name.")
    identity: Identity = Field(Identity(), description="How records become customers.")
    lifecycle_days: LifecycleDays = Field(LifecycleDays(), description="Where the stages of the life cycle end.")
    describe_by: tuple[str, ...] = Field(
        (),
        description="Built-in traits that customers and accounts are described by: names, or patterns such as "
        "behavioral.* or spend_*; what segmentations, objectives and traits of your own name is there, too. Default: "
        "all that there are data for, which takes longer.",
    )
    surveys: dict[str, Survey] = Field({}, description="How the answers of a survey become traits, by its name.")
    lifetime: Lifetime = Field(Lifetime(), description="How the value that customers will have is predicted.")
    sample: Sample = Field(Sample(), description="The sample that segmentations are learned on.")
    bias: Bias = Field(Bias(), description="Traits that must not form segments.")
    quality: Quality = Field(Quality(), description="Severities and acceptances of data quality findings.")
    traits: dict[str, DeclaredTrait] = Field({}, description="Traits of your own, by name, beside the built-in ones.")
    objectives: dict[str, Objective] = Field({}, description="What ideal customers do, by the name of the objective.")
    segmentations: dict[str, Segmentation] = Field({}, description="The segmentations, by name.")

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value == "duckdb" or value.startswith(("postgresql://", "postgres://")):
            return value
        raise ValueError("not an engine. Allowed: duckdb, or postgresql://user:${PASSWORD}@host:5432/database.")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str | None) -> str | None:
        if value is None or value in zoneinfo.available_timezones():
            return value
        raise ValueError(f"'{value}' is no time zone. {did_you_mean(value, zoneinfo.available_timezones())}")

    @model_validator(mode="after")
    def _names(self) -> Config:
        for section in ("sources", "traits", "objectives", "segmentations"):
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
    def _scales_have_names_of_their_own(self) -> Config:
        owners: dict[str, str] = {}
        for survey, settings in self.surveys.items():
            for name in settings.scales:
                if name in owners:
                    raise ValueError(
                        f"surveys.{survey}.scales.{name}: the survey {owners[name]} has a scale of this name. Each is "
                        "a trait: give it another name."
                    )
                owners[name] = survey
        return self

    @model_validator(mode="after")
    def _traits_have_names_of_their_own(self) -> Config:
        become_traits = ("customers", "accounts", "transactions", "places")
        attributes = {a: n for n, s in self.sources.items() for a in s.attributes if s.kind in become_traits}
        for name in self.traits:
            if owner := owner_of_name(name, attributes):
                raise ValueError(f"traits.{name}: this is the name of {owner}. Give it another one.")
        return self

    @model_validator(mode="after")
    def _segmentations_of_known_parts(self) -> Config:
        for name, settings in self.segmentations.items():
            if isinstance(settings, Trees) and settings.objective is not None:
                self._aims_at_its_own(name, settings, settings.objective)
            if isinstance(settings, Crossing):
                for part in settings.of:
                    if part not in self.segmentations:
                        known = did_you_mean(part, self.segmentations)
                        raise ValueError(f"segmentations.{name}.of: no segmentation is called '{part}'. {known}")
                    if self.segmentations[part].unit != settings.unit:
                        raise ValueError(f"segmentations.{name}.of: {part} is not of the unit {settings.unit}.")
                if settings.of[0] == settings.of[1]:
                    raise ValueError(
                        f"segmentations.{name}.of: {settings.of[0]} is named twice. A crossing needs two different "
                        "segmentations, such as [value, needs]."
                    )
        self.in_order()
        return self

    def _aims_at_its_own(self, name: str, settings: Trees, objective: str) -> None:
        if objective not in self.objectives:
            known = did_you_mean(objective, self.objectives)
            raise ValueError(f"segmentations.{name}.objective: no objective is called '{objective}'. {known}")
        if self.objectives[objective].unit != settings.unit:
            raise ValueError(f"segmentations.{name}.objective: {objective} is not of the unit {settings.unit}.")

    def in_order(self) -> tuple[str, ...]:
        """The names of the segmentations, those that others are made of before these; else as written."""
        found: list[str] = []

        def take(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                raise ValueError(f"segmentations.{name}.of: it is made of itself: {' of '.join((*above, name))}.")
            settings = self.segmentations[name]
            for part in settings.of if isinstance(settings, Crossing) else ():
                take(part, (*above, name))
            if name not in found:
                found.append(name)

        for name in self.segmentations:
            take(name, ())
        return tuple(found)

    @model_validator(mode="after")
    def _lifetime_of_known_columns(self) -> Config:
        declared = [a for s in self.sources.values() if s.kind == "customers" for a in s.attributes]
        contract = self.lifetime.contract or Contract.model_construct()
        for key in ("periods", "left", "payment"):
            name = getattr(contract, key)
            if name is not None and name not in declared:
                raise ValueError(
                    f"lifetime.contract.{key}: no source of customers has an attribute '{name}'. "
                    f"{did_you_mean(name, declared)}"
                )
        by, columns = self.lifetime.by, [*TABLES["customers"].names, *declared]
        if by is not None and by not in (COHORT, *columns):
            raise ValueError(
                f"lifetime.by: '{by}' is neither {COHORT} nor a column or attribute of the customers. "
                f"{did_you_mean(by, columns)}"
            )
        return self

    @property
    def attributes(self) -> tuple[tuple[str, str, Attribute], ...]:
        """The attributes of all sources, as (table, name, declaration)."""
        return tuple((s.kind, name, found) for s in self.sources.values() for name, found in s.attributes.items())

    @property
    def clock(self) -> str:
        """The time zone of hours and weekdays in traits."""
        named = {source.timezone for source in self.sources.values()} - {"UTC"}
        return self.timezone or (named.pop() if len(named) == 1 else "UTC")

    def sources_of(self, data: Iterable[str]) -> list[str]:
        """The sources that give any of the columns named ``table.column`` (or two of them with "or" between)."""
        tables = {need.partition(".")[0] for needs in data for need in needs.split(" or ")}
        return [name for name, source in self.sources.items() if source.kind in tables]

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
    _no_secret(tree, file)
    plain = _substitute(tree, env, file, ())
    try:
        return Config.model_validate(plain)
    except ValidationError as error:
        found: dict[str, list[str]] = {}
        for item in error.errors():
            at, message = _explain(dict(item), tree, file)
            found.setdefault(at, []).append(message)
        raise ConfigError("\n".join(f"{at}: {_either(messages)}" for at, messages in found.items())) from error


# Keys that may hold a secret, and so are never repeated in a message.
_SECRET = ("token", "password", "security_token", "refresh_token", "client_secret")
_IN_URL = re.compile(r"://[^/@]*:([^@]*)@|[?&](?:password|sslpassword|token|access_token)=([^&]*)", re.IGNORECASE)


def _no_secret(tree: CommentedMap, file: str) -> None:
    """Passwords come from the environment, never from a file that is passed around and committed."""
    sources = tree.get("sources")
    named = sources.items() if isinstance(sources, Mapping) else ()
    parts = [(("sources", name), part) for name, part in named if isinstance(part, Mapping)]
    urls = [(("engine",), tree.get("engine")), *(((*at, "url"), part.get("url")) for at, part in parts)]
    found = [(at, m[1] or m[2] or "") for at, url in urls if isinstance(url, str) for m in _IN_URL.finditer(url)]
    found += [((*at, key), str(part[key])) for at, part in parts for key in _SECRET if part.get(key)]
    for at, secret in found:
        if not re.fullmatch(r"\$\{\w+\}|", secret):
            word = "password" if at[-1] in ("engine", "url") else str(at[-1]).replace("_", " ")
            variable = "SEGMENTRY_DB_PASSWORD" if word == "password" else f"{at[1]}_{at[-1]}".upper()
            raise ConfigError(
                f"{file}:{line_of(tree, at)} {_dotted(at)}: the {word} stands in the file.",
                why="Whoever reads the file could use it.",
                fix=f"Write ${{{variable}}} in its place and set that environment variable.",
            )


def from_environment(text: str, env: Mapping[str, str]) -> str:
    """A text with its ``${NAME}`` filled in; :class:`ConfigError` for one that is not set."""
    return str(_substitute(text, env, "url", ()))


def threads(env: Mapping[str, str]) -> int | None:
    """How many threads DuckDB may use; None where the environment does not say."""
    given = env.get("SEGMENTRY_THREADS", "")
    if given and not (given.isdecimal() and int(given)):
        raise UsageError(f"SEGMENTRY_THREADS is '{given}'.", why="It is how many threads DuckDB may use, such as 4.")
    return int(given) if given else None


def json_schema() -> dict[str, Any]:
    """JSON Schema of segmentry.yaml, for editors."""
    return Config.model_json_schema(by_alias=True)


def line_of(tree: object, path: tuple[object, ...]) -> int:
    """The line (from 1) of a key path in a loaded YAML tree; of its nearest parent where it is missing."""
    line = 1
    for key in path:
        if isinstance(tree, CommentedMap) and key in tree:
            line = tree.lc.key(key)[0] + 1
        elif isinstance(tree, CommentedSeq) and isinstance(key, int) and key < len(tree):
            line = tree.lc.item(key)[0] + 1
        else:
            break
        tree = tree[key]
    return line


_KEY = re.compile(rf"{re.escape(FILE_NAME)} (\w+(?:\.\w+)*)")


def with_line(message: str, path: Path) -> str:
    """A message with the line of the key of segmentry.yaml that it begins with; as it is where it begins with none."""
    named = _KEY.match(message)
    tree = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig")) if named and path.is_file() else None
    if named is None or not isinstance(tree, CommentedMap):
        return message
    key = tuple(int(part) if part.isdecimal() else part for part in named[1].split("."))
    return f"{FILE_NAME}:{line_of(tree, key)}{message[len(FILE_NAME) :]}"


def _substitute(node: object, env: Mapping[str, str], file: str, path: tuple[object, ...]) -> Any:
    if isinstance(node, Mapping):
        return {str(k): _substitute(v, env, file, (*path, k)) for k, v in node.items()}
    if isinstance(node, list):
        return [_substitute(v, env, file, (*path, i)) for i, v in enumerate(node)]
    if isinstance(node, str):

        def value(match: re.Match[str]) -> str:
            if match[1] not in env:
                raise ConfigError(
                    f"{f'{file} {_dotted(path)}'.rstrip()}: the environment variable {match[1]} is not set.",
                    fix=f"Set it, for example `export {match[1]}=…`.",
                )
            return env[match[1]]

        return re.sub(r"\$\{(\w+)\}", value, str(node))
    return node


def _dotted(path: tuple[object, ...]) -> str:
    return ".".join(str(p) for p in path)


_NEEDS = "needs "
# What pydantic finds wrong, as a person would say it; {} is what it allows.
_WANTED = {
    "tuple": "a list, such as [a, b]",
    "list": "a list, such as [a, b]",
    "dict": "keys with values",
    "model": "keys with values",
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date, such as 2024-12-31",
    "literal_error": "{expected}",
    "too_short": "{min_length} or more entries",
    "too_long": "{max_length} entries or fewer",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}


def _wanted(item: Mapping[str, Any]) -> str:
    """What a value has to be; empty where our own check says it already."""
    kind = str(item["type"])
    form = _WANTED.get(kind) or _WANTED.get(kind.partition("_")[0], "")
    return form.format(**item.get("ctx", {}))


def _either(messages: Sequence[str]) -> str:
    """What is wrong in one place, once; of a value that may be one thing or another, both."""
    first, *others = dict.fromkeys(messages)
    more = [m.partition(_NEEDS)[2] if _NEEDS in first and _NEEDS in m else m for m in others]
    return ", or ".join([first, *more])


def _explain(item: dict[str, Any], tree: CommentedMap, file: str) -> tuple[str, str]:
    """Where something is wrong, and what."""
    path = tuple(p for p in _written(item["loc"], tree))
    at = f"{file}:{line_of(tree, path)} {_dotted(path)}".rstrip()
    if item["type"] == "extra_forbidden":
        return at, f"this key is not known. {did_you_mean(str(path[-1]), _keys_at(path[:-1], tree))}"
    if item["type"] == "missing":
        return at, "this key is needed and missing."
    if item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        given = _get(tree, path)
        method = str(given.get("method", "")) if isinstance(given, Mapping) else ""
        said = f"method '{method}' is not known" if method else "method is needed"
        meant = difflib.get_close_matches("method", map(str, given), 1) if isinstance(given, Mapping) else []
        if meant and not method:
            return at, f"{meant[0]}: this key is not known. Did you mean 'method'?"
        return at, f"{said}. {did_you_mean(method, METHODS)}"
    wanted = _wanted(item)
    message = f"{_NEEDS}{wanted}" if wanted else str(item["msg"]).removeprefix("Value error, ")
    if not path:  # a check of the whole file says itself which key it is about
        key, _, rest = message.partition(": ")
        if rest and (there := _path_of(key, tree)):
            return f"{file}:{line_of(tree, there)} {key}", rest
    given = item.get("input")
    open_to_all = path[-1:] and path[-1] not in ("engine", "url", *_SECRET)
    shown = f"{str(given)[:60]!r}: " if isinstance(given, str | int | float) and open_to_all else ""
    return at, f"{shown}{message}"


def _path_of(key: str, tree: object) -> tuple[str, ...]:
    """The path of a dotted key; empty where there is none."""
    path = tuple(key.split("."))
    for part in path:
        if not isinstance(tree, Mapping) or part not in tree:
            return ()
        tree = tree[part]
    return path


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


def _get(tree: object, path: tuple[object, ...]) -> Any:
    for key in path:
        tree = cast(Any, tree)[key]
    return tree


# What stands at a path of the file; * is any name or number. A segmentation is what its method says.
_PARTS: Mapping[str, type[BaseModel]] = {
    "sources.*": Source,
    "sources.*.attributes.*": Attribute,
    "sources.*.answers": Answers,
    "traits.*": DeclaredTrait,
    "segmentations.*.segments.*": SegmentText,
    "segmentations.*.cuts": RfmCuts,
    "segmentations.*.tiers.*": Tier,
    "identity": Identity,
    "identity.accounts": AccountIdentity,
    "lifecycle_days": LifecycleDays,
    "surveys.*": Survey,
    "surveys.*.scales.*": Scale,
    "surveys.*.best_worst": BestWorst,
    "surveys.*.choices.*": Choice,
    "lifetime": Lifetime,
    "lifetime.contract": Contract,
    "sample": Sample,
    "quality": Quality,
    "quality.accept.*": Acceptance,
}


def _keys_at(path: tuple[object, ...], tree: CommentedMap) -> list[str]:
    """The keys that are allowed at a path, for the did-you-mean."""
    match path:
        case ("segmentations", _):
            model: type[BaseModel] = METHODS.get(str(_get(tree, path).get("method")), Rules)
        case ("segmentations", _, "segments", int()):
            model = RuleSegment
        case _:
            model = next((part for pattern, part in _PARTS.items() if _stands_at(pattern.split("."), path)), Config)
    return [field.alias or name for name, field in model.model_fields.items()]


def _stands_at(pattern: Sequence[str], path: Sequence[object]) -> bool:
    return len(pattern) == len(path) and all(p in ("*", str(at)) for p, at in zip(pattern, path, strict=True))
