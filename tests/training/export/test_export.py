from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slotbeam.errors import ArtifactError
from slotbeam_train.export.artifact import export_model, parameters, read_parameters, restore
from support.training import SHAPE, make_inputs, make_policy


@pytest.mark.parametrize("half", [True, False])
def test_the_exported_files_hold_the_whole_policy(tmp_path: Path, half: bool) -> None:
    model, inputs = make_policy(), make_inputs()
    export_model(model, inputs, tmp_path, half)
    found = read_parameters(tmp_path, SHAPE.heads)
    expected = parameters(model, half)
    assert all(np.array_equal(found[name], array) for name, array in expected.items())
    fresh = make_policy()
    assert restore(fresh, found) == []
    assert all(np.array_equal(array, expected[name]) for name, array in parameters(fresh).items())


def test_a_parameter_of_another_shape_keeps_its_fresh_value(tmp_path: Path) -> None:
    export_model(make_policy(departments=2), make_inputs(), tmp_path)
    kept = restore(make_policy(departments=5), read_parameters(tmp_path, SHAPE.heads))
    assert kept == ["department.weight", "department.bias"]


def test_exporting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_model(make_policy(), make_inputs(), tmp_path / name)
    for file in ("encoder.onnx", "decoder.onnx", "tokenizer.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_half_files_are_half_the_size(tmp_path: Path) -> None:
    for half in (True, False):
        export_model(make_policy(), make_inputs(), tmp_path / str(half), half)
    small, large = ((tmp_path / str(half) / "encoder.onnx").stat().st_size for half in (True, False))
    assert small < 0.62 * large


def test_a_directory_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="holds no weights to go on from"):
        read_parameters(tmp_path, 4)
