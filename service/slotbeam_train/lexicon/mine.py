"""Typed values, seed words and title words → concepts, each with one category and all its surfaces."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from slotbeam.kae.dictionary import Concept
from slotbeam.kae.matcher import Matcher
from slotbeam.language.boundaries import is_cjk
from slotbeam_train.lexicon.absorb import Absorbed, claim
from slotbeam_train.lexicon.corpus import Doc
from slotbeam_train.lexicon.drafts import Draft, Drafts
from slotbeam_train.lexicon.entities import Habits, habits, places, propensities, segment
from slotbeam_train.lexicon.options import KaeOptions
from slotbeam_train.lexicon.seeds import seed_groups, stop_words
from slotbeam_train.lexicon.words import (
    is_model,
    key,
    plural,
    singular,
    specification,
    specifications,
    spellings,
)

_COMPANY = frozenset(
    [
        "inc",
        "corp",
        "corporation",
        "ltd",
        "limited",
        "llc",
        "co",
        "company",
        "gmbh",
        "ag",
        "sa",
        "bv",
        "plc",
        "technology",
        "technologies",
        "electronics",
        "international",
        "systems",
        "group",
        "industries",
        "products",
    ]
)


SHARED_ITEMS, SHARED_OWNER = 8, 0.7  # a code that many brands write (cat6, rj45) is a specification, not a model


def mine(
    docs: Sequence[Doc], queries: Mapping[str, int], options: KaeOptions, absorbed: Sequence[Absorbed] = ()
) -> list[Concept]:
    """All concepts the texts support, in a fixed order; counts are filled in later."""
    drafts = Drafts()
    add_brands(drafts, docs)
    add_seeds(drafts, docs, queries)
    add_specifications(drafts, docs)
    add_typed_values(drafts, docs, options)
    claim(drafts, absorbed)  # before the words of titles, whose category is a guess
    add_title_words(drafts, docs, options)
    return finish(drafts)


def add_brands(drafts: Drafts, docs: Sequence[Doc]) -> None:
    """Brands come from structured data; a brand that is mostly an ordinary word in other titles is left out."""
    items = Counter(value for doc in docs for category, value in doc.values if category == "brand")
    if not items:
        return
    matcher = Matcher(sorted(items))
    names = sorted(items)
    elsewhere: Counter[str] = Counter()
    for doc in docs:
        for _, _, word in matcher.find(doc.title):
            if names[word] != doc.brand:
                elsewhere[names[word]] += 1
    seeds = {key(s) for _, surfaces in seed_groups() for s in surfaces} | stop_words()
    for name, count in sorted(items.items(), key=lambda pair: (-pair[1], pair[0])):
        if key(name) in seeds and elsewhere[name] > count:
            continue
        parts = name.split()
        while len(parts) > 1 and parts[-1].strip(".,") in _COMPANY:
            parts.pop()
        short = " ".join(parts).rstrip(",")
        surfaces = [name]
        if short != name and len(short) >= 2 and short not in stop_words() and key(short) not in seeds:
            surfaces = [short, name]
        drafts.add(surfaces, "brand", count, "brand", word=short if short in surfaces else name)


def add_seeds(drafts: Drafts, docs: Sequence[Doc], queries: Mapping[str, int]) -> None:
    """Seed concepts of which the catalog carries at least one surface; the other surfaces come along."""
    groups = seed_groups()
    forms = [(form, n) for n, (_, surfaces) in enumerate(groups) for s in surfaces for form in variants(s)]
    owner: dict[str, int] = {}
    for form, n in forms:
        owner.setdefault(form, n)
    words = list(owner)
    matcher = Matcher(words)
    seen: dict[int, Counter[str]] = defaultdict(Counter)
    for doc in docs:
        for text in (doc.title, doc.description, *(value for _, value in doc.values)):
            for _, _, word in matcher.find(text):
                seen[owner[words[word]]][words[word]] += 1
    for n, (category, surfaces) in enumerate(groups):
        if n in seen:
            forms_of = [form for s in surfaces for form in variants(s) if owner[form] == n]
            draft = drafts.add(forms_of, category, 0, "seed", word=surfaces[0])
            if draft.category == category:
                for form, count in seen[n].items():
                    if form in draft.surfaces:
                        draft.surfaces[form] += count


def add_specifications(drafts: Drafts, docs: Sequence[Doc]) -> None:
    seen: Counter[str] = Counter()
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for doc in docs:
        for text in (doc.title, doc.description, *(v for c, v in doc.values if c == "specifications")):
            for canonical, surface, _, _ in specifications(text):
                seen[canonical] += 1
                written[canonical][surface] += 1
    for canonical, count in sorted(seen.items()):
        if count >= 2:
            draft = drafts.add([canonical], "specifications", count, "specification", word=canonical)
            for surface in (*spellings(canonical), *written[canonical]):
                if drafts.get(surface) in (None, draft):
                    drafts.add([canonical, surface], "specifications", 0)


def add_typed_values(drafts: Drafts, docs: Sequence[Doc], options: KaeOptions) -> None:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for doc in docs:
        for category, value in doc.values:
            if category != "brand" and 2 <= len(value) <= 40 and value.count(" ") <= 3 and not _is_number(value):
                seen[value][category] += 1
    for value, categories in sorted(seen.items(), key=lambda pair: (pair[0].count(" "), -pair[1].total(), pair[0])):
        category, count = min(categories.items(), key=lambda pair: (-pair[1], pair[0]))
        canonical = specification(value)
        if category == "entity" and any(drafts.category(value[at + 1 :]) == "entity" for at in spaces(value)):
            continue  # "drip coffee maker" is a coffee maker; its other words are mined from titles
        if canonical is None and value not in stop_words():
            drafts.add([value], category, count, "typed")


def add_title_words(drafts: Drafts, docs: Sequence[Doc], options: KaeOptions) -> None:
    """Words of titles that no source has typed: entity, series, model or modifier."""
    titles = segment(docs, drafts)
    heads, mass = propensities([places(doc.title, units) for doc, units in zip(docs, titles, strict=True)])
    used = habits(docs, titles)
    branded = len({doc.brand for doc in docs if doc.brand}) > 1
    plurals = {token for doc in docs for token, _, _ in doc.tokens if token.endswith("s") and singular(token) != token}
    known = {singular(token) for token in plurals}
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for units in titles:
        for unit in units:
            if unit.category is None:
                written[unit.key][unit.text] += 1
    for name, surfaces in sorted(written.items(), key=lambda pair: (-used[pair[0]].items, pair[0])):
        token, own = next(iter(surfaces)), used[name]
        if any(is_cjk(c) for c in token) and len(token) > 6:
            continue
        if is_model(token):
            shared = branded and own.items >= SHARED_ITEMS and own.owner < SHARED_OWNER
            category, least = "specifications" if shared else "model", options.model_min_items
        else:
            owned = branded and own.owner >= options.series_share
            head = heads.get(name, 0.0), mass.get(name, 0.0)
            category, least = title_category(own, head, owned, name in known), options.min_items
        if own.items >= least and any(c.isalpha() for c in token):
            for surface, times in surfaces.items():
                drafts.add([surface], category, times, "title")


def title_category(own: Habits, head: tuple[float, float], owned: bool, countable: bool) -> str:
    """Tell what an untyped word of titles is.

    Args:
        own: how it is used.
        head: its propensity to be a title's head, and how many titles it heads.
        owned: one brand has nearly all of it.
        countable: its plural is written somewhere, as a noun's is.
    """
    propensity, mass = head
    if owned and own.items >= 3:
        return "series"
    sure = propensity >= 0.5 if countable else propensity >= 0.75 and own.owner <= 0.5
    noun = sure and mass >= 3 and own.counted < 0.4 and own.trailing <= 0.4
    return "entity" if noun else "modifier"


def variants(surface: str) -> list[str]:
    """Return a seed surface as people write it: with its plural, with and without the hyphen."""
    forms = [surface]
    if "-" in surface:
        forms += [surface.replace("-", " "), surface.replace("-", "")]
    if surface.isascii():
        forms += [plural(form) for form in list(forms)]
    return list(dict.fromkeys(forms))


def finish(drafts: Drafts) -> list[Concept]:
    """Concepts with every surface: the most written one is the word, plurals are added to the rest."""
    taken: set[str] = set()
    out: list[Concept] = []
    everything: list[Draft] = list(drafts)
    written = {surface for draft in everything for surface in draft.surfaces}
    for draft in everything:
        own = [s for s, _ in sorted(draft.surfaces.items(), key=lambda pair: (-pair[1], pair[0])) if s not in taken]
        if not own:
            continue
        word = draft.word if draft.word in own else own[0]
        if draft.category in ("entity", "modifier"):
            for form in list(own):
                for other in (singular(form) if " " not in form else form, plural(form)):
                    if other not in written:
                        own.append(other)
        aliases = tuple(s for s in dict.fromkeys(own) if s != word and s not in taken)
        taken.update((word, *aliases))
        out.append(Concept(word, draft.category, aliases))
    return out


def spaces(text: str) -> list[int]:
    """Where the words of a phrase are parted."""
    return [at for at, char in enumerate(text) if char == " "]


def _is_number(value: str) -> bool:
    return not any(c.isalpha() for c in value)


def entities(concepts: Iterable[Concept]) -> list[str]:
    return [concept.word for concept in concepts if concept.category == "entity"]
