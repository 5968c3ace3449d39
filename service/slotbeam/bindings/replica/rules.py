"""Records → the rules of an overlay; one that does not build is left out, and no other one with it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from slotbeam.bindings.actions import is_plain
from slotbeam.bindings.binding import Binding
from slotbeam.bindings.spec import Json, json_of
from slotbeam.bindings.words import read_again
from slotbeam.search.artifact import Artifact
from slotbeam.search.rules.matching import NO_RULES, Rules, check
from slotbeam.search.rules.rule import Rule, Trigger, Weighted


def rule_of(binding: Binding) -> Rule | None:
    """Return what a record does beside bringing its items; None where it does nothing else."""
    if is_plain(binding):
        return None
    return Rule(
        id=binding.id,
        words=read_again(binding.words),
        trigger=Trigger(binding.trigger),
        unless=read_again(binding.unless),
        when=json_of(binding.when),
        positions=binding.positions,
        hide=binding.hide,
        boost=_weighted(binding.boost),
        bury=_weighted(binding.bury),
        filter=json_of(binding.filter),
        replace=binding.replace or None,
        metadata=json_of(binding.metadata),
        alias=binding.alias,
        two_way=binding.two_way,
        created_at=binding.created_at,
    )


def unbuilt(artifact: Artifact, rule: Rule, name: Callable[[str], None] | None = None) -> str | None:
    """Return `NACK:BUILD …` where a rule cannot be served with `artifact`.

    With a `name` it is built alone, too, while that is told its id, and "" afterwards (`crashguard.py`).
    """
    if name is not None:
        name(rule.id)
    try:
        check(rule, artifact)
        if name is not None:
            Rules((rule,), artifact.folding).match("")
    except Exception as error:  # a poisonous record must not take its neighbours along
        return f"NACK:BUILD {type(error).__name__}: {error}"[:300]
    finally:
        if name is not None:
            name("")
    return None


def rules_of(artifact: Artifact, rules: Iterable[Rule], previous: Rules = NO_RULES) -> Rules:
    """Return checked rules, the older first, as an overlay has them: `previous` where they are the same."""
    acting = tuple(sorted((rule for rule in rules if rule.actions), key=lambda rule: (rule.created_at, rule.id)))
    if not acting:
        return NO_RULES
    return previous if acting == previous.rules else Rules(acting, artifact.folding)


def _weighted(text: Json) -> tuple[Weighted, ...]:
    entries: list[dict[str, Any]] = json_of(text) or []
    return tuple(Weighted(one["test"], float(one["weight"])) for one in entries)
