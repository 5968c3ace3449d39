"""Dictionary and tokenizer of a comparison: learned once, shared by every system that needs words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from slotbeam.catalog.item import Interaction, Item
from slotbeam.catalog.loaders import read_data
from slotbeam.kae.encode import Kae
from slotbeam.model.tokenizer import InputBuilder
from slotbeam_lab.baselines.registry import DONE, Setup, cached, identity

DICTIONARY = "kae"


def training_data(setup: Setup) -> tuple[list[Item], list[Interaction]]:
    """What every system may learn from: the catalog, and the log's days up to `options.last_day`."""
    data = read_data(setup.catalog, setup.logs, last_day=setup.options.last_day)
    return data.items, data.log


def dictionary_of(setup: Setup) -> Kae:
    """The dictionary of the `kae` system: its own when that is trained, else learned the same way and kept."""
    trained = setup.cache / f"kae-{identity(setup, 'kae')}"
    if (trained / DONE).is_file():
        return Kae.load(trained / "artifact" / DICTIONARY)

    def learn(directory: Path) -> dict[str, int]:
        from slotbeam_train.lexicon import behaviour_of, build_kae

        items, log = training_data(setup)
        queries, clicks = behaviour_of(log)
        kae = build_kae(items, queries, setup.options.kae, clicks=clicks)
        kae.save(directory / DICTIONARY)
        return {"concepts": len(kae.dictionary)}

    directory, _ = cached(setup, "dictionary", learn)
    return Kae.load(directory / DICTIONARY)


def tokenizer_of(setup: Setup, items: Sequence[Item], log: Sequence[Interaction], kae: Kae) -> InputBuilder:
    """The tokenizer that training makes of the same data, with room for the dictionary's slots."""
    from slotbeam_train.command import vocabulary_of
    from slotbeam_train.lexicon import behaviour_of
    from slotbeam_train.stages.corpus import corpus_texts

    texts = list(corpus_texts(items, kae, behaviour_of(log)[0]))
    size = setup.options.vocabulary or vocabulary_of(sum(map(len, texts)))
    return InputBuilder.train(texts, size, kae.codebook.sizes, setup.options.model.max_tokens)
