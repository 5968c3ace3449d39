"""The named configuration of a search, recorded in the artifact's manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How an artifact is searched.

    Attributes:
        beam_width: B of a request that names none, whatever its K.
        candidates: items scored for one group at most, whatever the catalog's size.
        items_per_sid: items taken of one SID at most in the base group (paper: 5); None takes all.
        lexical_candidates: of these, at most so many that only words bring: the items with the largest overlap.
        stop_at_range: end decoding at the depth where the beams' ranges hold at most `candidates` items.
        weight_logp: weight of the SID log-probability (nats) in the item score.
        weight_prior: weight of the item prior, log(1 + popularity).
        weight_vector: weight of query vector · item vector (nats); 0 leaves the feature out.
        weight_lexical: weight of the lexical overlap, which lies in [0, 1]; 0 leaves the feature out.
    """

    beam_width: int = 350
    candidates: int = 2000
    items_per_sid: int | None = None
    lexical_candidates: int = 0
    stop_at_range: bool = False
    weight_logp: float = 1.0
    weight_prior: float = 0.1
    weight_vector: float = 0.0
    weight_lexical: float = 0.0

    def with_weights_of(self, other: SearchOptions) -> SearchOptions:
        """Return these options with the item score of `other`."""
        return replace(self, **{name: getattr(other, name) for name in WEIGHTS})


WEIGHTS = ("weight_logp", "weight_prior", "weight_vector", "weight_lexical")
"""The settings that make the item score, one a feature."""
