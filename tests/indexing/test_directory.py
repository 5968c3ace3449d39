"""Names of indexes: nothing that could lead out of the directory that they are in."""

from __future__ import annotations

import pytest

from slotbeam.errors import InputError
from slotbeam.indexing.directory import check_index_name


@pytest.mark.parametrize("name", ["a", "shop-3", "2026.12_b", "x" * 64])
def test_a_plain_name_is_taken_as_it_is(name: str) -> None:
    assert check_index_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "../a", "/etc", "a\\b", "a\n", "a\0", "é", "x" * 65, "-a"]
)
def test_what_could_be_a_path_or_forge_a_line_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a letter or a digit first"):
        check_index_name(name)
