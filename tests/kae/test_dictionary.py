from __future__ import annotations

from pathlib import Path

import pytest

from slotbeam.errors import ArtifactError, InputError
from slotbeam.kae.dictionary import Concept, Dictionary


def test_a_saved_dictionary_comes_back(dictionary: Dictionary, tmp_path: Path) -> None:
    words = Dictionary([*dictionary, Concept("手机", "audience", ("手機",), 2, 0.5)])
    words.save(tmp_path)
    back = Dictionary.load(tmp_path)
    assert back.concepts == words.concepts
    assert back.surfaces == words.surfaces
    assert back.surface_concept.tolist() == words.surface_concept.tolist()


def test_an_empty_dictionary_comes_back(tmp_path: Path) -> None:
    Dictionary([]).save(tmp_path)
    assert len(Dictionary.load(tmp_path)) == 0


def test_a_surface_belongs_to_one_concept() -> None:
    with pytest.raises(InputError, match="'notebook' belongs to 'laptop' and to 'pad'"):
        Dictionary([Concept("laptop", "entity", ("notebook",)), Concept("pad", "entity", ("notebook",))])


def test_a_surface_is_found_by_its_text(dictionary: Dictionary) -> None:
    number = dictionary.concept_of("notebook")
    assert number is not None
    assert dictionary[number].word == "laptop"
    assert dictionary.concept_of("netbook") is None


def test_an_unknown_category_says_what_is_allowed() -> None:
    with pytest.raises(InputError, match="'colour'; one of entity, modifier"):
        Dictionary([Concept("red", "colour")])


@pytest.mark.parametrize("name", ["surfaces.utf8.npy", "surface_concept.npy", "concept_category.npy"])
def test_a_missing_or_damaged_file_is_named(dictionary: Dictionary, tmp_path: Path, name: str) -> None:
    dictionary.save(tmp_path)
    (tmp_path / name).write_bytes(b"junk")
    with pytest.raises(ArtifactError, match=name.split(".")[0]):
        Dictionary.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match=name.split(".")[0]):
        Dictionary.load(tmp_path)


def test_an_empty_surface_is_refused() -> None:
    with pytest.raises(InputError, match="'mug' has an empty surface"):
        Dictionary([Concept("mug", "entity", ("",))])


def test_arrays_that_are_not_of_one_dictionary_are_refused(dictionary: Dictionary, tmp_path: Path) -> None:
    dictionary.save(tmp_path / "whole")
    Dictionary([*dictionary[:-1]]).save(tmp_path / "less")
    name = "concept_count.npy"
    (tmp_path / "whole" / name).write_bytes((tmp_path / "less" / name).read_bytes())
    with pytest.raises(ArtifactError, match="differ in length"):
        Dictionary.load(tmp_path / "whole")
