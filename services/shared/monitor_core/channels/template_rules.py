"""What may stand in a template: a list of what is harmless, not of what harms.

A template is written by who may start a monitor, and rendered by a worker that serves all of them. So it takes
what texts need and nothing that could cost time or memory: names, one label, `if`, one loop over the labels,
comparisons, a few filters. There is no call, no arithmetic, no assignment, and no filter by which a text grows but
by what stands in the template.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from jinja2 import meta, nodes
from jinja2.filters import FILTERS as JINJAS

from monitor_core.channels.template_values import VARIABLES


def _rounded(value: float, digits: int = 0) -> float:
    # Jinja2's own computes a power of ten, as high as it is told.
    return round(value, digits) if digits else round(value)


_OF_JINJA: Final = ("capitalize", "default", "dictsort", "items", "lower", "trim", "truncate", "upper")
FILTERS: Final[Mapping[str, Any]] = MappingProxyType(
    {name: JINJAS[name] for name in _OF_JINJA} | {"round": _rounded}
)
"""The filters that there are."""
_DEEPEST: Final = 40
_TAKEN: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple),
    *(nodes.If, nodes.CondExpr, nodes.For, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Keyword),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat),
)
_TAKES: Final = (
    "it takes names, labels.NAME, if, one loop over labels or labels|items, comparisons, ~ and the filters "
    + ", ".join(sorted(FILTERS))
)
_OF_LOOP: Final = frozenset({"first", "index", "last"})


def problem(tree: nodes.Template) -> str | None:
    """What is wrong with a template, and where; None where nothing is."""
    if found := next(_found(tree, 0, in_loop=False), None):
        return found
    unknown = sorted(meta.find_undeclared_variables(tree) - VARIABLES.keys())
    return f"names {', '.join(unknown)}: it may name {', '.join(VARIABLES)}" if unknown else None


def _found(node: nodes.Node, depth: int, *, in_loop: bool) -> Iterator[str]:
    if depth > _DEEPEST:
        yield "it is nested too deeply"
        return
    if wrong := _wrong(node, in_loop=in_loop):
        yield f"{f'line {node.lineno}: ' if node.lineno else ''}{wrong}; {_TAKES}"
    for inner in node.iter_child_nodes():
        yield from _found(inner, depth + 1, in_loop=in_loop or isinstance(node, nodes.For))


def _wrong(node: nodes.Node, *, in_loop: bool) -> str | None:
    match node:
        case nodes.For():
            return _wrong_loop(node, in_loop=in_loop)
        case nodes.Filter():
            return _wrong_filter(node)
        case nodes.Getattr() | nodes.Getitem() if not _is_part(node):
            return "it may look into nothing but labels.NAME, labels['NAME'] and, in a loop, loop.last"
        case nodes.Name(name="self"):
            return "it may not name itself"
        case _:
            return None if isinstance(node, _TAKEN) else f"it may have no {type(node).__name__} in it"


def _wrong_loop(loop: nodes.For, *, in_loop: bool) -> str | None:
    if in_loop or loop.recursive:
        return "a loop may hold no other loop"
    over = loop.iter
    if isinstance(over, nodes.Filter) and over.name in {"dictsort", "items"}:
        over = over.node or over
    is_labels = isinstance(over, nodes.Name) and over.name == "labels"
    return None if is_labels else "a loop may go over nothing but labels"


def _wrong_filter(used: nodes.Filter) -> str | None:
    if used.name not in FILTERS:
        return f"there is no filter {used.name}"
    given = [*used.args, *(pair.value for pair in used.kwargs)]
    plain = all(isinstance(each, nodes.Const) for each in given) and not used.dyn_args and not used.dyn_kwargs
    return None if plain else f"what {used.name} is given should be plain values"


def _is_part(node: nodes.Getattr | nodes.Getitem) -> bool:
    whole = node.node.name if isinstance(node.node, nodes.Name) else None
    if isinstance(node, nodes.Getitem):
        return whole == "labels" and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)
    return whole == "labels" or (whole == "loop" and node.attr in _OF_LOOP)
