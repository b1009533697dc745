"""CEL behind one small interface: compile a condition for a kind, evaluate it over an observation.

Common Expression Language: https://cel.dev. The evaluator gives up after 9,999 iterations, but bounds neither what
one of them costs nor how large a value grows.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from monitor_core.condition_hints import hint
from monitor_core.contract import MonitorRequest, Problem, RequestError
from monitor_core.kinds.base import CheckSpec, Variable

_TYPES: Mapping[str, Any] = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "dyn": cel.Type.DYN,
    "map(string, string)": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}
_LONGEST_PLAIN = 120
_CALL = re.compile(r"(\w+)\s*\(")
_CONTAINS = re.compile(r"""contains\s*\(\s*('[^'"\\(]*'|"[^'"\\(]*")\s*\)""")
_PLAIN_CALLS = frozenset(
    "double duration endsWith has int lowerAscii size startsWith string timestamp uint upperAscii".split()  # noqa: SIM905
)
"""Each looks at a value once at most, and makes none that is larger. So does `contains` with a short text."""
_BUDGET = "Iteration budget exceeded"
_NUMBERS = re.compile(r"[^\W\d]\w*=\d+(?:\s+[^\W\d]\w*=\d+)*\s*")  # in linear time: a target may choose the text
_UNBOUND = 'No value with name "'
_UNFIT = "Unexpected value type for '"


class ConditionError(Exception):
    """A condition gave neither true nor false; the message names it and says why.

    Args:
        message: it.
        permanent: it will not at the next check either.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Condition:
    """One compiled condition. Evaluating it is safe on any thread."""

    def __init__(self, field: str, text: str, variables: Mapping[str, Variable]) -> None:
        """Compile and type-check.

        Args:
            field: the request's field it stands in, for messages.
            text: the CEL expression.
            variables: what it may use.

        Raises:
            RequestError: it does not compile, or can never be true or false.
        """
        self.field = field
        self.text = text
        self.variables = variables
        try:
            self._expression = _environment(tuple(variables.items())).compile(text)
        except RuntimeError as error:
            reason = _explain(str(error))
            raise RequestError([Problem(field, reason + hint(reason, text, variables))]) from error
        result = self._expression.return_type()
        if result not in (cel.Type.BOOL, cel.Type.DYN):
            reason = f"should be true or false, but {text!r} is of type {result.name()}"
            raise RequestError([Problem(field, reason)])

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether it takes no more than a few passes over an observation, and no more memory than that.

        Told by its text: short, no loop, no function, sum or message that makes values grow, no pattern, and no
        comment, which might stand between a function's name and its parenthesis.
        """
        if len(self.text) > _LONGEST_PLAIN or any(sign in self.text for sign in ("+", "{", "//")):
            return False
        return _PLAIN_CALLS.issuperset(_CALL.findall(_CONTAINS.sub("_", self.text)))

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the condition holds for an observation's variables.

        Raises:
            ConditionError: it gave no truth value: a key is missing, say.
        """
        try:
            result = self._expression.eval(data=dict(values))
            answered = result.type() == cel.Type.BOOL
            value = result.value()
        except Exception as error:  # the evaluator raises RuntimeError, but also what a conversion does
            raise ConditionError(self._say(str(error))) from error
        if not answered:
            reason = (
                str(value)
                if result.type() == cel.Type.ERROR
                else f"it is of type {result.type().name()}, neither true nor false"
            )
            raise ConditionError(self._say(reason))
        return bool(value)

    def _say(self, reason: str) -> str:
        shown = self.text if len(self.text) <= 120 else self.text[:117] + "..."  # noqa: PLR2004 # one line
        return f"{self.field} '{shown}' cannot be judged: {self._reason(reason)}"

    def _reason(self, reason: str) -> str:
        if _BUDGET in reason:
            return "it takes more than 9,999 iterations; make it look at less"
        if _UNBOUND in reason:
            name = reason.split(_UNBOUND, 1)[1].split('"', 1)[0]
            if name in self.variables:
                return f"the observation has no `{name}` ({self.variables[name].description})"
        if _UNFIT in reason and (name := reason.split(_UNFIT, 1)[1].split("'", 1)[0]) in self.variables:
            return f"`{name}` is no {self.variables[name].type}, as this kind declares it: a defect of its driver"
        return self._without_data(reason.partition(": ")[2] or reason)

    def _without_data(self, reason: str) -> str:
        """The evaluator quotes what it has looked at; only what stands in the expression may be repeated."""
        value = reason.partition(":")[2].strip().strip('"')
        return reason if value in self.text or _NUMBERS.fullmatch(value) else reason.partition(":")[0].strip()


class Conditions(NamedTuple):
    """What decides a monitor."""

    success: Condition | None
    failure: Condition | None


@functools.lru_cache(maxsize=4096)
def _compiled(field: str, text: str, spec: type[CheckSpec]) -> Condition:
    return Condition(field, text, spec.variables)


def conditions(success_when: str | None, failure_when: str | None, spec: type[CheckSpec]) -> Conditions:
    """The conditions of a request, or where it has none the natural ones of its kind; compiled once and kept.

    Raises:
        RequestError: one does not compile, or there is nothing that could ever decide.
    """
    if success_when is None and failure_when is None:
        success_when, failure_when = spec.natural_success, spec.natural_failure
    pairs = (("success_when", success_when), ("failure_when", failure_when))
    found = [_compiled(field, text, spec) if text is not None else None for field, text in pairs]
    if not any(found):
        raise RequestError([Problem("success_when", "is required: this kind has no natural condition")])
    return Conditions(*found)


def check_conditions(request: MonitorRequest, kinds: Mapping[str, type[CheckSpec]]) -> None:
    """Compile the conditions of a request before it is started.

    Raises:
        RequestError: as `conditions`; or the request is of a kind that is not known here.
    """
    kind = str(request.check["kind"])
    if kind not in kinds:
        reason = f"{kind} is not known here: name its plug-in in MONITOR_PLUGINS"
        raise RequestError([Problem("check.kind", reason)])
    conditions(request.success_when, request.failure_when, kinds[kind])


@functools.lru_cache(maxsize=64)
def _environment(variables: tuple[tuple[str, Variable], ...]) -> cel.Env:
    types = {name: _TYPES[variable.type] for name, variable in variables}
    return cel.NewEnv(variables=types, extensions=[ext_strings.ExtStrings()])


def _explain(error: str) -> str:
    """The compiler's message in one line: `column 7: undeclared reference to 'foo'`."""
    first = next((line for line in error.splitlines() if "<input>:" in line), error)
    _, _, located = first.partition("<input>:")
    line, _, rest = located.partition(":")
    column, _, message = rest.partition(": ")
    if not message:
        return error.splitlines()[0]
    place = f"column {column}: " if line == "1" else f"line {line}, column {column}: "
    if line.startswith("-"):
        place = ""  # nested too deeply: the parser has lost its place
    return place + message.partition(" expecting {")[0].replace(" (in container '')", "")
