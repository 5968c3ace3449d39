"""The harness: judgements, tables, paired intervals, and the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.errors import InputError
from slotbeam_lab.measures.questions import Judged, judged_recall, judged_table, read_judgements, sample, world_table
from slotbeam_lab.measures.run import Asked, Table, averaged, bootstrap_ratio
from slotbeam_lab.world import WorldOptions, make_world
from support.shop import make_items
from support.tiny import write_tiny_artifact

JUDGED = [Judged("mug", {"a": 3, "b": 2, "c": 0}), Judged("none", {"a": 1})]


def perfect(asked: Asked, k: int) -> Sequence[str]:
    return ["a", "b", "c", "d"][:k]


def backwards(asked: Asked, k: int) -> Sequence[str]:
    return ["d", "c", "b", "a"][:k]


def test_judgements_are_read_in_file_order(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_text('query,docid,rating\n"mug, red",1,3\nplate,2,0\n"mug, red",2,1\n')
    assert read_judgements(path) == [Judged("mug, red", {"1": 3, "2": 1}), Judged("plate", {"2": 0})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "query,item,rating\na,1,1\n",
            r"j\.csv:2: docid: is missing; .* columns are query, docid, rating",
        ),
        ("query,docid,rating\na,1,5\n", r'j\.csv:2: rating: is "5"; allowed: 0, 1, 2, 3'),
        ("query,docid,rating\na,1\n", "2: rating: is missing; allowed"),
        ("query,docid,rating\n,1,1\n", "2: query: is missing"),
        ("query,docid,rating\na,,1\n", "2: docid: is missing"),
        ("query,docid,rating\na,1,1\na,1,2\n", "3: rating: 'a' and '1' have two ratings"),
        ("query;docid;rating\na;1;9\n;1;1\n", r"2 faults; the first: j\.csv:2: rating"),
    ],
)
def test_a_wrong_judgement_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "j.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_judgements(path)


def test_a_missing_judgements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_judgements(tmp_path / "none.csv")


def test_the_judged_table_leaves_out_queries_without_a_relevant_item() -> None:
    table = judged_table({"good": perfect, "bad": backwards}, JUDGED, (1, 3))
    assert all(len(values) == 1 for metrics in table.values.values() for values in metrics.values())
    means = table.means()
    assert means["good"]["Recall@1"] == 0.5
    assert means["good"]["Recall@3"] == 1.0
    assert means["good"]["nDCG@10"] == means["good"]["bpref"] == means["good"]["MRR@3"] == 1.0
    assert means["bad"]["Recall@1"] == 0.0
    assert means["bad"]["MRR@3"] == pytest.approx(1 / 3)
    assert means["bad"]["condensed nDCG@10"] < means["good"]["condensed nDCG@10"]


def test_judged_recall_counts_all_that_comes_back() -> None:
    assert judged_recall(backwards, JUDGED, 3) == (0.5, 3.0)


def test_the_world_table_takes_each_interaction_as_a_query() -> None:
    log = [Interaction("q", item, "click", 31, "u") for item in ("a", "d")]
    means = world_table({"good": perfect}, log, (1, 4)).means()["good"]
    assert means == {"HR@1": 0.5, "HR@4": 1.0, "MRR@1": 0.5, "MRR@4": pytest.approx((1 + 1 / 4) / 2)}


def test_equal_queries_with_equal_histories_are_asked_once() -> None:
    seen: list[Asked] = []

    def counting(asked: Asked, k: int) -> Sequence[str]:
        seen.append(asked)
        return []

    log = [Interaction("q", "a", "click", 31, "u"), Interaction("q", "b", "click", 31, "u")]
    log.append(Interaction("q", "b", "click", 31, "u", ("before",)))
    world_table({"s": counting}, log, (1,))
    assert seen == [Asked("q"), Asked("q", ("before",))]


def test_a_sample_is_always_the_same_and_keeps_order() -> None:
    log = [Interaction(f"q{n}", "a", "click", 31, f"u{n}") for n in range(100)]
    assert sample(log, None) == sample(log, 100) == log
    few = sample(log, 10)
    assert few == sample(log, 10)
    assert [log.index(one) for one in few] == sorted(log.index(one) for one in few)
    assert len(few) == 10


def test_the_interval_is_paired() -> None:
    generator = np.random.default_rng(0)
    base = generator.random(500)
    ratio, lower, upper = bootstrap_ratio(base * 1.1, base)
    assert ratio == pytest.approx(1.1)
    assert upper - lower < 1e-9
    ratio, lower, upper = bootstrap_ratio(generator.random(500), base)
    assert lower < ratio < upper
    assert upper - lower > 0.05


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    inside = 0
    for turn in range(60):
        a, b = generator.random(200) < 0.6, generator.random(200) < 0.3
        _, lower, upper = bootstrap_ratio(a.astype(float), b.astype(float), seed=turn, rounds=300)
        inside += lower <= 2.0 <= upper
    assert inside >= 50


def test_the_command_measures_bm25_on_what_lies_beside_the_catalog(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    from slotbeam_lab.command import render, run_eval

    world = tmp_path / "world"
    make_world(world, WorldOptions(items=1000, requests_per_item=3, vocabulary_gap=0))
    result = run_eval(None, world, out=tmp_path / "out", ks=(10, 350))
    bm25 = result["tables"]["click"]["BM25"]
    assert bm25["HR@350"] > 0.9
    assert bm25["HR@10"] > 0.4
    assert result["queries"]["click"] > 20
    assert json.loads((tmp_path / "out" / "eval.json").read_text()) == result
    assert (tmp_path / "out" / "eval.md").read_text() == render(result) + "\n"
    assert "| BM25 | " in render(result)


def test_the_command_says_when_there_is_nothing_to_measure_on(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    from slotbeam_lab.command import run_eval

    (tmp_path / "items.jsonl").write_text('{"id": "1", "title": "Mug"}\n')
    with pytest.raises(InputError, match=r"no world\.json and no judgements"):
        run_eval(None, tmp_path)
    (tmp_path / "judgements.csv").write_text("query,docid,rating\nmug,2,3\n")
    with pytest.raises(InputError, match="no query has a relevant item in the catalog"):
        run_eval(None, tmp_path)


def test_the_command_measures_an_artifact_beside_bm25(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    pytest.importorskip("torch")
    from slotbeam_lab.command import render, run_eval

    artifact = write_tiny_artifact(tmp_path / "artifact")
    items = make_items(120)
    rows = [{"id": item.id, "title": item.title, "fields": dict(item.fields)} for item in items]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "judgements.csv").write_text(f"query,docid,rating\nred,{items[0].id},3\nred,{items[1].id},0\n")
    log = [{"query": items[n].title, "item_id": items[n].id, "recent_item_ids": [items[0].id]} for n in range(3)]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
    result = run_eval(artifact, tmp_path, tmp_path / "judgements.csv", tmp_path / "test.jsonl", tmp_path / "out")
    assert set(result["tables"]) == {"click", "judged"}
    for table in result["tables"].values():
        parts = ["prior", "item vectors", "words"]
        own = [f"tiny, without {part}" for part in (*parts, "decoding")] + [f"tiny, {part} alone" for part in parts[1:]]
        assert list(table) == ["BM25", "BM25 + aliases", "tiny", *own, "SID slots in an inverted index (UniDex)"]
        assert all(0 <= value <= 1 for values in table.values() for value in values.values())
    assert result["tables"]["click"]["BM25"]["HR@10"] == 1
    assert result["candidates"]["budget"] == 4096
    assert result["candidates"]["mean"] <= 120
    assert json.loads((tmp_path / "out" / "eval.json").read_text()) == result
    assert "tiny ÷ BM25 (95 %)" in render(result)


def test_an_artifact_of_another_catalog_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    pytest.importorskip("torch")
    from slotbeam_lab.command import run_eval

    (tmp_path / "items.jsonl").write_text('{"id": "elsewhere", "title": "mug"}\n')
    (tmp_path / "judgements.csv").write_text("query,docid,rating\nmug,elsewhere,3\n")
    with pytest.raises(InputError, match="tiny holds no item of the catalog; index the catalog"):
        run_eval(write_tiny_artifact(tmp_path / "artifact"), tmp_path)


def test_with_a_teacher_the_command_measures_it_and_its_hybrids_and_says_what_was_chosen(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    pytest.importorskip("faiss")
    pytest.importorskip("torch")
    from slotbeam_lab.baselines.rivals import BEST
    from slotbeam_lab.command import render, run_eval
    from support.texts import FakeTeacher

    artifact = write_tiny_artifact(tmp_path / "artifact")
    items = make_items(120)
    rows = [{"id": item.id, "title": item.title, "fields": dict(item.fields)} for item in items]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judged = "".join(f"{item.title} {n},{item.id},3\n" for n, item in enumerate(items[:20]))
    (tmp_path / "judgements.csv").write_text(f"query,docid,rating\n{judged}")
    result = run_eval(artifact, tmp_path, ks=(1, 10), teacher=FakeTeacher())
    hybrids = [f"{side} + teacher, {mix}" for side in ("BM25", "BM25 + aliases") for mix in ("convex", "RRF")]
    table = result["tables"]["judged"]
    assert list(table)[:9] == ["BM25", "BM25 + aliases", "teacher, exact", "teacher, IVF", *hybrids, "tiny"]
    assert set(result["chosen"]["judged"]) == set(hybrids)
    for metric, best in table[BEST].items():
        assert best == max(table[name][metric] for name in ("BM25", *hybrids[:2]))
    shown = render(result)
    assert f"| tiny ÷ {BEST} (95 %) |" in shown
    assert "Teacher: fake." in shown
    assert f"{hybrids[0]}: w = " in shown

    alone = run_eval(None, tmp_path, ks=(1, 10), teacher=FakeTeacher(), candidates=8)["tables"]["judged"]
    assert list(alone) == ["BM25", "teacher, exact", "teacher, IVF", *hybrids[:2], BEST]
    assert alone["BM25"] == table["BM25"]


def test_a_hybrid_of_the_registry_is_chosen_on_training_days_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    pytest.importorskip("faiss")
    pytest.importorskip("torch")
    from slotbeam_lab.baselines.rivals import BEST
    from slotbeam_lab.command import Contest, render, run_eval
    from support.setups import make_setup
    from support.texts import FakeTeacher

    items = make_items(40)
    log = [Interaction(items[n].title, items[n].id, "click", 25 + n % 7, "u") for n in range(20)]
    setup = make_setup(tmp_path, items, log)
    contest = Contest(("bm25", "teacher-ivf", "hybrid-convex", "hybrid-rrf"), setup)
    result = run_eval(None, setup.catalog, world=setup.logs, contest=contest, ks=(1, 10), teacher=FakeTeacher())
    facts = result["training"]["0"]
    assert facts["hybrid-convex"]["chosen"]["click"].startswith("w = ")
    assert "half" not in facts["hybrid-rrf"]["chosen"]["click"], "days before the test decide for all queries"
    assert facts["teacher-ivf"]["rows"] == 4096
    assert BEST in result["tables"]["click"]
    assert "BM25 + teacher, convex: w = " in render(result)


def test_at_the_default_gap_bm25_finds_between_a_fifth_and_45_percent(tmp_path: Path) -> None:
    pytest.importorskip("bm25s")
    from slotbeam_lab.command import run_eval

    make_world(tmp_path, WorldOptions(items=30_000, requests_per_item=1))
    result = run_eval(None, tmp_path, queries=600, ks=(350,))
    assert 0.2 <= result["tables"]["click"]["BM25"]["HR@350"] <= 0.45
    assert 0.2 <= result["tables"]["order"]["BM25"]["HR@350"] <= 0.45


def test_judged_queries_beside_a_catalog_are_measured_by_what_people_said_of_each_item(tmp_path: Path) -> None:
    """Of three lamps the query's words pick one; a mug that people call relevant shares no word with its query."""
    pytest.importorskip("bm25s")
    from slotbeam_lab.command import run_eval

    titles = {"a": "red desk lamp", "b": "blue desk lamp", "c": "lamp", "d": "mug", "e": "green rug"}
    rows = [json.dumps({"id": name, "title": title}) + "\n" for name, title in titles.items()]
    (tmp_path / "items.jsonl").write_text("".join(rows))
    judged = ["red desk lamp,a,3", "red desk lamp,b,1", "red desk lamp,e,0", "rug,e,2", "beaker,d,3", "rug,gone,3"]
    (tmp_path / "judgements.csv").write_text("query,docid,rating\n" + "\n".join(judged) + "\n")
    result = run_eval(None, tmp_path, ks=(1, 350))
    found = result["tables"]["judged"]["BM25"]
    assert result["queries"]["judged"] == 3
    assert found["Recall@1"] == pytest.approx(2 / 3), "the lamp and the rug are first; the beaker is not found"
    assert found["MRR@350"] == pytest.approx(2 / 3)
    assert found["nDCG@10"] == pytest.approx(2 / 3)


