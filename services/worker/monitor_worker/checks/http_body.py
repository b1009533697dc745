"""From the bytes of an answer to text and JSON that a condition can be judged over. Pure.

The bytes are a stranger's: whatever they are, what comes out holds no lone surrogate, no number beyond CEL's, no
nesting that recursion would die of, and takes linear time.
"""

import codecs
import json
import re
from typing import Any, Final

_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
# Encodings of Python that are none of the web: quadratic, or not for text.
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
# The CEL evaluator recurses natively and kills the process on some 20,000 levels.
_DEEPEST: Final = 200
_INT64: Final = range(-(2**63), 2**63)
_LONGEST_INT64: Final = 20


def decoded(content: bytes, content_type: str) -> str:
    """The text of an answer, what cannot be decoded replaced."""
    found = _CHARSET.search(content_type)
    try:
        text = content.decode(_codec(found[1]) if found else "utf-8", errors="replace")
    except (LookupError, ValueError):
        text = content.decode("utf-8", errors="replace")
    return storable(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))


def storable(text: str) -> str:
    """A text without lone surrogates (bytes outside its encoding) and without NUL, where CEL cuts a text off."""
    return text.encode("utf-8", errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def parsed(text: str, content_type: str) -> Any:
    """The JSON value that an answer is.

    Raises:
        ValueError: it is none, or none that a condition can be judged over.
    """
    if not _claims_json(content_type, text):
        raise ValueError("its type is not JSON")
    try:
        value = json.loads(text, parse_int=_number, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if text.count("[") + text.count("{") > _DEEPEST and _is_deep(value):
        raise ValueError("it is nested too deeply")
    if "\\u0000" in text:
        raise ValueError("a text in it holds NUL, at which CEL would cut it off")
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError on a lone surrogate
    return value


def _claims_json(content_type: str, text: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    if media in {"application/json", "text/json"} or media.endswith("+json"):
        return True
    return media in {"", "text/plain"} and text.lstrip().startswith(("{", "["))


def _codec(charset: str) -> str:
    name = codecs.lookup(charset).name
    if name in _NO_CHARSETS:
        raise LookupError(charset)
    return name


def _number(text: str) -> int | float:
    """An int as far as CEL has ints, else a double."""
    if len(text) <= _LONGEST_INT64 and (value := int(text)) in _INT64:
        return value
    return float(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Any) -> list[Any]:
    match node:
        case dict():
            return list(node.values())
        case list():
            return node
        case _:
            return []
