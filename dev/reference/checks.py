"""docs/checks.md: every built-in kind of check, from its spec."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import CheckSpec, Kinds
from monitor_core.kinds.summary import waits_for
from reference import kind as section
from reference.markdown import anchor, code, table
from reference.types import Link

_INTRODUCTION: Final = """\
# What can be waited for

<!-- Generated from services/shared/monitor_core/kinds by `make reference`: change the specs, not this page. -->

A request's `check` says what is looked at: its `kind`, and that kind's fields. Its `success_when` and
`failure_when` judge what a check has seen, in CEL over the kind's variables; [conditions.md](conditions.md) shows
how. The rest of a request is the same for all kinds: `python client.py schema` prints all of it. A kind of your
own is a [plug-in](plugins.md).

The examples are whole requests but for `job_id`, the name that you give to what you wait for."""

Parts = Mapping[str, Any]


def checks_page(kinds: Kinds = BUILT_IN) -> str:
    """The whole page."""
    schemas = {kind: spec.model_json_schema() for kind, spec in sorted(kinds.items())}
    shared = _parts_of_several(schemas.values())
    blocks = [_INTRODUCTION, _overview(kinds)]
    for kind, schema in schemas.items():
        blocks += _kind(kind, kinds[kind], schema, shared)
    blocks += _shared(shared)
    return "\n\n".join(block for block in blocks if block) + "\n"


def shared_parts(kinds: Kinds = BUILT_IN) -> Parts:
    """The parts that the page describes once for several kinds, by name."""
    return _parts_of_several([spec.model_json_schema() for spec in kinds.values()])


def _parts_of_several(schemas: Collection[Parts]) -> Parts:
    seen = Counter(name for schema in schemas for name in schema.get("$defs", ()))
    return {
        name: part
        for schema in schemas
        for name, part in schema.get("$defs", {}).items()
        if seen[name] > 1 and all(part == other.get("$defs", {}).get(name, part) for other in schemas)
    }


def _overview(kinds: Kinds) -> str:
    rows = [(f"[{kind}]({anchor(kind)})", waits_for(spec)) for kind, spec in sorted(kinds.items())]
    return table(("Kind", "Waits for"), rows)


def _kind(kind: str, spec: type[CheckSpec], schema: Parts, shared: Parts) -> Iterator[str]:
    link = _link(kind, shared)
    yield f"## {kind}"
    yield from section.about(spec)
    yield section.fields(schema, link)
    yield from section.conditions(spec)
    # A kind under construction may have none yet; a test says so.
    if hasattr(spec, "example"):
        yield section.example(spec.example)
    for name, part in sorted(schema.get("$defs", {}).items()):
        if name not in shared:
            yield from _part(_own(kind, name), part, link)


def _shared(parts: Parts) -> Iterator[str]:
    if not parts:
        return
    yield "## Parts of several kinds"
    for name, part in sorted(parts.items()):
        yield from _part(name, part, _link("", parts))


def _part(heading: str, part: Parts, link: Link) -> Iterator[str]:
    yield f"### {heading}"
    yield part.get("description", "")
    yield section.fields(part, link) if "properties" in part else code(part)


def _own(kind: str, name: str) -> str:
    return f"{name} of {kind}"


def _link(kind: str, shared: Parts) -> Link:
    def link(name: str) -> str:
        return f"[{name}]({anchor(name if name in shared else _own(kind, name))})"

    return link
