"""Why traits of the catalogue are not there, so that the data plan can say it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Model, Trait, declared_as
from segmentry.catalogue.takes import TAKES
from segmentry.config import FILE_NAME
from segmentry.errors import ConfigError, did_you_mean
from segmentry.traits.known import Known
from segmentry.traits.learning import LEARNERS, Learned


def absent(
    known: Known, catalogue: Collection[Trait], made: Sequence[Trait], told: Mapping[str, str]
) -> dict[str, str]:
    """By trait of a catalogue that was not made (a family by its name, such as ``theme_*``), the reason.

    ``told`` are reasons that are known already, by trait; of a family that of its first member.
    """
    there = {declared_as(trait.name) for trait in made}
    missing = [trait for trait in catalogue if trait.name not in there]
    given = _given(known, missing)
    found = {}
    for trait in missing:
        first = next((name for name in told if name != trait.name and declared_as(name) == trait.name), None)
        if lacks := trait.lacks(given):
            found[trait.name] = f"nothing is known of {', nor of '.join(lacks)}"
        elif trait.name in told:
            found[trait.name] = told[trait.name]
        elif first is not None:
            found[trait.name] = f"{first}: {told[first]}"
        else:
            found[trait.name] = f"there is no {TAKES.get(trait.name, 'record of a customer that tells it')}"
    return found


def refusals(models: Mapping[str, Learned]) -> dict[str, str]:
    """By trait that would be made of a model, why there is no such model."""
    refused = {name: made.refused for name, made in models.items() if made.refused}
    return {trait: why.rstrip(".") for name, why in refused.items() for trait in LEARNERS[name].traits}


def unwanted(known: Known, catalogue: Collection[Trait]) -> dict[str, str]:
    """By trait of a catalogue that segmentry.yaml leaves out, that it does."""
    return {t.name: f"{FILE_NAME} leaves it out: describe_by does not name it" for t in catalogue if not known.wants(t)}


def require_known(patterns: Collection[str], made: Collection[Trait]) -> None:
    """Every pattern of ``describe_by`` means a trait of the catalogue or one that is made.

    Raises :class:`ConfigError`.
    """
    there = [*made, *TRAITS.values(), *ACCOUNT_TRAITS.values()]
    for pattern in patterns:
        if not any(trait.is_meant_by(pattern) for trait in there):
            names = [*(t.name for t in there), *(f"{model}.*" for model in Model)]
            raise ConfigError(
                f"{FILE_NAME} describe_by: '{pattern}' means no trait.",
                why=did_you_mean(pattern, names),
                fix="Name traits, or models such as behavioral.*; `segmentry show traits` lists what there is.",
            )


def _given(known: Known, missing: Collection[Trait]) -> set[str]:
    """The ``table.column`` that have values, of those that the missing traits need."""
    given = {column for column, rows in known.filled.items() if rows}
    tables = {**known.facts, "costs": known.costs, "stores": known.stores, "accounts": known.accounts}
    wanted: dict[str, dict[str, None]] = {}
    for need in (one for trait in missing for each in trait.needs for one in each.split(" or ")):
        table, _, column = need.partition(".")
        rows = tables.get(table)
        if need not in known.filled and rows is not None and column in rows.columns:
            wanted.setdefault(table, {})[column] = None
    for table, columns in wanted.items():
        rows = tables[table]
        assert rows is not None
        counts = rows.agg(**{name: rows[name].count() for name in columns}).to_pyarrow().to_pylist()[0]
        given |= {f"{table}.{name}" for name, count in counts.items() if count}
    return given
