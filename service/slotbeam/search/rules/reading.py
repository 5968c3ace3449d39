"""What rules make of a query before any of its words is encoded: the first step of reading one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slotbeam.language.boundaries import Span
from slotbeam.search.request import MAX_QUERY, SearchRequest
from slotbeam.search.rewriting import TextChange, origin, rewritten
from slotbeam.search.rules.applied import NONE_APPLIED, AppliedRules, TriggeredRule
from slotbeam.search.rules.matching import NO_RULES, RuleMatch, Rules
from slotbeam.search.rules.rule import Trigger
from slotbeam.search.shape import Shape, read_shape
from slotbeam.search.snapshot import BoundMatch, Snapshot


@dataclass(frozen=True, slots=True)
class RuledQuery:
    """A query as its rules have it; places are those in `shape.text`.

    Attributes:
        shape: of what is read: with its word replaced, and without the words that left for a filter.
        bound: bound words.
        applied: the rules that it triggered.
    """

    shape: Shape
    bound: tuple[BoundMatch, ...]
    applied: AppliedRules = NONE_APPLIED


def read_rules(snapshot: Snapshot, typed: str, request: SearchRequest) -> RuledQuery:
    """Find what a canonical query triggers, rules and bound words, and do what rules do to its text."""
    rules = snapshot.overlay.rules if request.use_bindings else NO_RULES
    shape = read_shape(snapshot, typed, request.interpret)
    first, replaced, found = None, None, _match(rules, shape, typed)
    if any(match.rule.replace for match in found):
        # A rule that replaces does what it does only where it replaces, and nothing is replaced twice.
        first = next(match for match in found if match.rule.replace)
        replaced = _replaced(first, shape, typed)
        text = rewritten(typed, [replaced])
        if len(text) <= MAX_QUERY:
            typed, shape = text, read_shape(snapshot, text, request.interpret)
            found = _match(rules, shape, text)
        else:
            first, replaced = None, None
        found = [match for match in found if not match.rule.replace]

    limit = request.max_bindings if request.use_bindings else 0
    is_all = len(shape.text) == len(typed)
    bound = snapshot.overlay.match(shape.open_text, limit, snapshot.artifact.is_another_word, is_all)
    if not found and first is None:
        return RuledQuery(shape, tuple(bound))

    each = [TriggeredRule(first.rule, replaced.word, replaced.span)] if first and replaced else []
    each += [_applied(match, shape, replaced) for match in found]
    # What is bound is read for its items, whatever is asked of them.
    held = [(one.match.start, one.match.end) for one in bound]
    cuts = [span for match in found if match.rule.filter for span in match.spans if not _overlaps(span, held)]
    left, place = shape.without(cuts)
    cuts = cuts if left is not shape else []
    aliased = tuple(change._replace(span=place(change.span)) for change in _aliased(found, shape.text, cuts))
    terms = [(change.span, change.word) for change in aliased]
    terms += [
        (place(span), word)
        for match in found
        for span in match.meant
        if not _overlaps(span, cuts)
        for word in match.rule.words
    ]
    applied = AppliedRules(tuple(each), replaced, aliased, tuple(terms))
    return RuledQuery(left, tuple(one.at(place((one.match.start, one.match.end))) for one in bound), applied)


def _match(rules: Rules, shape: Shape, query: str) -> list[RuleMatch]:
    return rules.match(shape.open_text, len(shape.text) == len(query)) if rules else []


def _replaced(match: RuleMatch, shape: Shape, typed: str) -> TextChange:
    span = (0, len(typed)) if match.rule.trigger is Trigger.WHOLE else shape.typed(match.spans[0])
    return TextChange(typed[slice(*span)], match.rule.replace or "", span)


def _applied(match: RuleMatch, shape: Shape, replaced: TextChange | None) -> TriggeredRule:
    if not match.rule.words:
        return TriggeredRule(match.rule, None, None)
    span = min((*match.spans, *match.meant))
    typed = origin(shape.typed(span), [replaced] if replaced else [])
    return TriggeredRule(match.rule, shape.text[slice(*span)], typed)


def _aliased(found: Iterable[RuleMatch], text: str, cuts: Sequence[Span]) -> list[TextChange]:
    """Return the aliases that are read as what they stand for, in order: the leftmost-longest, the older rule's."""
    every = [(span, match.rule) for match in found if match.rule.alias for span in match.spans]
    every.sort(key=lambda one: (one[0][0], -one[0][1], one[1].created_at, one[1].id))
    changes: list[TextChange] = []
    for (start, end), rule in every:
        if not _overlaps((start, end), [*cuts, *(change.span for change in changes[-1:])]):
            changes.append(TextChange(text[start:end], rule.alias, (start, end)))
    return changes


def _overlaps(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
