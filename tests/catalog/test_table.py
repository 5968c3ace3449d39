import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slotbeam.arrays import Strings
from slotbeam.catalog.inmemory import write_catalog
from slotbeam.catalog.item import Item
from slotbeam.catalog.passing import Passing
from slotbeam.catalog.postings import ARRAYS
from slotbeam.catalog.postingsbuilder import PostingsBuilder
from slotbeam.catalog.table import Catalog
from slotbeam.catalog.terms import TermIndex, term_hash
from slotbeam.errors import InputError
from support.lexical import ENGLISH, index_of


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    folder = tmp_path_factory.mktemp("items")
    items = [
        Item("a", "Daycare toy", "holds labubu inside", fields={"price": 3.0}, popularity=1),
        Item("b", "Car seat", fields={"price": 5.0, "new": True}, popularity=9),
        Item("ñ", "新款拉布布挂件", fields={"department": "toys", "new": False}),
        Item("d", "LABUBU keychain", "", {"color": ("Red",)}, popularity=2),
    ]
    kinds = write_catalog(folder, items, np.array([[2, 1], [1, 1], [1, 1], [2, 1]]))
    return Catalog.load(folder, kinds)


def test_rows_are_in_sid_order_then_by_popularity(catalog):
    assert list(catalog.ids) == ["b", "ñ", "d", "a"]
    assert catalog.leaf_items.tolist() == [0, 2, 4]
    assert catalog.titles[2] == "LABUBU keychain"


def test_vectors_follow_their_items_into_row_order(tmp_path):
    items = [Item(name, name) for name in "abc"]
    vectors = np.array([[127, 0], [0, -127], [64, 64]], np.int8)
    kinds = write_catalog(tmp_path, items, np.array([[3], [1], [2]]), vectors=vectors)
    catalog = Catalog.load(tmp_path, kinds)
    assert list(catalog.ids) == ["b", "c", "a"]
    assert catalog.vectors.tolist() == [[0, -127], [64, 64], [127, 0]]
    query = np.array([2.0, 3.0], np.float32)
    assert catalog.closeness(query, np.array([2, 0, 1])) == pytest.approx([2.0, -3.0, 5 * 64 / 127])


def test_items_of_equal_vectors_are_equally_close_whatever_shares_their_batch(tmp_path):
    """To the last bit: equal scores break by id, and a kernel that rounds row by row would break them first."""
    rng = np.random.default_rng(0)
    items = [Item(f"{number:03d}", "twin") for number in range(203)]
    vectors = np.repeat(rng.integers(-127, 128, (7, 48)), 29, axis=0).astype(np.int8)
    kinds = write_catalog(tmp_path, items, np.ones((203, 1), int), vectors=vectors)
    catalog = Catalog.load(tmp_path, kinds)
    for query in rng.normal(size=(20, 48)).astype(np.float32) * 9:
        together = catalog.closeness(query, np.arange(203))
        assert len(set(together.tolist())) == 7
        for size in (1, 2, 3, 5, 8, 13, 101):
            assert (
                catalog.closeness(query, np.arange(202, 202 - size, -1)).tolist() == together[: -size - 1 : -1].tolist()
            )
        exact = vectors.astype(np.float64) @ query.astype(np.float64) / 127
        assert together == pytest.approx(exact, abs=1e-4)


def test_an_id_leads_to_its_row_and_an_unknown_one_to_none(catalog):
    assert [catalog.row_of(i) for i in ("a", "b", "ñ", "d", "e", "\ud800")] == [3, 0, 1, 2, None, None]
    assert catalog.rows_of(["d", "x", "b"]) == ([2, 0], ["x"])


@pytest.mark.parametrize(
    ("word", "ids"),
    [("labubu", ["d", "a"]), ("car", ["b"]), ("拉布布", ["ñ"]), ("red", ["d"]), ("lab", []), ("toy holds", [])],
)
def test_match_finds_the_items_whose_text_holds_a_whole_word(catalog, word, ids):
    assert [catalog.ids[row] for row in catalog.match([word])] == ids


def test_match_unites_several_words(catalog):
    assert [catalog.ids[row] for row in catalog.match(["car", "labubu"])] == ["b", "d", "a"]


