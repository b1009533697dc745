"""The query of a GET that creates its job, read as the fields of POST /jobs."""

from typing import Any

from starlette.datastructures import QueryParams


def fields_of(query: QueryParams) -> dict[str, Any]:
    """Each parameter as a field: `null` is JSON's null; `steps` is repeated, or parted by commas, or both.

    Any other parameter that is repeated stays a list, which no field accepts.
    """
    fields = {name: _value(query.getlist(name)) for name in query}
    if "steps" in fields:
        fields["steps"] = ",".join(query.getlist("steps")).split(",")
    return fields


def _value(given: list[str]) -> Any:
    if len(given) > 1:
        return given
    return None if given[0] == "null" else given[0]
