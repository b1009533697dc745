"""docs/notifications.md: written by hand, but for what it shows of the specs, of the notice and of templates.

That stands between comments: `<!-- webhook: from the code, by `make reference` -->` and `<!-- /webhook -->`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor_core.channels import BUILT_IN, Channels, ChannelSpec
from monitor_core.channels.template_values import VARIABLES
from monitor_core.contract import Notice
from reference import kind as section
from reference.checks import shared_parts
from reference.markdown import anchor, code, prose, table
from reference.types import in_words

PAGE: Final = Path(__file__).parents[2] / "docs" / "notifications.md"
NOTICE: Final = "notice"
TEMPLATES: Final = "templates"


def notifications_page(text: str | None = None, channels: Channels = BUILT_IN) -> str:
    """The page with its generated parts as the specs have them now.

    Args:
        text: the page as it stands; unless given, the repository's.
        channels: the kinds that it has a place for.

    Raises:
        LookupError: it has no place for a kind.
    """
    page = PAGE.read_text(encoding="utf-8") if text is None else text
    parts = {
        NOTICE: _notice(),
        TEMPLATES: _templates(),
        **{kind: _kind(kind, spec) for kind, spec in channels.items()},
    }
    for name, blocks in parts.items():
        page = _filled(page, name, "\n\n".join(blocks))
    return page


def _filled(page: str, name: str, made: str) -> str:
    begin, end = f"<!-- {name}: from the code, by `make reference` -->", f"<!-- /{name} -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise LookupError(f"docs/notifications.md has no place for {name}: write {begin} and {end} there")
    return f"{before}{begin}\n\n{made}\n\n{end}{after}"


def _notice() -> Iterator[str]:
    schema = Notice.model_json_schema()

    def values(name: str) -> str:
        return in_words(schema["$defs"][name], code)

    rows = [
        (code(name), in_words(one, values), prose(one.get("description", "")))
        for name, one in schema["properties"].items()
    ]
    yield table(("Field", "Holds", "Meaning"), rows)


def _templates() -> Iterator[str]:
    rows = [(code(name), prose(variable.description)) for name, variable in VARIABLES.items()]
    yield table(("Name", "Meaning"), rows)


def _kind(kind: str, spec: type[ChannelSpec]) -> Iterator[str]:
    schema, elsewhere = spec.model_json_schema(), shared_parts()
    own = {name: part for name, part in schema.get("$defs", {}).items() if elsewhere.get(name) != part}

    def link(name: str) -> str:
        place = anchor(_own(name, kind)) if name in own else f"checks.md{anchor(name)}"
        return f"[{name}]({place})"

    yield section.example({"on_verdict": [spec.example]})
    yield section.fields(schema, link)
    for name, part in sorted(own.items()):
        yield f"#### {_own(name, kind)}"
        yield part.get("description", "")
        yield section.fields(part, link)


def _own(name: str, kind: str) -> str:
    return f"{name} of {kind}"