def test_fields_are_typed_from_their_values(catalog):
    assert catalog.fields.kinds == {"department": "keyword", "new": "bool", "price": "number"}
    rows = np.arange(4)
    for wanted, passing in (({"new": False}, [1]), ({"price": {"lt": 4}}, [3]), ({"department": "garden"}, [])):
        assert np.flatnonzero(catalog.passing(wanted).holds(rows)).tolist() == passing


def test_two_items_of_one_id_are_refused(tmp_path):
    with pytest.raises(InputError, match="two items have the id 'a'"):
        write_catalog(tmp_path, [Item("a", "x"), Item("a", "y")], np.zeros((2, 1), int))


@given(st.lists(st.text()))
def test_strings_come_back_as_they_were(strings):
    try:
        packed = Strings.of(strings)
    except UnicodeEncodeError:
        return
    assert list(packed) == strings


words = st.sampled_from(["mug", "mugs", "red", "lamp", "chair", "拉"])
texts = st.lists(words, max_size=6).map(" ".join)


@given(st.lists(texts, min_size=1, max_size=8), texts)
def test_lexical_overlap_equals_the_summed_bm25_impacts_over_those_in_a_title_of_mean_length(corpus, query):
    index = index_of(corpus)
    documents = [ENGLISH.terms(text) for text in corpus]
    mean = max(1.0, sum(map(len, documents)) / len(documents))

    def idf(term):
        holding = sum(term in d for d in documents)
        return np.log1p((len(documents) - holding + 0.5) / (holding + 0.5))

    def impact(term, document):
        tf = document.count(term)
        length = 1 - 0.4 + 0.4 * len(document) / mean
        return idf(term) * tf * 1.6 / (tf + 0.6 * length) if tf else 0.0

    wanted = set(ENGLISH.terms(query)) & {term for d in documents for term in d}
    best = sum(idf(term) * 2 * 1.6 / (2 + 0.6) for term in wanted)  # a title counts twice
    got = index.read(query).overlap(np.arange(len(corpus)))
    expected = [sum(impact(t, d) for t in wanted) / best if best else 0.0 for d in documents]
    assert got == pytest.approx(expected, abs=2e-3)


@given(st.lists(texts, min_size=1, max_size=8), texts, st.integers(1, 9))
def test_the_best_by_words_are_those_that_share_one_by_overlap_then_in_row_order(corpus, query, limit):
    index = index_of(corpus)
    overlap = index.read(query).overlap(np.arange(len(corpus)))
    sharing = [row for row, text in enumerate(corpus) if set(ENGLISH.terms(text)) & set(ENGLISH.terms(query))]
    assert index.read(query).best(limit).tolist() == sorted(sharing, key=lambda row: (-overlap[row], row))[:limit]


@given(st.lists(texts, min_size=1, max_size=8), texts, st.integers(1, 9), st.randoms(use_true_random=False))
def test_an_overlap_is_the_same_to_the_last_bit_whatever_was_asked_before(corpus, query, limit, random):
    index = index_of(corpus)
    rows = np.array(random.choices(range(len(corpus)), k=random.randrange(12)), np.int64)
    asked = index.read(query)
    asked.best(limit)
    assert asked.overlap(rows).tolist() == index.read(query).overlap(rows).tolist()
    assert asked.overlap(rows).tolist() == [index.read(query).overlap(np.array([row]))[0] for row in rows.tolist()]


def test_a_word_that_all_items_carry_brings_the_first_of_them():
    index = index_of(["common word"] * 3500 + ["common rare"])
    assert index.read("common").best(10).tolist() == list(range(10))
    assert index.read("common rare").best(3).tolist() == [3500, 0, 1]
    passing = Passing.of(np.arange(3501) % 1000 == 7)
    assert index.read("common rare").best(9, passing).tolist() == [7, 1007, 2007, 3007]


def test_terms_come_back_from_disk_as_they_were(tmp_path):
    index = index_of(["red mug", "", "blue mug of a red lamp", "lamp"] * 9)
    builder = PostingsBuilder(tmp_path)
    for text in ["red mug", "", "blue mug of a red lamp", "lamp"] * 9:
        hashes = [term_hash(term) for term in ENGLISH.terms(text)]
        builder.add(np.array(hashes, np.uint32), np.array([len(hashes)]))
    builder.finish()
    mapped = TermIndex.load(tmp_path)
    assert mapped.vocabulary.tolist() == index.vocabulary.tolist()
    for name in ARRAYS:
        assert getattr(mapped.postings, name).tolist() == getattr(index.postings, name).tolist()
