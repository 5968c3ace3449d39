"""A catalog, a dictionary, a log and a teacher → the text encoder of an artifact. This file is the tour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from slotbeam.catalog.item import Interaction, Item
from slotbeam.kae.encode import Kae
from slotbeam.model.textvectors import TextVectors, ids_of, words_of_item
from slotbeam.search.artifact import MODEL, read_manifest
from slotbeam.types import FloatArray
from slotbeam_train.budget import Budget
from slotbeam_train.lexicon import behaviour_of
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.ragged import Ragged
from slotbeam_train.teacher import CachedTeacher, Teacher
from slotbeam_train.texts.distill import DistillOptions, Lessons, centroids_of, distill, quantised
from slotbeam_train.texts.lessons import drawn, item_parts, made_queries, passage, read_items

OWN_VOCABULARY = 30_000
"""Tokens of a tokenizer that is learned here, for a teacher that shows none."""


class Taught(NamedTuple):
    """A text encoder, and the name of the teacher that it was distilled from."""

    vectors: TextVectors
    teacher: str


def tell_of(teacher: Teacher | None, reporter: Reporter, budget: Budget | None) -> None:
    """Have a teacher say now and then how far it has read, and stop it when the budget is used up."""
    if isinstance(teacher, CachedTeacher):

        def tell(done: int, total: int) -> None:
            reporter.count(f"{teacher.name} has read", done, total)
            if budget:
                budget.ask()

        teacher.tell = tell


def item_vectors(teacher: Teacher, items: Sequence[Item], limit: int, seed: int) -> FloatArray:
    """Return (n, w) float32: what a teacher says of each item; zeros for those that are more than `limit`."""
    rows = drawn(len(items), limit, seed)
    vectors = np.zeros((len(items), teacher.width), np.float32)
    vectors[rows] = teacher.encode([passage(items[row]) for row in rows])
    return vectors


def taught_texts(
    teacher: Teacher | None,
    artifact_from: Path | None,
    items: Sequence[Item],
    kae: Kae,
    log: Sequence[Interaction],
    options: DistillOptions,
    seed: int,
    reporter: Reporter,
    budget: Budget | None = None,
) -> Taught | None:
    """Return what a teacher taught of texts, now or in the artifact that is refreshed; None where there was none.

    Args:
        teacher: None: that of `artifact_from`, if it had one.
        budget: of the whole command, of which teacher and table take `options.share`.
        artifact_from, items, kae, log, options, seed, reporter: as in `train` and `learn_texts`.

    Raises:
        SetupError: the budget is used up while the teacher reads.
    """
    if teacher is None:
        held = TextVectors.load(artifact_from / MODEL) if artifact_from else None
        if held is None or artifact_from is None:
            return None
        return Taught(held, str(read_manifest(artifact_from)["model"]["texts"]["teacher"]))
    queries, _ = behaviour_of(log)
    part = budget.part(options.share) if budget else None
    return Taught(learn_texts(teacher, items, kae, queries, options, seed, reporter, part), teacher.name)


def learn_texts(
    teacher: Teacher,
    items: Sequence[Item],
    kae: Kae,
    asked: Mapping[str, int],
    options: DistillOptions,
    seed: int,
    reporter: Reporter,
    budget: Budget | None = None,
) -> TextVectors:
    """Distil a teacher into a table of token vectors, and find the lists of an index.

    Args:
        teacher: what knows texts.
        items: what training may read of the catalog.
        kae: its dictionary names what is typed.
        asked: canonical query → how often it was asked.
        options: settings.
        seed: of everything random.
        reporter: is told how far it is.
        budget: what teacher and table may take; when it is used up, what was learned has to do.
    """
    items = read_items(items, options.items, seed)
    tokenizer = teacher.tokenizer()
    words = [] if tokenizer is None else list(tokenizer.get_vocab())
    queries = made_queries(items, kae.dictionary.surfaces, asked, words, options.queries, seed)
    parts = [item_parts(item) for item in items]
    of_items = [words_of_item(title, others) for title, others in parts]
    if tokenizer is None:
        tokenizer = _own_tokenizer([*queries, *(title for title, _ in parts)])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    word_ids = cache(partial(ids_of, tokenizer))

    def tokens(of: Iterable[str]) -> list[int]:
        return [token for word in of for token in word_ids(word)]

    names = [tokenizer.decode([token]).strip() for token in range(tokenizer.get_vocab_size())]
    reporter.say(f"{teacher.name} reads {len(queries)} queries, {len(items)} items, {len(names)} tokens")
    lessons = Lessons(
        queries=Ragged.of([tokens(text.split()) for text in queries]),
        items=Ragged.of([tokens(own) for own in of_items]),
        tokens=teacher.encode(names, queries=True),
        taught_queries=teacher.encode(queries, queries=True),
        taught_items=teacher.encode([passage(item) for item in items]),
    )
    goes_on = (lambda step: bool(budget.left)) if budget else (lambda step: True)
    table, weights = distill(lessons, options, seed, goes_on)
    steps, scales = quantised(table, weights)
    found = TextVectors(tokenizer, steps, scales, centroids=steps[:0])
    units = found.units(np.array([found.of_item(title, others) for title, others in parts]))
    return replace(found, centroids=centroids_of(units, seed))


def _own_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Learn a word piece tokenizer of canonical texts; deterministic."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=OWN_VOCABULARY, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
