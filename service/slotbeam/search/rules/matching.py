"""Which rules a query triggers, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from slotbeam.catalog.fields import Fields
from slotbeam.catalog.filters import read_filter
from slotbeam.errors import BindingError
from slotbeam.kae.matcher import Folded, Matcher
from slotbeam.language.boundaries import Boundaries, Span, in_word
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.search.artifact import Artifact
from slotbeam.search.rules.rule import Rule, Trigger

MAX_APPLIED = 16
"""Of one query, besides rules without words: those that match first."""
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that a text triggers.

    Attributes:
        rule: the rule.
        spans: of its words in the text, in order, the first is what triggered it; none of a rule without words.
        meant: where the dictionary's word of a `two_way` alias stands.
    """

    rule: Rule
    spans: tuple[Span, ...] = ()
    meant: tuple[Span, ...] = ()

    @property
    def turn(self) -> tuple[int, int, int, str]:
        """Its place in the order of rules: the earliest match, then the longest, then the older rule."""
        start, end = min((*self.spans, *self.meant), key=lambda span: (span[0], -span[1]), default=(-1, -1))
        return start, -end, self.rule.created_at, self.rule.id


@dataclass(frozen=True, slots=True, eq=False)
class Trip:
    """What decides whether words in a text trigger anything.

    Attributes:
        trigger: how much of the text they have to be.
        unless: finds what keeps them from it; None: nothing does.
    """

    trigger: Trigger = Trigger.CONTAINS
    unless: Matcher | None = None

    @classmethod
    def of(cls, trigger: str, unless: Sequence[str], folding: Folding) -> Trip:
        """Return what a record says of it."""
        return cls(Trigger(trigger), Matcher(unless, folding) if unless else None)

    def fires(self, text: str, span: Span | None, is_all: bool) -> bool:
        """Return whether words trigger.

        Args:
            text: canonical.
            span: where they stand; None: there are none.
            is_all: whether `text` is all that the query says.
        """
        if self.unless is not None and self.unless.find_all(text):
            return False
        if self.trigger is Trigger.CONTAINS or span is None:
            return True
        return is_all and not any(map(in_word, text[: span[0]] + text[span[1] :]))


ANYWHERE = Trip()
"""Words trigger wherever they stand."""


class Rules:
    """The rules of a snapshot; immutable, safe to share between threads. One rule does not depend on any other.

    Args:
        rules: checked.
        folding: of the catalog: words are found in their other spellings, too.
    """

    def __init__(self, rules: Sequence[Rule] = (), folding: Folding | None = None) -> None:
        self.rules = tuple(rules)
        self._folding = folding
        self._everywhere = tuple(RuleMatch(rule) for rule in self.rules if not rule.words)
        owners: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for word in _words(rule):
                owners.setdefault(word, []).append(rule)
        words = list(owners)
        self._spelt = Matcher(words)
        self._folded = Folded(words, folding) if folding else None
        # Of words that are one word but for their spelling only the first is found: all of their rules are looked at.
        of_key: dict[str, list[Rule]] = {}
        keys = {word: folding.keys(word) if folding else [word] for word in words}
        for word in words:
            for key in keys[word]:
                of_key.setdefault(key, []).extend(owners[word])
        self._owners = [
            {id(rule): rule for rule in (*owners[word], *(r for key in keys[word] for r in of_key[key]))}
            for word in words
        ]
        # Of the thousands that there may be few are ever triggered.
        self._own = lru_cache(_REMEMBERED)(lambda rule_id, words: Matcher(words, folding))
        self._trip = lru_cache(_REMEMBERED)(lambda rule_id, trigger, unless: Trip.of(trigger, unless, folding or PLAIN))

    @classmethod
    def of(cls, artifact: Artifact, rules: Sequence[Rule]) -> Rules:
        """Return checked rules.

        Raises:
            BindingError: one has an empty word, or is an alias of a word that the dictionary does not know.
            FilterError: a filter of one does not fit the catalog.
        """
        for rule in rules:
            check(rule, artifact)
        return cls(rules, artifact.folding) if rules else NO_RULES

    def __bool__(self) -> bool:
        return bool(self.rules)

    def match(self, text: str, is_all: bool = True) -> list[RuleMatch]:
        """Return the rules that a canonical text triggers, in the order in which they go; those for every query last.

        Args:
            text: the text; with nothing where no word counts.
            is_all: whether that is all that the query says.
        """
        found = [match for rule in self._candidates(text) if (match := self._matched(rule, text, is_all))]
        found = sorted(found, key=lambda match: match.turn)[:MAX_APPLIED]
        return [*found, *(each for each in self._everywhere if self._fires(each.rule, text, None, is_all))]

    def _candidates(self, text: str) -> Iterable[Rule]:
        """Return those of which a word may be in a text: each that is, and few more."""
        if not self._owners:
            return ()
        numbers = {number for _, _, number in self._spelt.find_all(text)}
        if self._folded is not None and self._folding is not None:
            bounds = Boundaries(text, self._folding.language)
            numbers |= {number for _, _, number in self._folded.find_all(text, bounds)}
        return {key: rule for number in numbers for key, rule in self._owners[number].items()}.values()

    def _matched(self, rule: Rule, text: str, is_all: bool) -> RuleMatch | None:
        found = self._own(rule.id, _words(rule)).find(text)
        found = [each for each in found if self._fires(rule, text, each[:2], is_all)]
        spans = tuple((start, end) for start, end, word in found if word < len(rule.words))
        meant = tuple((start, end) for start, end, word in found if word >= len(rule.words))
        return RuleMatch(rule, spans, meant) if found else None

    def _fires(self, rule: Rule, text: str, span: Span | None, is_all: bool) -> bool:
        return bool(self._trip(rule.id, rule.trigger, rule.unless).fires(text, span, is_all))


def check(rule: Rule, artifact: Artifact) -> None:
    """Refuse what cannot be served.

    Raises:
        BindingError: it has an empty word, or is an alias of a word that the dictionary does not know.
        FilterError: a filter of it does not fit the catalog.
    """
    if not all((*rule.words, *rule.unless)):
        raise BindingError(f"rule {rule.id} has an empty word; every word needs at least one character")
    if rule.alias and not artifact.kae.matcher.find_all(rule.alias):
        raise BindingError(f"rule {rule.id} is an alias of {rule.alias!r}, which the dictionary does not know")
    fields: Fields = artifact.catalog.fields
    for wanted in (rule.when, rule.filter, *(each.test for each in (*rule.boost, *rule.bury))):
        if wanted is not None:
            read_filter(fields, wanted)


def _words(rule: Rule) -> tuple[str, ...]:
    """Return what triggers a rule: its words, and behind them the dictionary's where it goes two ways."""
    return (*rule.words, rule.alias) if rule.two_way and rule.words and rule.alias else rule.words


NO_RULES = Rules()
