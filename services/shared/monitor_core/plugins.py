"""Kinds of check that other distributions bring: found by entry points, used only where a setting names them.

A plug-in has the kind's name in two groups: `durable_monitor.kinds` leads to its spec, which both services
load, and `durable_monitor.checks` to what makes its driver, which only the worker loads. See docs/plugins.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, get_args, get_type_hints

from monitor_core.kinds import BUILT_IN, CheckSpec, Variable
from monitor_core.kinds.base import Kinds

SPECS: Final = "durable_monitor.kinds"
DRIVERS: Final = "durable_monitor.checks"
_TYPES: Final = get_args(get_type_hints(Variable)["type"])
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class PluginError(ValueError):
    """A plug-in that cannot be used; the message names it, and says why and what to do."""


def kinds(names: Iterable[str]) -> Kinds:
    """The built-in kinds and the plug-ins of these names.

    Raises:
        PluginError: one cannot be used.
    """
    return {**BUILT_IN, **{name: _spec(name) for name in names}}


def driver(kind: str) -> Callable[[Any], Any]:
    """What makes the driver of a plug-in, from the worker's resources.

    Raises:
        PluginError: no installed distribution has it, or more than one has.
        Exception: whatever the plug-in raises when it is imported.
    """
    create: Callable[[Any], Any] = _entry_point(DRIVERS, kind).load()
    return create


def _spec(name: str) -> type[CheckSpec]:
    if name in BUILT_IN:
        raise PluginError(f"{name} is a built-in kind: leave it out, or give the plug-in another name")
    if not _NAME.fullmatch(name):
        raise PluginError(f"{name} is no kind's name: it takes up to 64 of a-z, 0-9 and _, a letter first")
    found = _entry_point(SPECS, name)
    try:
        spec = found.load()
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PluginError(f"{name}: its spec cannot be loaded, mend the plug-in or leave it out: {why}") from error
    if reason := _unusable(name, spec):
        raise PluginError(f"{name}: {reason}: mend the plug-in or leave it out")
    checked: type[CheckSpec] = spec
    return checked


def _entry_point(group: str, name: str) -> EntryPoint:
    found = list(entry_points(group=group, name=name))
    if not found:
        have = ", ".join(sorted({one.name for one in entry_points(group=group)})) or "none"
        raise PluginError(f"{name} is not installed here (entry points of {group}: {have}): install the plug-in")
    if len(found) > 1:
        owners = " and ".join(sorted(one.dist.name if one.dist else "?" for one in found))
        raise PluginError(f"{name} is offered by {owners}: uninstall all but one")
    return found[0]


def _unusable(name: str, spec: object) -> str | None:
    if not isinstance(spec, type) or not issubclass(spec, CheckSpec):
        return "its spec is no subclass of CheckSpec"
    kind = spec.model_fields["kind"].default
    if kind != name:
        return f"its spec is of the kind {kind!r}"
    variables = getattr(spec, "variables", None)
    if not isinstance(variables, Mapping):
        return "its spec declares no variables"
    odd = [variable for variable, declared in variables.items() if not _is_declared(declared)]
    return f"its spec declares {odd[0]!r} as no Variable of one of the types {', '.join(_TYPES)}" if odd else None


def _is_declared(variable: object) -> bool:
    return isinstance(variable, Variable) and variable.type in _TYPES
