from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.errors import InputError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.grouping import find_elbow, group_categories, information_loss


def column(*bits: int) -> np.ndarray:
    return np.array(bits, dtype=np.bool_)


def table(**columns: list[int]) -> np.ndarray:
    """(N, 18) presence with the named categories filled."""
    rows = len(next(iter(columns.values())))
    out = np.zeros((rows, len(CATEGORIES)), dtype=np.bool_)
    for name, bits in columns.items():
        out[:, CATEGORIES.index(name)] = bits
    return out


def test_there_are_eighteen_categories_and_entity_is_first() -> None:
    assert len(CATEGORIES) == len(set(CATEGORIES)) == 18
    assert CATEGORIES[0] == "entity"
    assert " ".join(CATEGORIES[1:9]) == "modifier brand material style function location audience color"
    assert " ".join(CATEGORIES[9:]) == "scene specifications price model anchor series marketing season pattern"


def test_information_loss_of_a_hand_computed_pair() -> None:
    # X = 1100, Y = 1010: independent fair coins. H(X|Y) = H(Y|X) = ln 2, so IL = ln 2.
    assert information_loss(column(1, 1, 0, 0), column(1, 0, 1, 0)) == pytest.approx(math.log(2))
    # X = 1100, Y = 1000: H(X,Y) = ½ ln 2 + 2·¼ ln 4 = 1.5 ln 2; H(X) = ln 2; H(Y) = ¼ ln 4 + ¾ ln(4/3).
    h_y = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    expected = 1.5 * math.log(2) - 0.5 * (math.log(2) + h_y)
    assert information_loss(column(1, 1, 0, 0), column(1, 0, 0, 0)) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_information_loss_is_a_metric(rows: list[tuple[bool, bool, bool]]) -> None:
    x, y, z = np.array(rows, dtype=np.bool_).T
    assert information_loss(x, x) == pytest.approx(0, abs=1e-12)
    assert information_loss(x, y) == pytest.approx(information_loss(y, x), abs=1e-12)
    assert information_loss(x, z) <= information_loss(x, y) + information_loss(y, z) + 1e-9


def test_merging_is_by_or_and_losses_are_computed_anew() -> None:
    # material and style agree in 7 of 8 texts, color is independent of both.
    presence = table(
        entity=[1, 1, 1, 1, 0, 0, 0, 0],
        material=[1, 1, 0, 0, 1, 1, 0, 0],
        style=[1, 1, 0, 0, 1, 0, 0, 0],
        color=[1, 0, 1, 0, 1, 0, 1, 0],
    )
    grouping = group_categories(presence, groups=3)
    cells = [set(group) & {"entity", "material", "style", "color"} for group in grouping.groups]
    assert cells == [{"entity"}, {"material", "style"}, {"color"}]
    merged = presence[:, CATEGORIES.index("material")] | presence[:, CATEGORIES.index("style")]
    others = [presence[:, CATEGORIES.index(name)] for name in ("entity", "color")]
    first = information_loss(presence[:, CATEGORIES.index("material")], presence[:, CATEGORIES.index("style")])
    second = min(information_loss(*others), *(information_loss(merged, other) for other in others))
    assert dict(grouping.losses)[3] == pytest.approx(first)
    assert dict(grouping.losses)[2] == pytest.approx(first + second)


def test_the_elbow_is_the_largest_second_difference() -> None:
    curve = {12: 0.0, 11: 0.1, 10: 0.2, 9: 0.3, 8: 0.4, 7: 0.5, 6: 0.6, 5: 1.6, 4: 2.7, 3: 3.9, 2: 5.0, 1: 6.0}
    assert find_elbow(tuple(curve.items())) == 6  # the step from 6 to 5 groups costs 1.0 after one of 0.1


def test_ties_of_the_elbow_go_to_the_smaller_number_of_groups() -> None:
    curve = {10: 0.0, 9: 0.0, 8: 0.0, 7: 1.0, 6: 2.0, 5: 4.0, 4: 6.0, 3: 8.0, 2: 9.0, 1: 9.0}
    assert find_elbow(tuple(curve.items())) == 6  # bends at 8 and at 6 are equal


def test_categories_never_seen_join_last_and_never_the_entity() -> None:
    rng = np.random.default_rng(3)
    presence = np.zeros((200, 18), dtype=np.bool_)
    for category in range(9):
        presence[:, category] = rng.random(200) < 0.1 + 0.08 * category
    grouping = group_categories(presence, groups=5)
    assert len(grouping.groups) == 5
    assert sorted(name for group in grouping.groups for name in group) == sorted(CATEGORIES)
    unseen = set(CATEGORIES[9:])
    assert not unseen & set(grouping.groups[0])
    assert grouping.losses[0][0] == 9  # the curve starts at the categories that are there


def test_the_entity_comes_first_and_the_others_by_density() -> None:
    rng = np.random.default_rng(5)
    presence = rng.random((500, 18)) < np.linspace(0.05, 0.6, 18)
    grouping = group_categories(presence, groups=6)
    assert "entity" in grouping.groups[0]
    assert list(grouping.densities[1:]) == sorted(grouping.densities[1:], reverse=True)
    assert sum(grouping.dense) == 3
    assert min(d for d, top in zip(grouping.densities, grouping.dense, strict=True) if top) >= max(
        d for d, top in zip(grouping.densities, grouping.dense, strict=True) if not top
    )


def test_categories_that_stand_alone_are_not_merged() -> None:
    presence = table(entity=[1] * 6, brand=[1] * 6, color=[1, 0, 1, 0, 1, 1], style=[0, 0, 1, 0, 0, 1])
    assert "brand" in group_categories(presence, groups=3).groups[0]  # both are constant: no loss to see
    apart = group_categories(presence, groups=3, alone=("entity", "brand"))
    assert apart.groups[0] == ("entity",)
    assert ("brand",) in apart.groups


@pytest.mark.parametrize("groups", [1, 4, 6, 10, 18])
def test_any_number_of_groups_can_be_asked_for(groups: int) -> None:
    presence = np.random.default_rng(1).random((50, 18)) < 0.3
    assert len(group_categories(presence, groups=groups).groups) == groups


def test_a_wrong_number_of_groups_says_what_is_allowed() -> None:
    with pytest.raises(InputError, match="1 to 18"):
        group_categories(np.ones((1, 18), dtype=np.bool_), groups=19)


def test_what_cannot_be_grouped_says_what_is_needed() -> None:
    presence = table(entity=[1, 0])
    with pytest.raises(InputError, match=r"presence has shape \(2, 3\); \(texts, 18\)"):
        group_categories(presence[:, :3])
    for groups in (0, 19):
        with pytest.raises(InputError, match=f"groups is {groups}; 1 to 18"):
            group_categories(presence, groups=groups)
    with pytest.raises(InputError, match="colour cannot stand alone: not a category"):
        group_categories(presence, alone=["colour"])
    with pytest.raises(InputError, match=r"shapes \(2,\) and \(1,\); two equal"):
        information_loss(column(1, 0), column(1))
