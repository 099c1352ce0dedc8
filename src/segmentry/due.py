"""When something is learned anew: what a fit or an aim depends on, as a text that changes with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segmentry import config as configs
from segmentry.artefacts import digest, load_segmentation
from segmentry.config import Config
from segmentry.errors import FitError
from segmentry.segmentation import Segmentation
from segmentry.state import Run


def fit(config: Config, name: str, current: Mapping[str, Run]) -> str:
    """What a segmentation is fitted by: its settings, the sample, its objective, the fits that it is made of."""
    settings = config.segmentations[name]
    made_of: list[Any] = []
    if isinstance(settings, configs.Crossing):  # it is made anew when a part of it was
        runs = [current.get(f"fit:{part}") for part in settings.of]
        made_of = [[run.facts["checksum"] if run else None for run in runs]]
    if isinstance(settings, configs.Trees) and settings.objective is not None:
        made_of = [config.objectives[settings.objective].model_dump(mode="json")]
    return digest(["fit", settings.model_dump(mode="json"), _drawn(config), config.bias.model_dump(), *made_of])


def aim(config: Config, name: str) -> str:
    """What an objective is learned by: its settings, the sample, protected traits."""
    drawn = config.sample.model_dump(include={"size", "seed"})
    return digest(["aim", config.objectives[name].model_dump(mode="json"), drawn, config.bias.model_dump()])


def horizon(config: Config, settings: configs.Segmentation) -> int | None:
    """How many days the objective of a segmentation looks back, where it has one that does."""
    of = settings.objective if isinstance(settings, configs.Trees) else None
    return config.objectives[of].horizon if of is not None else None


def _drawn(config: Config) -> dict[str, Any]:
    return config.sample.model_dump(include={"size", "seed", "by", "weights"})


def parts(root: Path, config: Config, name: str, current: Mapping[str, Run]) -> dict[str, Segmentation]:
    """The segmentations that one is made of; :class:`FitError` where one of them could not be fitted."""
    settings = config.segmentations[name]
    found = {}
    for part in settings.of if isinstance(settings, configs.Crossing) else ():
        run = current.get(f"fit:{part}")
        if run is None:
            raise FitError(
                f"{configs.FILE_NAME} segmentations.{name}: it is made of {part}, which is not fitted.",
                fix=f"`segmentry fit {part}` says what is missing.",
            )
        found[part] = load_segmentation(root, run)
    return found
