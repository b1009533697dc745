"""Queries of workbook and alerts: one text for each, and nothing asked for that there is not."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from infra.kql import read
from infra.sources import Rule, Sources, broken
from infra.telemetry_names import METRICS, OF_QUERIES, PLATFORM_METRICS, RENAMED, TABLES, TRACED, VALUES
from infra.template import at, items, literal, parse

_ALERTS, _WORKBOOK, _PAGE = "infra/modules/alerts.bicep", "infra/modules/workbook.bicep", "docs/operate.md"
_MAIN = "infra/main.bicep"
_ASKED: list[Rule] = [
    (_WORKBOOK, "items.0.content.query", "chart.query", "a chart asks something else"),
    (_WORKBOOK, "items.0.content.crossComponentResources.0", "workspaceId", "another workspace is asked"),
    (_MAIN, "workbook.params.workspaceId", "monitoring.outputs.workspaceId", "another workspace is asked"),
    (_MAIN, "workbook.params.actionLimit", "actionLimit", "the limit is another SKU's"),
]
_WAYS = {"table", "barchart", "timechart", "linechart", "areachart", "tiles"}
_A_TIME = "4"
_LOADED = re.compile(r"loadTextContent\('\.\./queries/([\w-]+)\.kql'\)")
_SHOWN = re.compile(r"```kql\n(.*?)```", re.DOTALL)


def texts(sources: Sources) -> dict[str, str]:
    """The text of each query by its name."""
    return {PurePosixPath(path).stem: text for path, text in sources.items() if path.endswith(".kql")}


def queries_ask_for_what_there_is(sources: Sources) -> list[str]:
    """Tables and columns of the workspace, metrics and attributes that the apps or the platform send."""
    return [
        f"infra/queries/{name}.kql: {problem}"
        for name, text in texts(sources).items()
        for problem in _asks_in_vain(text)
    ]


def _asks_in_vain(text: str) -> Iterator[str]:
    query = read(text, TABLES)
    if not query.tables:
        yield "asks no table that there is"
    yield from (f"there is no {name}" for name in sorted(query.unknown))
    ours = {text for text in query.texts if text.startswith(("durable_monitor.", "http."))} - TRACED
    yield from (f"no metric {name}" for name in sorted(ours - METRICS.keys()))
    sent = set[str]().union(*(RENAMED.get(name, METRICS.get(name, set())) for name in ours)) if ours else TRACED
    yield from (f"no attribute {name}" for name in sorted(query.attributes - sent))
    if ours:
        known = {*METRICS, *query.attributes, *VALUES, *OF_QUERIES}
        yield from (f"no value {text}" for text in query.texts if text.strip() and text not in known | ours)
    if "MetricName" in text:
        there = {name for provider, names in PLATFORM_METRICS.items() if provider in query.texts for name in names}
        asked = set(query.texts) - PLATFORM_METRICS.keys()
        yield from (f"no metric {name} of the platform" for name in sorted(asked - there))


def each_query_is_used_and_shown(sources: Sources) -> list[str]:
    """By workbook or alert from its file, and on the page for operators in the same words."""
    there = texts(sources)
    loaded = {path: set(_LOADED.findall(sources[path])) for path in (_ALERTS, _WORKBOOK)}
    shown = set(_SHOWN.findall(sources[_PAGE]))
    unused = there.keys() - set[str]().union(*loaded.values())
    return [
        *(f"{path}: there is no query {name}" for path, names in loaded.items() for name in names - there.keys()),
        *(f"infra/queries/{name}.kql: nothing loads it" for name in unused),
        *(f"{_PAGE}: does not show {name}.kql as it is" for name, text in there.items() if text not in shown),
        *(f"{_PAGE}: shows a query that is in no file: {text[:40]!r}" for text in shown - set(there.values())),
    ]


def the_workbook_gives_its_queries_what_they_take(sources: Sources) -> list[str]:
    """Every {parameter} of a query is one of the workbook's; alerts have none to give."""
    text = sources[_WORKBOOK]
    offered = set(re.findall(r"^ +name: '(\w+)'$", text, re.MULTILINE)) - {"parameters"}
    found = []
    for path, allowed in ((_WORKBOOK, offered), (_ALERTS, set[str]())):
        for name in _LOADED.findall(sources[path]):
            taken = read(texts(sources).get(name, ""), TABLES).parameters
            found += [f"{path}: {name}.kql takes {each}, which is not given" for each in sorted(taken - allowed)]
    return found


def the_workbook_shows_what_it_can(sources: Sources) -> list[str]:
    """Each chart in a way that workbooks have, over the time chosen at the top; all of them in the workbook."""
    workbook = parse(sources[_WORKBOOK])
    ways = [literal(at(chart, "shownAs")) for chart in items(workbook.variables.get("charts"))]
    found = [f"{_WORKBOOK}: a chart is shown as {way}" for way in ways if way not in _WAYS]
    offered = items(at(workbook.variables.get("parameters"), "0.content.parameters"))
    times = {literal(at(each, "name")) for each in offered if at(each, "type") == _A_TIME}
    asked = literal(at(workbook.variables.get("items"), "0.content.timeContextFromParameter"))
    if asked not in times:
        found.append(f"{_WORKBOOK}: no time is chosen by {asked}")
    if "items: concat(text, parameters, items)" not in sources[_WORKBOOK]:
        found.append(f"{_WORKBOOK}: does not have all its items")
    return found + broken(sources, _ASKED)


def log_alerts_measure_a_column_of_their_query(sources: Sources) -> list[str]:
    """The column that is held against the threshold is one that the query makes."""
    found = []
    for rule in items(parse(sources[_ALERTS]).variables.get("logRules")):
        [name] = _LOADED.findall(str(at(rule, "query"))) or [""]
        column = literal(at(rule, "column"))
        if column not in read(texts(sources).get(name, ""), TABLES).defined:
            found.append(f"{_ALERTS}: {name}.kql has no column {column}")
    return found
