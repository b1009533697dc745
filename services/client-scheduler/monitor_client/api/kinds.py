"""What can be waited for: the kinds of check that this service knows, each as its spec describes it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from monitor_core.contract import Model
from monitor_core.kinds import CheckSpec
from monitor_core.kinds.summary import waits_for


class KindVariable(Model):
    """A CEL variable that conditions may use."""

    name: str
    type: str = Field(description="Its CEL type.")
    description: str


class Kind(Model):
    """One kind of check."""

    name: str
    waits_for: str = Field(description="The kind in one sentence.")
    fields: dict[str, Any] = Field(description="The JSON Schema (draft 2020-12) of a request's `check`.")
    variables: tuple[KindVariable, ...]
    natural_success: str | None = Field(description="The condition of a request that has none; null: give one.")
    natural_failure: str | None
    needs: str | None = Field(description="The package that a worker needs for it beyond its own.")
    example: dict[str, Any] | None = Field(description="A request, without its `job_id`.")


class KindList(Model):
    """All kinds, by name."""

    value: tuple[Kind, ...]


def router(kinds: Mapping[str, type[CheckSpec]]) -> APIRouter:
    """The route `/kinds`."""
    routes = APIRouter(tags=["kinds"])
    listed = KindList(value=tuple(_kind(name, spec) for name, spec in sorted(kinds.items())))

    @routes.get("/kinds")
    async def list_kinds() -> KindList:
        """What can be waited for: each kind's fields, variables, natural conditions and an example."""
        return listed

    return routes


def _kind(name: str, spec: type[CheckSpec]) -> Kind:
    variables = (
        KindVariable(name=one, type=said.type, description=said.description)
        for one, said in spec.variables.items()
    )
    return Kind(
        name=name,
        waits_for=waits_for(spec),
        fields=spec.model_json_schema(),
        variables=tuple(variables),
        natural_success=spec.natural_success,
        natural_failure=spec.natural_failure,
        needs=spec.needs,
        example=_plain(spec.example) if hasattr(spec, "example") else None,
    )


def _plain(value: Any) -> Any:
    """Frozen mappings and tuples as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