DATA = Path(__file__).parents[4] / "shared" / "data" / "icecat"


@pytest.mark.skipif(not DATA.is_dir(), reason="the Icecat data is not beside the repository")
def test_bm25_on_the_icecat_judgements_is_as_good_as_known() -> None:
    pytest.importorskip("bm25s")
    from slotbeam_lab.command import run_eval

    bm25 = run_eval(None, DATA)["tables"]["judged"]["BM25"]
    assert bm25["Recall@350"] > 0.95
    assert bm25["nDCG@10"] > 0.70


def test_every_mean_lies_in_its_interval_and_a_constant_has_none_to_speak_of() -> None:
    generator = np.random.default_rng(3)
    values = {"HR": (generator.random(400) < 0.3).astype(float).tolist(), "one": [1.0] * 400}
    found = Table({"a": values}).intervals()["a"]
    mean, lower, upper = found["HR"]
    assert mean == pytest.approx(np.mean(values["HR"]))
    assert lower < mean < upper
    assert upper - lower == pytest.approx(4 * np.sqrt(0.3 * 0.7 / 400), rel=0.2), "about two standard errors each way"
    assert found["one"] == (1, 1, 1)
    assert Table({"a": values}).intervals() == Table({"a": values}).intervals()


def test_ratios_of_a_table_are_those_of_its_columns() -> None:
    generator = np.random.default_rng(4)
    a, b = generator.random(300), generator.random(300)
    table = Table({"a": {"m": a.tolist()}, "b": {"m": b.tolist()}, "c": {"m": [0.0] * 300}})
    found = table.ratios([("a", "b"), ("a", "c")])
    assert found["a", "b"]["m"] == pytest.approx(bootstrap_ratio(a, b))
    assert found["a", "c"] == {}, "nothing is a multiple of 0"


