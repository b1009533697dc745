"""Texts in the user's own words, by Jinja2: what a template may say is found out at the door."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final

from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import AfterValidator, Field

from monitor_core.channels.template_rules import FILTERS, problem
from monitor_core.channels.template_values import SAMPLES

LONGEST_TEMPLATE: Final = 2000
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
"""What stands where a text was cut off."""
_LONGEST_REASON: Final = 200
_ESCAPE: Final = "the channel's escape"
"""Among the values; no template can name it."""

Escape = Callable[[str], str]
"""Makes a value harmless where the text is going; what stands in the template itself is left as it is."""


@lru_cache(maxsize=256)
def _checked(template: str) -> str:
    """The template itself.

    Raises:
        ValueError: it is none, takes what templates may not, or cannot be rendered.
    """
    if not all(character.isprintable() or character in "\n\t" for character in template):
        raise ValueError("should have no control character in it but line breaks and tabs")
    try:
        if wrong := problem(_ENVIRONMENT.parse(template)):
            raise ValueError(wrong)
        for values in SAMPLES:
            render(template, values, longest=LONGEST_TEMPLATE)
    except TemplateSyntaxError as error:
        raise ValueError(f"is no template: line {error.lineno}: {error.message}") from None
    except (RecursionError, MemoryError):
        raise ValueError("is no template: it is nested too deeply") from None
    except RenderError as error:
        raise ValueError(f"cannot be rendered: {error}") from None
    return template


class RenderError(Exception):
    """A template that cannot be rendered with these values."""


def render(
    template: str, variables: Mapping[str, Any], *, longest: int, escape: Escape = str, one_line: bool = False
) -> str:
    """A text.

    Args:
        template: one that was checked at the door.
        variables: all of VARIABLES.
        longest: characters; what is longer is cut off.
        escape: makes each value harmless.
        one_line: a title, say: lines and spaces are joined.

    Raises:
        RenderError: a value is not of the type that the template takes it for.
    """
    pieces, length = [], 0
    try:
        for piece in _compiled(template).generate({**variables, _ESCAPE: escape}):
            pieces.append(piece)
            length += len(piece)
            if length > longest:
                break
    except (TemplateError, TypeError, ValueError, AssertionError, ArithmeticError) as error:
        raise RenderError(str(error)[:_LONGEST_REASON]) from None
    text = "".join(pieces)
    text = " ".join(text.split()) if one_line else text.strip()
    return text if len(text) <= longest else text[: longest - 1] + CUT


class _Environment(ImmutableSandboxedEnvironment):
    """In which a label is found by its name, whatever its name is."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute) if isinstance(obj, Mapping) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)


@pass_context
def _finalized(context: Context, value: Any) -> str:
    return "" if value is None else str(context[_ESCAPE](str(value)))


def _environment() -> _Environment:
    # No autoescape: the texts of channels are no HTML, and each has its own `escape` for values.
    environment = _Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True, finalize=_finalized)
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = dict(FILTERS)
    return environment


_ENVIRONMENT: Final = _environment()


@lru_cache(maxsize=256)
def _compiled(template: str) -> Compiled:
    return _ENVIRONMENT.from_string(template)


Template = Annotated[str, Field(max_length=LONGEST_TEMPLATE), AfterValidator(_checked)]
"""A text with `{{ names }}` in it."""
