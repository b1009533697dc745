"""A query as the checks look at it: the tables, columns and values that it names. Nothing here runs it.

Kusto's own parser (npm: @kusto/language-service-next, 31 MB) found no fault in the queries as they were on
2026-11-25, given the tables of telemetry_names.py with their types. Ask it again when a query changes in more than
a name.
"""

import re
from dataclasses import dataclass

_TEXT = re.compile(r'"([^"]*)"')
_OPERATORS = {"by", "asc", "desc", "and", "or", "in", "let", "union", "where", "extend", "project", "order"}
_OPERATORS |= {"summarize", "distinct", "take", "on", "true", "false", "matches", "regex"}
_SPAN = re.compile(r"\b\d+(?:ms|s|m|h|d)?\b")


@dataclass(frozen=True)
class Query:
    """What a query names."""

    tables: set[str]
    unknown: set[str]
    """Words that are neither a column of its tables nor defined by the query itself."""
    texts: list[str]
    attributes: set[str]
    parameters: set[str]
    defined: set[str]


def read(text: str, tables: dict[str, set[str]]) -> Query:
    """A query's names, held against the columns of the tables that it asks."""
    parameters = set(re.findall(r"\{(\w+)\}", text))
    bare = _SPAN.sub(" ", re.sub(r"\{\w+\}|//.*", " ", _TEXT.sub(" ", text)))
    called = set(re.findall(r"\b(\w+)\s*\(", bare)) - _OPERATORS
    defined = set(re.findall(r"\b(\w+)\s*=(?![=~])", bare))
    words = set(re.findall(r"\b[A-Za-z_]\w*", bare)) - _OPERATORS - called - defined
    asked = words & tables.keys()
    columns = {column for table in asked for column in tables[table]}
    attributes = set(re.findall(r'Properties\["([\w./]+)"\]', text))
    return Query(asked, words - asked - columns, _TEXT.findall(text), attributes, parameters, defined)
