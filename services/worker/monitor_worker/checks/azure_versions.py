"""In which api-version a resource is asked for where a check does not say: the newest of its type, as in `az`."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from weakref import WeakValueDictionary

from monitor_core.contract import ErrorClass
from monitor_core.kinds.azure_id import ResourceType
from monitor_worker.checks.base import CheckFailed

PROVIDERS_VERSION: Final = "2021-04-01"
"""Of Microsoft.Resources, which tells those of all others."""
_STABLE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VERSION: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(-[a-z]{1,20})?")
_MOST_KEPT: Final = 1000


class Versions:
    """Keeps what was found, for all monitors: it is the state of none. Use it on one event loop."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], str] = {}
        # Requests say which keys there are: one that nobody waits for any more is not kept.
        self._locks: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: tuple[str, ...], find: Callable[[], Awaitable[str]]) -> str:
        """What is kept, else what `find` finds: once for however many checks ask at a time."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._kept:
                found = await find()
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[key] = found
            return self._kept[key]

    def forget(self, key: tuple[str, ...]) -> None:
        """Find it anew the next time."""
        self._kept.pop(key, None)


def newest(provider: Any, wanted: ResourceType) -> str:
    """The newest api-version that is no preview, of the type or of the nearest type above it that has any.

    Args:
        provider: as Azure Resource Manager describes it, decoded.
        wanted: the resource's type.

    Raises:
        CheckFailed: the provider knows no such type.
    """
    listed = _listed(provider)
    names = wanted.type.lower().split("/")
    for length in range(len(names), 0, -1):
        if versions := listed.get("/".join(names[:length])):
            return max(versions, key=lambda version: (bool(_STABLE.fullmatch(version)), version))
    reason = f"the provider {wanted.namespace} names no api-version for the type {wanted.type}"
    advice = "change check.resource_id, or give check.api_version"
    raise CheckFailed(ErrorClass.MISCONFIGURED, f"{reason}: {advice}")


def _listed(provider: Any) -> dict[str, list[str]]:
    types = provider.get("resourceTypes") if isinstance(provider, dict) else None
    known = (entry for entry in _items(types) if isinstance(entry, dict))
    return {str(entry.get("resourceType")).lower(): list(_versions(entry)) for entry in known}


def _versions(entry: dict[str, Any]) -> Iterable[str]:
    found = (version for version in _items(entry.get("apiVersions")) if isinstance(version, str))
    return (version for version in found if _VERSION.fullmatch(version))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
