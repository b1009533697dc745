"""How a plan says numbers: three digits are more than an estimate knows. Pure."""

from typing import Final

_BIG: Final = ((1e9, " billion"), (1e6, " million"))
_DIGITS: Final = 3
_WHOLE: Final = 1000
_LEAST: Final = 0.01


def few(number: float) -> str:
    """`under 0.01`, `0.25`, `3.33`, `667`, `1,320`, `15.8 million`: three digits, or all of a thousand's."""
    if 0 < number < _LEAST:
        return f"under {_LEAST:g}"
    for size, name in _BIG:
        if number >= size * (1 - 0.5e-3):
            return f"{_rounded(number / size)}{name}"
    return _rounded(number)


def percent(part: float) -> str:
    """`93 %`; what is not nothing is `1 %` at least."""
    return f"{max(round(part * 100), 1 if part > 0 else 0)} %"


def _rounded(number: float) -> str:
    if number >= _WHOLE - 0.5:
        return f"{float(f'{number:.3g}'):,.0f}"
    return f"{number:.{_DIGITS}g}"
