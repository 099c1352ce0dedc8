"""What customers think, value and are interested in."""

from __future__ import annotations

from segmentry.catalogue.trait import Trait

PSYCHOGRAPHIC: tuple[Trait, ...] = ()
