"""The kind `dns`: a name has addresses."""

from types import MappingProxyType
from typing import Literal

from pydantic import Field

from monitor_core.kinds.base import CheckSpec, Variable


class DnsCheck(CheckSpec):
    """Looks a name up, once per check, by the worker's own resolver. A name without addresses is waited for."""

    variables = MappingProxyType(
        {"addresses": Variable("dyn", "The name's addresses; an empty list without one.")}
    )
    natural_success = "addresses.size() > 0"
    example = MappingProxyType({"check": {"kind": "dns", "host": "new.example.com"}, "timeout_seconds": 3600})

    kind: Literal["dns"] = "dns"
    host: str = Field(max_length=253, description="The name to look up.")
