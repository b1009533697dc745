"""What travels through the scheduler as JSON, and what a worker makes of anything else that somebody sends."""

from typing import Any, Final

from durabletask.serialization import JsonDataConverter

from monitor_core.contract.bounds import is_deep

_DEEPEST: Final = 200
"""Levels of nesting: none of our own data has half of it, and recursion goes far beyond."""


class Payloads(JsonDataConverter):
    """The SDK's JSON; what is none is the text that it is.

    The SDK raises, and its orchestration fails: an event that somebody types into a dashboard, `cancel` say, would
    end the monitor. As a text it is refused like any other event that is no command.
    """

    def deserialize(self, data: str | None, target_type: type | None = None) -> Any:
        """The value of a payload."""
        try:
            value = super().deserialize(data, target_type)
        except (ValueError, RecursionError):
            return data
        # By the text first: a replay, with less of the stack left, has to come to the same.
        nested = data is not None and data.count("[") + data.count("{") > _DEEPEST
        return data if nested and is_deep(value, _DEEPEST) else value
