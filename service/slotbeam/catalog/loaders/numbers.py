"""Numbers as people write them: `97.19`, `1.299,00 €`, `$1,299`. The locale says which sign is the decimal one."""

from __future__ import annotations

import re
import unicodedata

from slotbeam.errors import InputError

_COMMA = (
    "az be bg bs ca cs da de el es et eu fi fr gl hr hu hy id is it ka kk ky lt lv mk nb nl nn no pl pt ro ru sk sl "
    "sq sr sv tr uk uz vi"
)
_POINT = "bn cy en fil ga gu he hi ja km kn ko ml mr ms pa si ta te th ur zh"
_POINT_LANDS = (
    "de-ch de-li it-ch fr-rw es-419 es-br es-bz es-cu es-do es-gt es-hn es-mx es-ni es-pa es-pe es-pr es-sv es-us"
)
_COMMA_LANDS = (
    "en-at en-be en-cz en-de en-dk en-ee en-es en-fi en-fr en-ge en-hu en-id en-it en-lt en-lv en-nl en-no en-pl en-pt "
    "en-ro en-se en-si en-sk en-ua en-za ms-bn ms-id"
)
_DECIMALS = {
    **dict.fromkeys(f"{_COMMA} {_COMMA_LANDS}".split(), ","),
    **dict.fromkeys(f"{_POINT} {_POINT_LANDS}".split(), "."),
}
"""Language, or language and land where that differs → decimal sign, as in CLDR."""
_SIGN = {"+": "", "-": "-", "−": "-", "": ""}
_SPACES = " \u00a0\u202f\u2009"
_NAMES = frozenset(("kr", "kr.", "zł", "kč", "ft", "lei", "лв", "лв.", "руб", "руб.", "р.", "din", "元", "円", "원"))


def decimal_of(locale: str) -> str:
    """Return the decimal sign of a locale such as `de`, `en-US` or `pt_BR`. Raises `InputError` for an unknown one."""
    name = locale.replace("_", "-").lower()
    decimal = _DECIMALS.get(name) or _DECIMALS.get(name.partition("-")[0])
    if decimal is None:
        allowed = ", ".join(sorted(f"{_COMMA} {_POINT}".split()))
        raise InputError(
            f"locale {locale!r} is unknown; allowed languages: {allowed}; with a land where it matters: de-CH"
        )
    return decimal


def number_of(text: str, decimal: str | None = None) -> float | None:
    """Return the number that `text` is, with a currency before or after it; None where it is no number.

    Args:
        decimal: the locale's decimal sign. Digits may then be grouped, by whatever of `. , '` and blanks it is not.
            None: no grouping, a point, no currency: as a program writes numbers.
    """
    parts = (_PLAIN if decimal is None else _GROUPED[decimal]).fullmatch(text.strip())
    if parts is None or not all(_is_currency(part or "") for part in (parts["before"], parts["after"])):
        return None
    digits = re.sub(r"[^\d.,]", "", parts["whole"])
    whole = digits.replace(".", "").replace(",", "")
    return float(f"{_SIGN[parts['sign']]}{whole}.{parts['rest'] or 0}{parts['power'] or ''}")


_PLAIN = re.compile(
    r"(?P<before>)(?P<sign>[+-]?)(?P<whole>\d+)(?:\.(?P<rest>\d+))?(?P<power>[eE][+-]?\d{1,3})?(?P<after>)", re.ASCII
)
_GROUPED = {
    decimal: re.compile(
        rf"(?P<before>[^\d\s.,+−-][^\d\s]{{0,3}})?[{_SPACES}]*(?P<sign>[+−-]?)"
        rf"(?P<whole>\d{{1,3}}(?P<by>[{group}'’{_SPACES}])(?:\d{{2,3}}(?P=by))*\d{{3}}|\d+)"
        rf"(?:{re.escape(decimal)}(?P<rest>\d+))?(?P<power>)[{_SPACES}]*(?P<after>[^\d\s.,+−-][^\d\s]{{0,3}})?",
        re.ASCII,
    )
    for decimal, group in ((",", "."), (".", ","))
}


def _is_currency(text: str) -> bool:
    """Return whether it is nothing, a code such as `EUR`, or a currency's sign or name: a unit such as `kg` is none."""
    if not text or (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        return True
    return any(unicodedata.category(sign) == "Sc" for sign in text) or text.lower() in _NAMES
