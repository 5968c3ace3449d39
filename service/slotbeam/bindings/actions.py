"""What a rule, or a binding on a slot, does beside bringing its items: what its fields may be, by themselves.

    hide       its items are in no answer            boost, bury   items that pass a test gain, or lose, score
    positions  its items stand at 1, 2, 3 …          metadata      is passed through to whoever asked
    filter     its word leaves the query, as a filter
    replace    its word is read as another text      alias         its word is read as one of the dictionary

What catalog and dictionary have to say to it is asked where it is edited (`edits/rules.py`) and served. Pure code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from slotbeam.bindings.spec import (
    DEFAULTS,
    FIELDS,
    RULES_ONLY,
    SLOTS_ONLY,
    BindingSpec,
    Kind,
    json_of,
    json_text,
)
from slotbeam.errors import BindingError

ACTIONS = ("replace", "filter", "alias", "hide", "boost", "bury", "positions", "metadata")
"""The fields that do something, in the order in which they do it."""
OF_EVERY_QUERY = ("hide", "boost", "bury", "metadata")
"""Those that a rule without words may have."""
TRIGGERS = ("contains", "whole")
"""When a word triggers: wherever a query holds it, or where it is the whole query."""
MAX_POSITIONS = 100
MAX_HIDDEN = 1000
MAX_UNLESS = 32
MAX_WEIGHED = 16
MAX_WEIGHT = 10.0
MAX_TEXT = 256
"""Characters of a text that takes the place of a word, in canonical form."""
MAX_METADATA = 4096
"""Bytes of its canonical JSON."""
MAX_LEVELS = 16
"""Of lists and objects inside each other."""

_BESIDE_ITEMS = (*ACTIONS, "trigger", "unless", "when", "two_way")
_PLAIN = tuple(DEFAULTS[name] for name in _BESIDE_ITEMS)
_beside_items = attrgetter(*_BESIDE_ITEMS)
_URL = re.compile(r"url$|^redirect$", re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


def actions_of(spec: BindingSpec) -> tuple[str, ...]:
    """Return the names of what it does, in the order in which that is done."""
    return tuple(name for name in ACTIONS if getattr(spec, name))


def tests_of(spec: BindingSpec) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every test of items that it makes, with its place: `when`, `filter`, `boost.0.test` …"""
    for name in ("when", "filter"):
        if text := getattr(spec, name):
            yield name, json_of(text)
    for name in ("boost", "bury"):
        for number, one in enumerate(json_of(getattr(spec, name)) or ()):
            yield f"{name}.{number}.test", one["test"]


def is_plain(spec: BindingSpec) -> bool:
    """Return whether it does nothing but bring its items, wherever a query holds a word."""
    return _beside_items(spec) == _PLAIN


def check_actions(spec: BindingSpec, name: str) -> None:
    """Refuse what no rule and no binding may say, whatever is served. Raises `BindingError` that calls it `name`."""
    if not spec.is_rule and is_plain(spec):
        return  # of thousands of records, nearly all
    done = actions_of(spec)
    if spec.trigger not in TRIGGERS:
        raise BindingError(f"trigger {spec.trigger!r} of {name} is not one of {', '.join(TRIGGERS)}")
    if spec.two_way and not spec.alias:
        raise BindingError(f"two_way of {name} is about an alias, and it has none; give alias, or leave two_way out")
    if spec.is_rule:
        _check_rule(spec, name, done)
    else:
        for field in RULES_ONLY:
            if getattr(spec, field):
                raise BindingError(f"{name} holds a slot, and {field} is for rules alone: make it a rule of its own")
    _check_texts(spec, name)
    for field in (field for field, kind in FIELDS.items() if kind is Kind.JSON and getattr(spec, field)):
        value = _read(getattr(spec, field), f"{field} of {name}")
        _CHECKS[field](f"{field} of {name}", value)


