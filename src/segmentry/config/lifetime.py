"""What a person may write about the value that customers will have."""

from __future__ import annotations

from segmentry.config.part import Part


class Lifetime(Part):
    """How the value that customers will have is predicted."""
