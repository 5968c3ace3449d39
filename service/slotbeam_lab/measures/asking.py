"""Which queries two systems are compared on, how often each is asked, and what is right for it where that is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from slotbeam.catalog.loaders import load_log
from slotbeam.catalog.loaders.faults import Faults, good_rows
from slotbeam.catalog.loaders.files import TABLES, opened
from slotbeam.catalog.loaders.rows import rows
from slotbeam.catalog.loaders.values import amount, text
from slotbeam.errors import InputError
from slotbeam.search.request import canonical_query
from slotbeam_lab.measures.questions import RELEVANT, Judged, read_judgements
from slotbeam_lab.measures.run import Asked

_ROWS = (*TABLES, ".jsonl", ".jsonl.gz", ".jsonl.xz", ".parquet")


@dataclass(frozen=True, slots=True)
class Question:
    """One query.

    Attributes:
        asked: the query, and what the user did before.
        count: how often it is asked: its weight in every mean, > 0.
        rights: what is right for it: once, of judgements; once a click, of clicks. A measure is the mean over them.
    """

    asked: Asked
    count: float = 1.0
    rights: tuple[Judged, ...] = ()


def read_queries(path: Path) -> list[Question]:
    """Read queries: one a line, or rows with `query` and, if there, `count` (CSV, TSV, JSON lines, Parquet).

    Equal queries are one, asked as often as all of them; those that are asked 0 times are left out.

    Raises:
        InputError: for all that is wrong, each with file, line, field and what is allowed; or there is no query.
    """
    counts: dict[str, float] = {}
    for query, count in _rows(path) if path.name.endswith(_ROWS) else _lines(path):
        counts[query] = counts.get(query, 0.0) + count
    asked = [Question(Asked(query), count) for query, count in counts.items() if count]
    return _some(asked, f"{path.name} holds no query; allowed: one a line, or rows with query and count")


def judged_questions(path: Path, known: Callable[[Collection[str]], Collection[str]]) -> tuple[list[Question], int]:
    """Read judgements as questions, those without a relevant item left out.

    Args:
        path: a CSV as `read_judgements` takes it.
        known: of many item ids returns those that a catalog holds.

    Returns:
        The questions, and how many judgements are of items that no catalog holds: these are left out.

    Raises:
        InputError: the file is malformed, or no query has a relevant item in a catalog.
    """
    judged = read_judgements(path)
    held = known(list(dict.fromkeys(item for one in judged for item in one.ratings)))
    kept = [one.within(held) for one in judged]
    lost = sum(len(one.ratings) for one in judged) - sum(len(one.ratings) for one in kept)
    questions = [Question(Asked(one.query), rights=(one,)) for one in kept if one.relevant]
    what = f"{path.name}: no query has a relevant item in a catalog; allowed: ids of the catalogs"
    return _some(questions, what), lost


def clicked_questions(path: Path, known: Callable[[Collection[str]], Collection[str]]) -> tuple[list[Question], int]:
    """Read a log as questions: equal queries with equal histories are one, asked once a row; its items are right.

    Args and what is returned: as of `judged_questions`. Raises `InputError`, likewise.
    """
    log = list(load_log(path))
    held = known(list(dict.fromkeys(row.item_id for row in log)))
    rights: dict[Asked, list[Judged]] = {}
    for row in log:
        if row.item_id in held:
            rights.setdefault(Asked.of(row), []).append(Judged(row.query, {row.item_id: RELEVANT}))
    questions = [Question(asked, float(len(own)), tuple(own)) for asked, own in rights.items()]
    lost = len(log) - sum(len(own) for own in rights.values())
    what = f"{path.name}: no row has an item of a catalog; allowed: ids of the catalogs"
    return _some(questions, what), lost


def answerable(questions: Iterable[Question]) -> tuple[list[Question], list[str]]:
    """Return the questions that a service takes, and why it would refuse the others."""
    taken: list[Question] = []
    refused: list[str] = []
    for question in questions:
        try:
            canonical_query(question.asked.query)
        except InputError as error:
            refused.append(f"{question.asked.query[:80]!r}: {error}")
        else:
            taken.append(question)
    return _some(taken, f"no query is one that a service takes; the first: {(refused or [''])[0]}"), refused


def sampled(questions: Sequence[Question], count: int | None) -> list[Question]:
    """Return at most `count` of the questions, always the same ones of the same questions, in their order."""
    if count is None or len(questions) <= count:
        return list(questions)
    keyed = sorted(range(len(questions)), key=lambda at: (crc32(repr(questions[at].asked).encode()), at))
    return [questions[at] for at in sorted(keyed[:count])]


def _lines(path: Path) -> Iterator[tuple[str, float]]:
    file, raw = opened(path)
    with raw, file:
        for number, line in enumerate(file, 1):
            try:
                query = line.decode("utf-8-sig").strip()
            except UnicodeDecodeError:
                raise InputError(f"{path.name}:{number}: is not UTF-8; save the file as UTF-8") from None
            if query:
                yield query, 1.0


def _rows(path: Path) -> Iterator[tuple[str, float]]:
    faults = Faults()
    decimal = "." if path.name.endswith(TABLES) else None
    for place, row, _ in good_rows(rows(path), faults):
        try:
            query = text(place, "query", row.get("query"), required=True)
            yield query, amount(place, "count", row.get("count", 1), decimal)
        except InputError as error:
            faults.note(error)
    faults.refuse()


def _some(questions: list[Question], what: str) -> list[Question]:
    if not questions:
        raise InputError(what)
    return questions
