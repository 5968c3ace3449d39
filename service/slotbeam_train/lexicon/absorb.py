"""Live bindings → words of the next dictionary: `slots export` writes them, `train --absorb` reads them.

An absorbed word is a concept with a solo slot. The items of its binding carry it whatever their texts say, and it
represents its position for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

from slotbeam.bindings import spec
from slotbeam.bindings.binding import LIFECYCLES, Lifecycle, encode_items
from slotbeam.bindings.words import canonical_words
from slotbeam.catalog.item import Item
from slotbeam.catalog.table import Catalog
from slotbeam.errors import InputError
from slotbeam.kae.absorbed import ABSORBED, carried_by_item
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.encode import Encoded, Kae, Match
from slotbeam.search.artifact import MODEL
from slotbeam.types import BoolArray
from slotbeam_train.lexicon.corpus import Doc
from slotbeam_train.lexicon.drafts import Drafts

LIVE = (Lifecycle.ACTIVE, Lifecycle.FAILED)
"""States that are absorbed; a file without states is absorbed whole. Drafts and windows that are not open are not."""

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A binding to absorb: canonical `words`, the first becomes the concept and the others its aliases."""

    words: tuple[str, ...]
    category: str
    item_ids: tuple[str, ...]

    @property
    def word(self) -> str:
        return self.words[0]


def read_absorbed(path: Path) -> tuple[list[Absorbed], list[str]]:
    """Read a file of bindings; return those to absorb, and one line for each that is not.

    Raises:
        InputError: naming file, entry (from 1), field and what is allowed.
    """
    try:
        rows: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f'{path} cannot be read: {error}; allowed: what "slotbeam slots export" writes') from None
    if not isinstance(rows, list):
        raise InputError(f'{path} holds no list; allowed: a JSON list of bindings, as "slotbeam slots export" writes')
    absorbed: list[Absorbed] = []
    skipped: list[str] = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InputError(f"{path}, entry {number}: {_shown(row)} is no object; allowed: words, category, items, …")
        words, category, items, state = (row.get(name) for name in ("words", "category", "items", "state"))
        if not _texts(words):
            raise _wrong(path, number, "words", words, "a list of one text or more")
        try:
            canonical = canonical_words(words)
        except InputError as error:
            raise InputError(f'{path}, entry {number}, field "words": {error}') from None
        if category not in CATEGORIES:
            raise _wrong(path, number, "category", category, ", ".join(CATEGORIES))
        if row.get("match") == spec.LIVE:
            skipped.append(f'"{canonical[0]}" takes new items by itself (match: live), so it is not absorbed')
            continue
        if not _texts(items):
            raise _wrong(path, number, "items", items, "a list of one item id or more")
        if state is not None and state not in LIFECYCLES:
            raise _wrong(path, number, "state", state, ", ".join(LIFECYCLES))
        if state is not None and state not in LIVE:
            skipped.append(f'"{canonical[0]}" is {state}, so it is not absorbed')
        else:
            absorbed.append(Absorbed(canonical, category, tuple(dict.fromkeys(items))))
    return absorbed, skipped


def write_absorbed(path: Path, absorbed: Sequence[Absorbed]) -> None:
    """Write what `read_absorbed` reads."""
    rows = [{"words": a.words, "category": a.category, "items": a.item_ids} for a in absorbed]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")


def with_items(
    absorbed: Iterable[Absorbed], known: Callable[[Sequence[str]], Sequence[bool] | BoolArray]
) -> tuple[list[Absorbed], list[str]]:
    """Return what has an item that is `known`, and one line for each binding with others."""
    kept: list[Absorbed] = []
    said: list[str] = []
    for binding in absorbed:
        missing = [
            item for item, is_known in zip(binding.item_ids, known(binding.item_ids), strict=True) if not is_known
        ]
        if missing:
            some = ", ".join(missing[:SHOWN]) + (", …" if len(missing) > SHOWN else "")
            said.append(
                f'"{binding.word}": {len(missing)} of {len(binding.item_ids)} items are not in the catalog ({some})'
            )
        if len(missing) < len(binding.item_ids):
            kept.append(binding)
        else:
            said.append(f'"{binding.word}" has no item, so it is not absorbed')
    return kept, said


