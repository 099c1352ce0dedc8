"""What customers look for, and how well they get it."""

from __future__ import annotations

from segmentry.catalogue.trait import Trait

NEEDS: tuple[Trait, ...] = ()
