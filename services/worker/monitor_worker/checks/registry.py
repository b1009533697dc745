"""From a kind's name to its spec and its driver: the module of the same name, or a plug-in, loaded when needed.

Kinds of check and kinds of channel are found alike.
"""

import asyncio
import importlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

from monitor_core import plugins
from monitor_core.channels import Channels, ChannelSpec
from monitor_core.contract import ErrorClass
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import CheckSpec, Kinds
from monitor_core.specs import Spec
from monitor_worker.channels.base import Channel, ChannelModule
from monitor_worker.checks.base import CheckFailed, Driver, DriverModule, Resources

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """What every driver can do."""

    async def close(self) -> None:
        """Release what it holds."""


S = TypeVar("S", bound=Spec)
D = TypeVar("D", bound=Closable)


@dataclass(frozen=True, slots=True)
class Kind(Generic[S, D]):
    """A kind, ready to be used."""

    spec: type[S]
    driver: D


def load_driver(kind: str, resources: Resources) -> Driver:
    """The driver in `monitor_worker.checks.<kind>`, or that of a plug-in."""
    if kind not in BUILT_IN:
        made: Driver = plugins.driver(kind)(resources)
        return made
    module = cast("DriverModule", importlib.import_module(f"monitor_worker.checks.{kind}"))
    return module.create(resources)


def load_channel(kind: str, resources: Resources) -> Channel:
    """The driver in `monitor_worker.channels.<kind>`."""
    module = cast("ChannelModule", importlib.import_module(f"monitor_worker.channels.{kind}"))
    return module.create(resources)


class _Registry(Generic[S, D]):
    """The kinds that this worker knows, and the drivers it has needed so far.

    Args:
        kinds: the specs, by name.
        resources: what drivers may use.
        load: makes a driver.
        field: where a request names the kind, for messages.
    """

    def __init__(
        self,
        kinds: Mapping[str, type[S]],
        resources: Resources,
        load: Callable[[str, Resources], D],
        field: str,
    ) -> None:
        self._kinds, self._resources, self._load, self._field = kinds, resources, load, field
        self._found: dict[str, Kind[S, D]] = {}
        self._lock = threading.Lock()

    def find(self, kind: str) -> Kind[S, D]:
        """The kind of that name.

        Raises:
            CheckFailed: this worker does not know it, or its driver cannot be loaded.
        """
        with self._lock:
            if kind not in self._found:
                self._found[kind] = self._build(kind)
            return self._found[kind]

    def _build(self, kind: str) -> Kind[S, D]:
        if kind not in self._kinds:
            known = ", ".join(sorted(self._kinds))
            raise CheckFailed(ErrorClass.MISCONFIGURED, f"{self._field}: this worker knows {known}, not {kind!r}")
        try:
            return Kind(self._kinds[kind], self._load(kind, self._resources))
        except plugins.PluginError as error:
            raise CheckFailed(ErrorClass.MISCONFIGURED, f"{self._field}: the driver of {error}") from error
        except ImportError as error:
            package = self._kinds[kind].needs or error.name
            why = f"needs the package {package}, which this worker lacks" if package else "cannot be loaded"
            reason = f"{self._field}: the driver of {kind!r} {why}"
            raise CheckFailed(ErrorClass.MISCONFIGURED, reason) from error
        except (Exception, SystemExit) as error:
            reason = f"{self._field}: the driver of {kind!r} cannot be made: {type(error).__name__}"
            raise CheckFailed(ErrorClass.MISCONFIGURED, reason) from error

    async def close(self) -> None:
        """Close every driver that was loaded; call it on the loop they ran on. One that fails keeps no other."""
        closings = [_close(kind.driver) for kind in self._found.values()]
        for outcome in await asyncio.gather(*closings, return_exceptions=True):
            if isinstance(outcome, BaseException):
                _log.warning("A driver failed to close", exc_info=outcome)


async def _close(driver: Closable) -> None:
    # Awaited in here: what a plug-in made may have no such method, or none that can be awaited.
    await driver.close()


class Registry(_Registry[CheckSpec, Driver]):
    """The kinds of check."""

    def __init__(
        self, kinds: Kinds, resources: Resources, load: Callable[[str, Resources], Driver] = load_driver
    ) -> None:
        super().__init__(kinds, resources, load, "check.kind")


class ChannelRegistry(_Registry[ChannelSpec, Channel]):
    """The kinds of channel."""

    def __init__(
        self, kinds: Channels, resources: Resources, load: Callable[[str, Resources], Channel] = load_channel
    ) -> None:
        super().__init__(kinds, resources, load, "to.kind")
