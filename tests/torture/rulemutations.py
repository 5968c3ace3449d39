"""The mutants of rules: what is taken away, and the tests that must notice."""

from __future__ import annotations

from torture.mutation import Mutation, one

PROMISES = "tests/search/rules/test_rules.py"
SCORES = "tests/search/rules/test_scores.py"
EDITS = "tests/api/admin/test_admin_rules.py"
SWITCHED = (
    "tests/bindings/replica/test_switched.py::test_a_switch_serves_what_a_replica_does_that_starts_with_that_index"
)

OF_RULES: tuple[Mutation, ...] = (
    one(
        *("hidden items are answered", "search/pipeline.py"),
        *("[excluded, rules.hidden(catalog, snapshot.hidden)]", "[excluded]"),
        f"{PROMISES}::test_hidden_items_are_nowhere_and_positioned_ones_come_first_in_order",
    ),
    one(
        *("positions count whatever their test says", "search/rules/applied.py"),
        *("counts &= catalog.passing(rule.when).holds(own)", "pass"),
        f"{PROMISES}::test_hidden_items_are_nowhere_and_positioned_ones_come_first_in_order",
    ),
    one(
        *("bound items count whatever the test of their binding says", "search/groups.py"),
        *("if pinned.when:", "if False:"),
        f"{SCORES}::test_of_a_binding_those_items_count_that_pass_its_test_where_its_word_triggers",
    ),
    one(
        *("a word that keeps a rule from applying does not", "search/rules/matching.py"),
        *("if self.unless is not None and self.unless.find_all(text):", "if False:"),
        f"{PROMISES}::test_hidden_items_are_nowhere_and_positioned_ones_come_first_in_order",
        f"{SCORES}::test_of_a_binding_those_items_count_that_pass_its_test_where_its_word_triggers",
    ),
    one(
        *("what is hidden from every query stays hidden in the rows of another snapshot", "search/snapshot.py"),
        *(
            "hidden: dict[str, IntArray] = field(default_factory=dict, init=False, repr=False)",
            "hidden: dict[str, IntArray] = field(default_factory=dict)",
        ),
        SWITCHED,
    ),
    one(
        *("bury boosts", "search/rules/applied.py"),
        *("(each.test, -each.weight)", "(each.test, each.weight)"),
        f"{SCORES}::test_of_every_rule_that_applies_an_item_gains_and_loses_and_then_its_score_decides",
    ),
    one(
        *("two rules do the same for one word at the same time", "bindings/edits/rules.py"),
        *("if found is not None:", "if False:"),
        f"{EDITS}::test_two_rules_of_a_word_may_not_do_the_same_at_the_same_time",
    ),
    one(
        *("metadata may hold any address", "bindings/actions.py"),
        *("if _URL.search(key) and not _is_safe(one):", "if False:"),
        EDITS,
    ),
    one(
        *("a rule that does not build takes the others along", "bindings/replica/rules.py"),
        *("except Exception as error:", "except ZeroDivisionError as error:"),
        SWITCHED,
    ),
    one(
        *("what did not build beside one index is not tried beside another", "bindings/replica/serving.py"),
        *(" if why.startswith(WHATEVER_INDEX)}", "}"),
        SWITCHED,
    ),
    one(
        *("the crash guard names no rule", "bindings/replica/rules.py"),
        *("name(rule.id)", 'name("")'),
        "tests/bindings/replica/test_crashguard.py::test_with_care_each_rule_is_tried_alone_while_the_file_names_it",
    ),
    one(
        *("a rule comes back beside another that took its place", "bindings/edits/revert.py"),
        *("        refuse_rival(artifact.folding, listing, back, binding_id, now_ms)\n", ""),
        "tests/api/admin/test_admin_revert.py::test_a_rule_comes_back_as_it_was_unless_another_took_its_place",
    ),
)
