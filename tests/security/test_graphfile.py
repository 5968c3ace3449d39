"""A graph that refers to another file is refused before onnxruntime sees it; `onnx` itself is the oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx import external_data_helper as external

from slotbeam.errors import ArtifactError
from slotbeam.model.graphfile import _refers_outside, read_graph
from slotbeam.model.onnx import OnnxModel
from slotbeam_train.export.artifact import export_model
from support.training import SIZES, make_inputs, make_policy

VALUES = np.arange(1000, dtype=np.float32)


def tensor(location: str | None = None) -> onnx.TensorProto:
    """VALUES, kept inside or at `location`."""
    made = numpy_helper.from_array(VALUES, "w")
    if location is not None:
        external.set_external_data(made, location, offset=0, length=VALUES.nbytes)
        made.ClearField("raw_data")
    return made


def graph(*tensors: onnx.TensorProto, nodes: tuple[onnx.NodeProto, ...] = ()) -> onnx.GraphProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1000]) for name in "xy"]
    adds = helper.make_node("Add", ["x", "w"], ["y"])
    return helper.make_graph([adds, *nodes], "g", ends[:1], ends[1:], list(tensors))


def model(inner: onnx.GraphProto, **further: object) -> onnx.ModelProto:
    return helper.make_model(inner, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, **further)


def holding(place: str, held: onnx.TensorProto) -> onnx.ModelProto:
    """A model with `held` at `place`."""
    if place == "initializer":
        return model(graph(held))
    if place == "sparse initializer":
        sparse = onnx.SparseTensorProto(values=held, indices=tensor(), dims=[1000])
        made = graph(tensor())
        made.sparse_initializer.append(sparse)
        return model(made)
    if place == "training":
        made = model(graph(tensor()))
        made.training_info.append(onnx.TrainingInfoProto(algorithm=graph(held)))
        return made
    attribute = onnx.AttributeProto(name="value")
    if place in ("constant", "function"):
        attribute.t.CopyFrom(held)
    elif place == "list":
        attribute.tensors.extend([tensor(), held])
    elif place == "sparse constant":
        attribute.sparse_tensor.CopyFrom(onnx.SparseTensorProto(values=tensor(), indices=held))
    elif place == "subgraph":
        attribute.g.CopyFrom(graph(held))
    else:
        attribute.graphs.extend([graph(tensor()), graph(held)])
    node = onnx.NodeProto(op_type="Constant", output=["c"], attribute=[attribute])
    if place == "function":
        return model(graph(tensor()), functions=[onnx.FunctionProto(name="f", domain="d", node=[node])])
    return model(graph(tensor(), nodes=(node,)))


PLACES = (
    "initializer",
    "sparse initializer",
    "training",
    "constant",
    "list",
    "sparse constant",
    "subgraph",
    "subgraphs",
    "function",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_reference_to_another_file_is_found_wherever_a_tensor_can_be(tmp_path: Path, place: str) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(holding(place, tensor()).SerializeToString())
    assert read_graph(path) == path.read_bytes()
    path.write_bytes(holding(place, tensor("weights.bin")).SerializeToString())
    with pytest.raises(ArtifactError, match="keeps weights in another file, which is never opened"):
        read_graph(path)


def test_onnxruntime_alone_would_have_followed_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights.bin").write_bytes(VALUES.tobytes())
    monkeypatch.chdir(tmp_path)
    session = ort.InferenceSession(model(graph(tensor("weights.bin"))).SerializeToString())
    assert session.run(None, {"x": np.zeros(1000, np.float32)})[0].tolist() == VALUES.tolist()


def test_the_model_of_an_artifact_with_outside_weights_never_reaches_onnxruntime(tmp_path: Path) -> None:
    """The weights are not there: onnxruntime would say so, and that it cannot load the graph."""
    export_model(make_policy(), make_inputs(), tmp_path)
    kept = onnx.load(tmp_path / "encoder.onnx")
    onnx.save_model(kept, tmp_path / "encoder.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(Exception, match="ONNXRuntimeError"):  # its classes are not public
        ort.InferenceSession(tmp_path / "encoder.onnx")
    with pytest.raises(ArtifactError, match=r"encoder\.onnx keeps weights in another file"):
        OnnxModel(tmp_path, SIZES)


def message(number: int, body: bytes) -> bytes:
    """`body` as the field `number` of a message, written without a library, which would refuse to nest so deep."""
    size = len(body)
    length = bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + body


@pytest.mark.parametrize(("levels", "why"), [(1, None), (20, None), (25, "nested deeper than 64"), (2000, "nested")])
def test_graphs_nested_without_end_are_refused(tmp_path: Path, levels: int, why: str | None) -> None:
    data = graph(tensor()).SerializeToString()
    for _ in range(levels):  # graph.node.attribute.g
        data = message(1, message(5, message(6, data)))
    (tmp_path / "m.onnx").write_bytes(message(7, data))
    if why is None:
        assert read_graph(tmp_path / "m.onnx")
        return
    with pytest.raises(ArtifactError, match=why):
        read_graph(tmp_path / "m.onnx")


def cut_models() -> st.SearchStrategy[bytes]:
    """Models with and without references, cut anywhere."""
    whole = st.builds(
        lambda place, at: holding(place, tensor(at)), st.sampled_from(PLACES), st.sampled_from([None, "w"])
    )
    return st.builds(lambda made, cut: made.SerializeToString()[: cut or None], whole, st.integers(0, 6000))


@given(st.binary(max_size=200) | cut_models())
@example(b"\x3a")
@example(b"\xff" * 11)
def test_what_is_let_through_has_no_reference_that_onnx_would_find(data: bytes) -> None:
    try:
        let_through = not _refers_outside(memoryview(data), "model", 0)
    except (ValueError, IndexError):
        return
    if let_through:
        try:
            parsed = onnx.ModelProto.FromString(data)
        except DecodeError:
            return
        assert not any(map(external.uses_external_data, external._get_all_tensors(parsed)))