def _check_rule(spec: BindingSpec, name: str, done: Sequence[str]) -> None:
    for field in SLOTS_ONLY[1:]:  # the first is its category, which it lacks
        if getattr(spec, field) != DEFAULTS[field]:
            raise BindingError(f"{name} is a rule without a category, and {field} is for bindings on a slot")
    if not done:
        raise BindingError(f"{name} does nothing; give it at least one of {', '.join(ACTIONS)}")
    narrow = [field for field in done if field not in OF_EVERY_QUERY]
    if not spec.words and narrow:
        raise BindingError(
            f"{name} has no word, so it is of every query: then it may {', '.join(OF_EVERY_QUERY)}, and not "
            f"{narrow[0]}; give it words"
        )
    if not spec.words and spec.trigger != TRIGGERS[0]:
        raise BindingError(f"{name} has no word that could be the whole query; leave trigger out, or give it words")
    if spec.when and not spec.positions:
        raise BindingError(f"when of {name} is about items that it brings, and it brings none; give positions")


def _check_texts(spec: BindingSpec, name: str) -> None:
    for field, most in (("unless", MAX_UNLESS), ("positions", MAX_POSITIONS), ("hide", MAX_HIDDEN)):
        texts = getattr(spec, field)
        if len(texts) > most:
            raise BindingError(f"{field} of {name} has {len(texts)} entries; at most {most} are allowed")
        if "" in texts or len(set(texts)) != len(texts):
            raise BindingError(f"{field} of {name} holds an empty text, or one twice")
    both = set(spec.positions).intersection(spec.hide)
    if both:
        raise BindingError(f'"{min(both)}" is in both positions and hide of {name}; hide would win: keep one of them')
    for field in ("replace", "alias"):
        if len(getattr(spec, field)) > MAX_TEXT:
            raise BindingError(f"{field} of {name} is longer than {MAX_TEXT} characters")
    again = set(spec.unless).intersection(spec.words)
    if again:
        raise BindingError(f'"{min(again)}" is both a word and in unless of {name}: it would never apply')


def _read(text: Any, place: str) -> Any:
    """Return the value of a field of JSON. Raises `BindingError`: it is none, too deep, or not in canonical form."""
    try:
        value = json_of(text)
        if _levels(value) > MAX_LEVELS:
            raise BindingError(f"{place} is nested too deep; at most {MAX_LEVELS} levels are allowed")
        if json_text(value) != text:
            raise BindingError(f"{place} is not in canonical form")
    except (ValueError, RecursionError) as error:
        raise BindingError(f"{place} is not JSON") from error
    return value


def _levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_levels, inner), default=0)


def _check_filter(place: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise BindingError(f"{place} is no filter; give an object: field → condition")


def _check_weighed(place: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) > MAX_WEIGHED:
        raise BindingError(f'{place} must be a list of 1 to {MAX_WEIGHED} objects {{"test": filter, "weight": number}}')
    for number, one in enumerate(value):
        if not isinstance(one, Mapping) or one.keys() != {"test", "weight"}:
            raise BindingError(f'{place}.{number} must be {{"test": filter, "weight": number}}')
        _check_filter(f"{place}.{number}.test", one["test"])
        weight = one["weight"]
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= MAX_WEIGHT:
            raise BindingError(f"{place}.{number}.weight must be above 0 and at most {MAX_WEIGHT:g}, in units of score")


def _check_metadata(place: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise BindingError(f"{place} must be an object")
    size = len(json_text(value).encode(errors="replace"))
    if size > MAX_METADATA:
        raise BindingError(f"{place} has {size} bytes; at most {MAX_METADATA} are allowed")
    _check_urls(place, value)


def _check_urls(place: str, value: Any) -> None:
    """Refuse an address that a page should not follow: of whatever is called redirect, or ends in url."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            _check_urls(f"{place}.{number}", one)
    if isinstance(value, Mapping):
        for key, one in value.items():
            if _URL.search(key) and not _is_safe(one):
                raise BindingError(
                    f'{place}.{key[:40]} must be an http or https URL, or a path that begins with one "/"; '
                    "other addresses could run code on the page that follows them"
                )
            _check_urls(f"{place}.{key[:40]}", one)


def _is_safe(address: Any) -> bool:
    if not isinstance(address, str) or _UNSAFE.search(address):
        return False
    if address.startswith("/"):
        return not address.startswith("//")
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


_CHECKS = {
    "when": _check_filter,
    "filter": _check_filter,
    "boost": _check_weighed,
    "bury": _check_weighed,
    "metadata": _check_metadata,
}
