"""Words → slots, texts → ids: the dictionary with its codebook, and the tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from slotbeam.catalog.item import Interaction, Item
from slotbeam.kae.encode import Kae
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.model.tokenizer import TOKENIZER, InputBuilder
from slotbeam.search.artifact import MODEL, read_manifest, verify
from slotbeam.types import Progress
from slotbeam_train.lexicon import Absorbed, behaviour_of, build_kae
from slotbeam_train.options import TrainOptions
from slotbeam_train.stages.corpus import corpus_texts
from slotbeam_train.teacher import Teacher
from slotbeam_train.texts.learn import item_vectors


def vocabulary(
    items: Sequence[Item],
    log: Sequence[Interaction],
    options: TrainOptions,
    artifact_from: Path | None,
    work: Path | None,
    absorbed: Sequence[Absorbed] = (),
    folding: Folding = PLAIN,
    progress: Progress | None = None,
    teacher: Teacher | None = None,
) -> tuple[Kae, InputBuilder]:
    """Return the encoding and the tokenizer: of the artifact to refresh, of the stopped run, or new.

    A teacher, where there is one, is asked what items mean: see `build_kae`.
    """
    limit = options.model.max_tokens
    if artifact_from is not None:
        manifest = read_manifest(artifact_from)
        verify(artifact_from, manifest, under=f"{MODEL}/")
        kae = Kae.load(artifact_from / MODEL / "kae", folding)
        limit = manifest["model"]["shape"]["max_tokens"]
        return kae, InputBuilder.load(artifact_from / MODEL / TOKENIZER, kae.codebook.sizes, limit)
    if work is not None and (work / TOKENIZER).is_file():
        kae = Kae.load(work / "kae", folding)
        return kae, InputBuilder.load(work / TOKENIZER, kae.codebook.sizes, limit)
    queries, clicks = behaviour_of(log)
    vectors = item_vectors(teacher, items, options.texts.items, options.seed) if teacher else None
    kae = build_kae(items, queries, options.kae, progress, clicks, absorbed, vectors).folded(folding)
    return kae, tokenizer_of(items, queries, kae, options)


def tokenizer_of(items: Sequence[Item], queries: Iterable[str], kae: Kae, options: TrainOptions) -> InputBuilder:
    """Learn the tokenizer of a catalog, its dictionary and the canonical queries of its log.

    Its size follows the corpus unless `options` fix it: 1 000 entries for the smallest, 8 000 from 0.8 M characters on.
    """
    texts = list(corpus_texts(items, kae, queries))
    size = options.vocabulary or min(8000, max(1000, sum(map(len, texts)) // 100))
    return InputBuilder.train(texts, size, kae.codebook.sizes, options.model.max_tokens)