def test_several_seeds_count_as_one_value_a_query() -> None:
    one, two = Table({"a": {"m": [0.0, 1.0, 1.0]}}), Table({"a": {"m": [1.0, 1.0, 0.0]}, "b": {"m": [1.0, 0.0, 0.0]}})
    assert averaged([one, two]).values == {"a": {"m": [0.5, 1.0, 0.5]}, "b": {"m": [1.0, 0.0, 0.0]}}
    with pytest.raises(ValueError, match="same shape"):
        averaged([one, Table({"a": {"m": [1.0]}})])


def test_systems_of_the_registry_are_compared_over_several_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bm25s")
    pytest.importorskip("torch")
    from slotbeam_lab.baselines.registry import SYSTEMS, Contestant
    from slotbeam_lab.command import Contest, render, run_eval
    from support.setups import make_setup

    monkeypatch.setitem(SYSTEMS, "kae", Contestant("slotbeam", "support.fakes:build_fake"))
    items = make_items(40)
    log = [Interaction(items[n].title, items[n].id, "click", 31, "u") for n in range(6)]
    setup = make_setup(tmp_path, items, log)
    contest = Contest(("bm25", "kae"), setup, (0, 1))
    result = run_eval(None, setup.catalog, world=setup.logs, contest=contest, ks=(1, 10))
    assert set(result["tables"]["click"]) == {"BM25", "slotbeam"}
    assert set(result["training"]) == {"0", "1"}
    assert result["training"]["1"]["kae"] == {"steps": 3, "minutes": 0.5}
    assert "| slotbeam ÷ BM25 (95 %) |" in render(result)
    with pytest.raises(InputError, match="systems nothing are not known; allowed: bm25"):
        run_eval(None, setup.catalog, world=setup.logs, contest=Contest(("nothing",), setup))
