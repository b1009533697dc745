"""A Bicep file as the checks look at it: declarations, with values as nested dicts, lists and source text.

There is no Bicep compiler on a machine without the internet. What it would say of names, parameters and types is
therefore said by the checks beside this module, over what is read here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

Value = str | list["Value"] | dict[str, "Value"]
"""A leaf is the expression as it is written: literals keep their quotes, so 'x' and x differ."""

_LANGUAGE = Language(tree_sitter_bicep.language())


@dataclass(frozen=True)
class Parameter:
    """A `param`: its type and default as written, and the text of its decorators."""

    kind: str
    default: Value | None
    decorators: str


@dataclass(frozen=True)
class Declaration:
    """A `resource` (`of` is `Type@version`) or a `module` (`of` is its path)."""

    of: str
    existing: bool
    condition: str
    body: dict[str, Value]

    def at(self, path: str) -> Value | None:
        """The value at a dotted path into the body, numbers for items of a list; None where there is none."""
        return at(self.body, path)


@dataclass(frozen=True)
class Output:
    """An `output`: its value and the text of its decorators."""

    value: Value
    decorators: str


@dataclass
class Template:
    """What a Bicep file declares, by symbol, and which symbols its expressions name."""

    errors: list[str] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)
    resources: dict[str, Declaration] = field(default_factory=dict)
    modules: dict[str, Declaration] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    @property
    def symbols(self) -> set[str]:
        """Everything that an expression of this file may name."""
        return {*self.parameters, *self.variables, *self.resources, *self.modules}

    def deployed(self, of: str) -> Iterator[tuple[str, Declaration]]:
        """The resources of a type that this file deploys."""
        for symbol, resource in self.resources.items():
            if not resource.existing and resource.of.partition("@")[0] == of:
                yield symbol, resource


@lru_cache
def parse(text: str) -> Template:
    """What a Bicep file says; syntax errors are in `errors`, as `line: text`."""
    template = Template()
    decorators = ""
    for node in Parser(_LANGUAGE).parse(text.encode()).root_node.children:
        if node.type == "decorators":
            decorators = _text(node)
        elif node.is_named and node.type not in {"comment", "diagnostic_comment"}:
            _declare(template, node, decorators)
            decorators = ""
        template.errors += [f"{bad.start_point.row + 1}: {_text(bad)[:60]}" for bad in _errors(node)]
    return template


def at(value: Value | None, path: str) -> Value | None:
    """The value at a dotted path, numbers for items of a list; None where there is none."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def items(value: Value | None) -> list[Value]:
    """The items of a list; none where the value is none."""
    return value if isinstance(value, list) else []


def literal(value: Value | None) -> str | None:
    """The text of a string literal, without its quotes; None where the value is none."""
    return value[1:-1] if isinstance(value, str) and value.startswith("'") else None


def _declare(template: Template, node: Node, decorators: str) -> None:
    children = node.named_children
    name = _text(children[0]) if children else ""
    template.named |= _names(node)
    match node.type:
        case "parameter_declaration":
            default = _value(children[2]) if len(children) > 2 else None  # after name and type
            template.parameters[name] = Parameter(_text(children[1]), default, decorators)
        case "variable_declaration":
            template.variables[name] = _value(children[-1])
        case "output_declaration":
            template.outputs[name] = Output(_value(children[-1]), decorators)
        case "module_declaration":
            template.modules[name] = _declaration(node)
        case "resource_declaration":
            template.resources[name] = _declaration(node)
            for inner in _inner_resources(node):
                template.resources[_text(inner.named_children[0])] = _declaration(inner)


def _declaration(node: Node) -> Declaration:
    of, last = node.named_children[1], node.named_children[-1]
    condition = ""
    if last.type == "for_statement":
        last = last.named_children[-1]
    if last.type == "if_statement":
        condition, last = _text(last.named_children[0]), last.named_children[1]
    body = _value(last)
    existing = any(child.type == "existing" for child in node.children)
    return Declaration(_text(of)[1:-1], existing, condition, body if isinstance(body, dict) else {})


def _inner_resources(node: Node) -> Iterator[Node]:
    for child in node.named_children[-1].named_children:
        yield from (inner for inner in child.named_children if inner.type == "resource_declaration")


def _value(node: Node) -> Value:
    if node.type == "object":
        pairs = (child.named_children for child in node.named_children if child.type == "object_property")
        return {_text(pair[0]).strip("'"): _value(pair[1]) for pair in pairs if len(pair) > 1}
    if node.type == "array":
        return [_value(child) for child in node.named_children if child.type != "comment"]
    if node.type == "for_statement":
        return [_value(node.named_children[-1])]  # what is made for each item
    return _text(node)


def _names(node: Node) -> set[str]:
    """The symbols that the expressions under a declaration name; not what is declared, called or a key."""
    skipped = {"decorators", "property_identifier", "type", "comment"}
    if node.type == "identifier":
        return {_text(node)}
    first = node.type.endswith("_declaration") or node.type in {"object_property", "call_expression"}
    named = [child for child in node.named_children if child.type not in skipped]
    bound: set[str] = set()
    if node.type in {"lambda_expression", "for_statement"}:
        bound, named = {_text(named[0])}, named[1:]
    elif first and named and named[0].type == "identifier":
        named = named[1:]
    return {name for child in named for name in _names(child)} - bound


def _errors(node: Node) -> Iterator[Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _errors(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()
