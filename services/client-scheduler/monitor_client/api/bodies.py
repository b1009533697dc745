"""What a request's body may be: JSON as its standard has it, and an object.

Python reads more as JSON than others do, and could neither store nor repeat it.
"""

import json
from typing import Annotated, Any

from fastapi import Body
from pydantic import BeforeValidator


def sound(value: object) -> object:
    """The value, which others can store and repeat as JSON.

    Raises:
        ValueError: they could not.
    """
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("should be JSON: no NaN, no Infinity, only whole Unicode, nested less deep") from None
    return value


JsonObject = Annotated[dict[str, Any], BeforeValidator(sound)]
Json = Annotated[JsonObject, Body()]
"""A body that is a JSON object."""
OptionalJson = Annotated[JsonObject, Body(default_factory=dict)]
"""The same, empty where there is no body."""
