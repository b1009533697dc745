"""A kind of check in one line, taken from what its module says of it: for lists of kinds."""

import inspect

from monitor_core.kinds.base import CheckSpec


def waits_for(spec: type[CheckSpec]) -> str:
    """What a kind waits for, as a sentence."""
    module = inspect.getmodule(spec)
    first = (inspect.getdoc(module) or inspect.getdoc(spec) or "").split("\n\n")[0]
    _, _, said = first.partition(": ") if first.startswith("The kind ") else ("", "", first)
    return " ".join((said[:1].upper() + said[1:]).split())
