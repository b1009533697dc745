"""What a check looks at, in one line, whatever its kind. Pure."""

from collections.abc import Mapping
from typing import Any

from monitor_client.web.paths import shown_json
from monitor_core.kinds import CheckSpec


def target_of(check: Mapping[str, Any], kinds: Mapping[str, type[CheckSpec]]) -> str:
    """What the kind cannot do without, or else what is set: `https://...`, `example.com:443`, `checks 4`."""
    spec = kinds.get(str(check.get("kind")))
    if spec is None:
        return ""
    needed = [name for name, field in spec.model_fields.items() if field.is_required() and name in check]
    if needed:
        return ":".join(shown_json(check[name]) for name in needed if isinstance(check[name], str | int))
    return ", ".join(f"{name} {shown_json(one)}" for name, one in check.items() if _is_short(name, one))


def _is_short(name: str, value: object) -> bool:
    return name != "kind" and isinstance(value, str | int)
