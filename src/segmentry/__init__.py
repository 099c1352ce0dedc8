"""Segmentry: from scattered customer data to segments a whole company can act on.

>>> import segmentry as sg
>>> sorted(name for name in sg.__all__)[:4]
['Bands', 'KMeans', 'KPrototypes', 'LatentClasses']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from segmentry.version import __version__ as __version__

if TYPE_CHECKING:
    from segmentry import lifetime
    from segmentry.beginnings import create_workspace as create
    from segmentry.errors import SegmentryError
    from segmentry.segment.alone import (
        Bands,
        KMeans,
        KPrototypes,
        LatentClasses,
        Mixtures,
        Rfm,
        Rules,
        Trees,
        ValueTiers,
    )
    from segmentry.segmentation import Segmentation
    from segmentry.workspace import Workspace
    from segmentry.workspace import open_workspace as open

__all__ = [
    "Bands",
    "KMeans",
    "KPrototypes",
    "LatentClasses",
    "Mixtures",
    "Rfm",
    "Rules",
    "Segmentation",
    "SegmentryError",
    "Trees",
    "ValueTiers",
    "Workspace",
    "create",
    "lifetime",
    "open",
]

# Loaded when first used: importing pandas, scikit-learn and the database takes a second that `--help` should not wait.
_WHERE = {
    "Bands": ("segmentry.segment.alone", "Bands"),
    "KMeans": ("segmentry.segment.alone", "KMeans"),
    "KPrototypes": ("segmentry.segment.alone", "KPrototypes"),
    "Mixtures": ("segmentry.segment.alone", "Mixtures"),
    "LatentClasses": ("segmentry.segment.alone", "LatentClasses"),
    "Rfm": ("segmentry.segment.alone", "Rfm"),
    "Rules": ("segmentry.segment.alone", "Rules"),
    "Segmentation": ("segmentry.segmentation", "Segmentation"),
    "SegmentryError": ("segmentry.errors", "SegmentryError"),
    "Trees": ("segmentry.segment.alone", "Trees"),
    "ValueTiers": ("segmentry.segment.alone", "ValueTiers"),
    "Workspace": ("segmentry.workspace", "Workspace"),
    "create": ("segmentry.beginnings", "create_workspace"),
    "lifetime": ("segmentry.lifetime", ""),  # a module
    "open": ("segmentry.workspace", "open_workspace"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'segmentry' has no attribute '{name}'")
    module, attribute = _WHERE[name]
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
