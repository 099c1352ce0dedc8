"""Write the guides that follow from the code: the keys of segmentry.yaml, the traits, the tables, the commands.

``python scripts/write_docs.py`` writes docs/guides/*.md; a test checks that they are what this would write.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from segmentry import config
from segmentry.apps import cli
from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Trait
from segmentry.config import survey_needs
from segmentry.tables import TABLES

GUIDES = Path(__file__).resolve().parent.parent / "docs" / "guides"
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", config.Config),
    ("sources.NAME", config.Source),
    ("sources.NAME.attributes.NAME", config.Attribute),
    ("sources.NAME.answers", config.Answers),
    ("identity", config.Identity),
    ("identity.accounts", config.AccountIdentity),
    ("lifecycle_days", config.LifecycleDays),
    ("surveys.NAME", config.Survey),
    ("surveys.NAME.scales.NAME", config.Scale),
    ("surveys.NAME.best_worst", survey_needs.BestWorst),
    ("surveys.NAME.choices.NAME", survey_needs.Choice),
    ("lifetime", config.Lifetime),
    ("sample", config.Sample),
    ("bias", config.Bias),
    ("quality", config.Quality),
    ("quality.accept", config.Acceptance),
    ("traits.NAME", config.DeclaredTrait),
    ("objectives.NAME", config.Objective),
    ("segmentations.NAME with method: rules", config.Rules),
    ("segmentations.NAME.segments of rules", config.RuleSegment),
    ("segmentations.NAME with method: rfm", config.Rfm),
    ("segmentations.NAME.cuts of rfm", config.RfmCuts),
    ("segmentations.NAME with method: value_tiers", config.ValueTiers),
    ("segmentations.NAME.tiers of value_tiers", config.Tier),
    ("segmentations.NAME with method: bands", config.Bands),
    ("segmentations.NAME with method: kmeans", config.KMeans),
    ("segmentations.NAME with method: trees", config.Trees),
    ("segmentations.NAME with method: crossing", config.Crossing),
    ("segmentations.NAME with method: kprototypes", config.KPrototypes),
    ("segmentations.NAME with method: mixtures", config.Mixtures),
    ("segmentations.NAME with method: latent_classes", config.LatentClasses),
    ("segmentations.NAME.segments.NAME of the other methods", config.SegmentText),
)


def guides() -> dict[str, str]:
    """The guides by file name."""
    return {
        "config.md": "".join(_config()),
        "traits.md": "".join(_traits()),
        "tables.md": "".join(_tables()),
        "commands.md": "".join(_commands()),
    }


def _config() -> Iterator[str]:
    yield "# segmentry.yaml, key by key\n\n`segmentry init` writes the file; unknown keys are errors. "
    yield "`${NAME}` in a value is taken from the environment. `segmentry schema` prints the JSON Schema for editors.\n"
    for title, model in SECTIONS:
        yield f"\n## {title}\n\n{inspect.cleandoc(model.__doc__ or '')}\n\n"
        yield "| key | type | default | meaning |\n|---|---|---|---|\n"
        for name, found in model.model_fields.items():
            required = found.default is PydanticUndefined
            default = "needed" if required else _default(found.default)
            yield f"| `{found.alias or name}` | {_type(found.annotation)} | {default} | {found.description or ''} |\n"


def _default(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "see below"
    if value in ("", None, {}, ()):
        return ""
    if isinstance(value, tuple):
        return ", ".join(getattr(v, "name", str(v)) for v in value)
    return f"`{value}`"


def _type(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_type(a) for a in get_args(annotation) if a is not type(None))
    if str(get_origin(annotation)) == "typing.Literal":
        return ", ".join(f"`{a}`" for a in get_args(annotation))
    words = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if annotation in words:
        return words[annotation]
    name = getattr(annotation, "__name__", str(annotation))
    return {"date": "date", "dict": "mapping", "tuple": "list"}.get(name, name.lower())


def _traits() -> Iterator[str]:
    yield "# Traits\n\nThe built-in traits. One that the data cannot support is absent. `*` stands for the frequent "
    yield "values of a column. Further traits come from `attributes:` in segmentry.yaml, and from `traits:`: see "
    yield "[declared_traits.md](declared_traits.md).\n"
    for model in dict.fromkeys(t.model for t in TRAITS.values()):
        yield from _listed(str(model), [t for t in TRAITS.values() if t.model == model])
    yield "\nGuides: [demographic](demographic.md), [geographic](geographic.md), [firmographic](firmographic.md).\n"
    yield from _listed("Of accounts, beside the behavioral, value and geographic ones", ACCOUNT_TRAITS.values())


def _listed(title: str, traits: Iterable[Trait]) -> Iterator[str]:
    yield f"\n## {title}\n\n| trait | kind | unit | description | needs | null means |\n|---|---|---|---|---|---|\n"
    for t in traits:
        needs = ", ".join(t.needs)
        yield f"| `{t.name}` | {t.kind} | {t.unit} | {t.description} | {needs} | {t.null_means} |\n"


def _tables() -> Iterator[str]:
    yield "# Tables\n\nEvery table of a workspace; `segmentry show NAME` shows one. "
    yield "Personal: direct, quasi, sensitive.\n"
    for table in TABLES.values():
        yield f"\n## {table.name}\n\nOne row: {table.grain}. Written by {table.stage}.\n\n"
        yield "| column | type | unit | personal | description | null means |\n|---|---|---|---|---|---|\n"
        for c in table.columns:
            pii = "" if c.pii == "none" else c.pii
            null = "never null" if c.required else c.null_means
            yield f"| `{c.name}` | {c.type} | {c.unit} | {pii} | {c.description} | {null} |\n"


def _commands() -> Iterator[str]:
    yield "# Commands\n\nExit codes: 0 done, 1 the data says no, 2 wrong use or config, 3 a defect of Segmentry.\n"
    group: Any = typer.main.get_command(cli.app)
    for name, command in _leaves(group):
        yield f"\n## segmentry {name}\n\n{(command.help or '').strip()}\n\n| option | meaning |\n|---|---|\n"
        for parameter in command.params:
            if parameter.name == "help":
                continue
            label = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()
            yield f"| `{label}` | {getattr(parameter, 'help', '') or ''} |\n"


def _leaves(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its words: `note add` is a command of the group `note`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def main() -> None:
    """Write the guides."""
    GUIDES.mkdir(parents=True, exist_ok=True)
    for name, text in guides().items():
        (GUIDES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
