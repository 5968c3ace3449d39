"""Settings of the dictionary build."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KaeOptions:
    """Every choice of `build_kae`.

    Attributes:
        groups: positions wanted, 1..18; None for the elbow of the information loss.
        reserved: reserved slots a position.
        coverage: share of a group's word occurrences that its solo slots must cover.
        entity_coverage: the same for the entity's group.
        floor: fewest core slots of a position that has more words than these.
        solo_items: items a concept needs for a solo slot where others of its group are clustered.
        common: share of all items from which on a category keeps a group of its own.
        dense_cap, light_cap: most core slots of a dense and of a light position.
        uniform: give every position the same core slots (the mean), instead of as many as its words ask for.
        min_items: items a mined word needs; typed values and seed words need one.
        model_min_items: the same for model numbers.
        alias_times: times an unknown query word must be asked to be considered as an alias.
        series_share: share of a word's items that one brand must have for the word to be a series.
        max_words: most concepts of one category, the most frequent ones are kept.
        seed: of the clustering.
    """

    groups: int | None = None
    reserved: int = 10
    coverage: float = 0.5
    entity_coverage: float = 0.95
    floor: int = 256
    solo_items: int = 3
    common: float = 0.9
    dense_cap: int = 2048
    light_cap: int = 1024
    uniform: bool = False
    min_items: int = 2
    model_min_items: int = 1
    alias_times: int = 3
    series_share: float = 0.85
    max_words: int = 50_000
    seed: int = 0
