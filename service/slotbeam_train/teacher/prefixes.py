"""What an encoder wants to read before a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

E5 = re.compile(r"(^|[-_/])e5[-_](small|base|large)(?!.*instruct)", re.IGNORECASE)
"""Names of the E5 family, which was trained with prefixes that its files do not name (Wang et al., 2022)."""


class Prefixes(NamedTuple):
    """What stands before a query and before a passage."""

    query: str = ""
    passage: str = ""


def prefixes_of(name: str, prompts: Mapping[str, str | None]) -> Prefixes:
    """Return the prefixes of a model: those in its files, else those of its family.

    Args:
        name: of the model on a hub, or of its directory.
        prompts: as sentence-transformers has them in `config_sentence_transformers.json`.
    """
    told = [prompts[kind] for kind in ("document", "passage", "corpus") if prompts.get(kind)]
    own = Prefixes(prompts.get("query") or "", told[0] or "" if told else "")
    return own if any(own) or not E5.search(name) else Prefixes("query: ", "passage: ")
