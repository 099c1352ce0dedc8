"""What every section of segmentry.yaml is made of."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, WithJsonSchema

from segmentry.declaration import STRICT

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Part(BaseModel):
    """A section of segmentry.yaml."""

    model_config = STRICT


def _text_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


TextList = Annotated[
    tuple[str, ...],
    BeforeValidator(_text_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
