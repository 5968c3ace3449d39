"""Which queries a comparison asks: every form of a file of them, and what is right for them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from slotbeam.catalog.item import Interaction
from slotbeam.errors import InputError
from slotbeam_lab.measures.asking import (
    answerable,
    clicked_questions,
    judged_questions,
    read_queries,
    sampled,
)
from slotbeam_lab.measures.run import Asked
from support.setups import write_log


def held(ids: Collection[str]) -> set[str]:
    return {item for item in ids if item.startswith("i")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.txt", "red mug\nrug\n\nred mug\nred mug\n"),
        ("q", "\ufeffred mug\nred mug\nrug\nred mug"),
        ("q.csv", "query,count\nred mug,2\nrug,\nred mug,1\nlamp,0\n"),
        ("q.tsv", "count\tquery\n3\tred mug\n1\trug\n"),
        ("q.jsonl", '{"query": "red mug", "count": 3}\n{"query": "rug"}\n'),
    ],
)
def test_queries_come_with_how_often_they_are_asked(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert {(one.asked.query, one.count) for one in read_queries(tmp_path / name)} == {("red mug", 3), ("rug", 1)}


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("q.csv", "word,count\nrug,2\n", "q.csv:2: query: is missing"),
        ("q.csv", "query,count\nrug,-2\n", "q.csv:2: count"),
        ("q.jsonl", '{"query": "rug", "count": "two"}\n', "q.jsonl:1: count"),
        ("q.jsonl", "rug\n", "q.jsonl:1: .*is not JSON"),
        ("q.txt", "\n\n", "q.txt holds no query"),
        ("q.csv", "query\n", "q.csv holds no query"),
    ],
)
def test_what_is_wrong_with_a_file_of_queries_is_told_with_its_place(
    name: str, text: str, what: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=what):
        read_queries(tmp_path / name)


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_bytes(b"rug\n\xff\n")
    with pytest.raises(InputError, match=r"q\.txt:2: is not UTF-8"):
        read_queries(tmp_path / "q.txt")


def test_judgements_are_questions_over_the_items_that_a_catalog_holds(tmp_path: Path) -> None:
    (tmp_path / "j.csv").write_text("query,docid,rating\nrug,i1,3\nrug,x1,3\nrug,i2,0\nlamp,i3,1\nmug,x2,3\n")
    questions, lost = judged_questions(tmp_path / "j.csv", held)
    assert [(one.asked.query, one.count, one.rights[0].ratings) for one in questions] == [
        ("rug", 1, {"i1": 3, "i2": 0})
    ]
    assert lost == 2
    with pytest.raises(InputError, match="no query has a relevant item"):
        judged_questions(tmp_path / "j.csv", lambda ids: ())


def test_equal_queries_of_a_log_are_one_question_asked_once_a_click(tmp_path: Path) -> None:
    rows = [Interaction("rug", item, "click", 1, "u") for item in ("i1", "i2", "i1", "x")]
    write_log(tmp_path / "log.jsonl", [*rows, Interaction("rug", "i3", "order", 1, "u", recent_queries=("mug",))])
    questions, lost = clicked_questions(tmp_path / "log.jsonl", held)
    first, second = questions
    assert (first.asked, first.count, [set(right.relevant) for right in first.rights]) == (
        Asked("rug"),
        3,
        [{"i1"}, {"i2"}, {"i1"}],
    )
    assert (second.asked.recent_queries, second.count) == (("mug",), 1)
    assert lost == 1


def test_a_sample_is_always_the_same_and_what_a_service_refuses_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("\n".join([*(f"query {number}" for number in range(50)), "x" * 300]))
    questions, refused = answerable(read_queries(tmp_path / "q.txt"))
    assert len(questions) == 50
    assert len(refused) == 1
    assert "300 characters" in refused[0]
    taken = sampled(questions, 10)
    assert taken == sampled(questions, 10)
    assert len(taken) == 10
    assert set(taken) <= set(sampled(questions, 20))
    assert sampled(questions, None) == questions
