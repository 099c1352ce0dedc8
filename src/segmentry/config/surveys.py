"""What a person may write about a survey: which questions make which scores."""

from __future__ import annotations

from segmentry.config.part import Part


class Survey(Part):
    """How the answers of one survey become traits."""