def claim(drafts: Drafts, absorbed: Iterable[Absorbed]) -> None:
    """Make every first word a draft of its category, with those other words that no draft has.

    A word that structured data or the seed words already have keeps their category, and what its draft means.
    """
    for one in absorbed:
        draft = drafts.add([one.word], one.category, 1, "absorbed", word=one.word)
        for word in one.words[1:]:
            if drafts.get(word) is None:
                drafts.add([one.word, word], draft.category)
            elif drafts.get(word) is draft:
                drafts.add([word], draft.category)


def carrying_docs(docs: Sequence[Doc], ids: Sequence[str], absorbed: Iterable[Absorbed]) -> list[Doc]:
    """Return the docs with each absorbed word as a typed value of its items."""
    rows = {item: row for row, item in enumerate(ids)}
    out = list(docs)
    for one in absorbed:
        for row in (rows[item] for item in one.item_ids if item in rows):
            out[row] = replace(out[row], values=(*out[row].values, (one.category, one.word)))
    return out


def carry(kae: Kae, items: Sequence[Item], encoded: Sequence[Encoded], absorbed: Iterable[Absorbed]) -> list[Encoded]:
    """Return the encodings of `items` with each absorbed word as the representative of its position in its items.

    Where two bindings of one position want the same item, the first has it.
    """
    carried = carried_by_item(kae, absorbed)
    out = list(encoded)
    for row, item in enumerate(items) if carried else ():
        for word in carried.get(item.id, ()):
            old, position, index = out[row], word.slot.position, word.slot.index
            if old.sid[position] != index:
                sid = (*old.sid[:position], index, *old.sid[position + 1 :])
                chosen = (*old.chosen[:position], Match(0, 0, word.word, word.concept), *old.chosen[position + 1 :])
                out[row] = Encoded(old.text, sid, old.matches, chosen)
    return out


def absorbed_facts(kae: Kae, catalog: Catalog, absorbed: Iterable[Absorbed]) -> list[dict[str, Any]]:
    """Return what the manifest says of each absorbed binding: `docs/training.md`, "Absorbing bindings".

    Args:
        catalog: the items that are served.
    """
    facts = []
    for binding in absorbed:
        concept = kae.dictionary.concept_of(binding.word)
        if concept is None:
            raise ValueError(f'the dictionary does not know the absorbed word "{binding.word}". This is a bug.')
        slot = kae.codebook.slot_of(concept)
        own = [word for word in binding.words if kae.dictionary.concept_of(word) == concept]
        rows, missing = catalog.rows_of(binding.item_ids)
        carried = int((catalog.sids[rows, slot.position] == slot.index).sum())
        facts.append(
            {
                "word": binding.word,
                "category": kae.dictionary[concept].category,
                "slot": str(slot),
                "words": own,
                "left": [word for word in binding.words if word not in own],
                "items": carried,
                "contested": len(rows) - carried,
                "missing": len(missing),
                "items_sha": encode_items(binding.item_ids)[0],
            }
        )
    return facts


def _texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _wrong(path: Path, number: int, name: str, value: Any, allowed: str) -> InputError:
    return InputError(f'{path}, entry {number}, field "{name}" is {_shown(value)}; allowed: {allowed}')


def _shown(value: Any) -> str:
    text = "missing" if value is None else json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else text[:60] + "…"


def bindings_to_absorb(absorb: Sequence[Path], artifact_from: Path | None) -> tuple[list[Absorbed], list[str]]:
    """Return the bindings to absorb, of the files or of the artifact to refresh, and what is to be said of them."""
    if absorb and artifact_from is not None:
        raise InputError("--from keeps its codebook, so nothing can be absorbed; leave --from or --absorb out")
    paths = list(absorb)
    if artifact_from is not None and (artifact_from / MODEL / "kae" / ABSORBED).is_file():
        paths = [artifact_from / MODEL / "kae" / ABSORBED]
    read = [read_absorbed(path) for path in paths]
    return [one for found, _ in read for one in found], [line for _, said in read for line in said]
