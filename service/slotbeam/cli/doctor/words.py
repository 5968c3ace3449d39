"""What `slotbeam doctor` says of bound words that today's normaliser reads otherwise than they are stored."""

from __future__ import annotations

from collections.abc import Iterable

from slotbeam.bindings.binding import Binding
from slotbeam.bindings.held import Likeness
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.rereading import Clash, Reread, clashes, reread
from slotbeam.cli.console import counted
from slotbeam.cli.doctor.finding import GOOD, WARN, Finding
from slotbeam.language.fold import RUNNING, Folding

SHOWN = 20
"""Lines of a kind; of words that read otherwise and clash with none, so many in one line."""


def examine_words(listing: Listing, folding: Folding) -> list[Finding]:
    """Tell of each word that reads otherwise, that could not be bound any more, or that two bindings hold."""
    bindings = sorted(listing.bindings.values(), key=lambda binding: (binding.created_at, binding.id))
    every = list(reread(bindings))
    odd, double = [word for word in every if word.problem], list(clashes(folding, bindings))
    return [
        Finding("words", GOOD, _changed(listing, [word for word in every if not word.problem])),
        *_lines("word that cannot be bound", (_odd(listing, word) for word in odd), len(odd)),
        *_lines("word of two bindings", (_clash(listing, clash) for clash in double), len(double)),
    ]


def _changed(listing: Listing, changed: list[Reread]) -> str:
    by = "normaliser {}, ICU {}".format(*listing.written_by) if listing.written_by else "no version that is named"
    written = f"written under {by}, read under normaliser {RUNNING.normalizer}, ICU {RUNNING.icu}"
    if not changed:
        return f"{written}: every word reads as it is stored"
    shown = ", ".join(f'"{one.stored}" as "{one.reading}" ({_name(listing, one.binding)})' for one in changed[:SHOWN])
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    advice = "served by the new reading, stored as they were: nothing has to be done, an edit of the words stores it"
    return f"{written}: {counted(len(changed), 'word')} read otherwise: {shown}{more}; {advice}"


def _odd(listing: Listing, word: Reread) -> str:
    where = _name(listing, word.binding)
    return f"{where}: {word.problem}; it is served as it can be: PATCH the words of {where} without it, or with another"


def _clash(listing: Listing, clash: Clash) -> str:
    older = listing.bindings[clash.older.holder]
    new, old = _name(listing, clash.binding), _name(listing, older)
    what = f'"{clash.word}" of {new} {clash.likeness} "{clash.older.word}" of {old}'
    if clash.likeness is Likeness.SAME:
        first = new if clash.word in clash.binding.words and clash.word not in older.words else old
        return f"{what}: both are served, first {first}; unbind one, or PATCH the words of one"
    both = "each is found by its own spelling, and any other by the older"
    return f"{what}: {both}; unbind one, PATCH the words of one, or make both exact"


def _name(listing: Listing, binding: Binding) -> str:
    slot = listing.placed.get(binding.id)
    return f"{binding.id} on {slot}" if slot else binding.id


def _lines(check: str, told: Iterable[str], count: int) -> list[Finding]:
    shown = [Finding(check, WARN, text) for text, _ in zip(told, range(SHOWN), strict=False)]
    return shown + [Finding(check, WARN, f"{count - SHOWN} more")] * (count > SHOWN)
