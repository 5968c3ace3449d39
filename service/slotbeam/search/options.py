"""The named configuration of a search, recorded in the artifact's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from slotbeam.decode.frontier import ScanBudget
from slotbeam.search.calibration import Calibration


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How an artifact is searched.

    Attributes:
        scan_budget: rows that one group looks at: ranges of the trie are opened until they hold so many that pass the
            filter. At least `MAX_K`, so that an answer is filled.
        step_rows: a range that exceeds what is left of the budget by no more is scanned and not decoded any deeper
            (`ScanBudget.step`): a scan of so many costs about two decoder steps, and finds more than these.
        text_candidates: items whose text vectors are nearest that are candidates of the base group, too.
        text_rows: rows that are looked at for them.
        lexical_candidates: items with the largest lexical overlap that are candidates of the base group, too.
        beam_width: None, or B of the paper's mode: SIDs are decoded to their full depth, and no ranges are opened.
        candidates: in the paper's mode, items taken of the SIDs at most.
        items_per_sid: in the paper's mode, items taken of one SID at most (paper: 5); None takes all.
        weight_logp: in the paper's mode, weight of the SID log-probability (nats) in the item score.
        weight_prior: weight of the item prior, log(1 + popularity).
        weight_vector: weight of query vector · item vector (nats); 0 leaves the feature out.
        weight_slots: weight of the share of the query's slots that the item's SID has; 0 leaves the feature out.
        weight_text: weight of the cosine of text vectors; 0 leaves the feature out.
        weight_lexical: weight of the lexical overlap, which lies in [0, 1]; 0 leaves the feature out.
        calibration: what relevance and confidence are made of.
    """

    scan_budget: int = 4096
    step_rows: int = 16_384
    lexical_candidates: int = 500
    text_candidates: int = 500
    text_rows: int = 4096
    beam_width: int | None = None
    candidates: int = 2000
    items_per_sid: int | None = None
    weight_logp: float = 0.0
    weight_prior: float = 0.1
    weight_vector: float = 1.0
    weight_slots: float = 0.0
    weight_text: float = 1.0
    weight_lexical: float = 1.0
    calibration: Calibration = field(default_factory=Calibration)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> SearchOptions:
        """Read what a manifest says of a search; what it does not say is as it is by default. Raises `TypeError`."""
        return cls(**{**kept, "calibration": Calibration(**kept.get("calibration", {}))})

    @property
    def budget(self) -> ScanBudget:
        """What one group looks at."""
        return self.budget_of(self.scan_budget)

    def budget_of(self, rows: int) -> ScanBudget:
        """Return what one group would look at if `scan_budget` were `rows`."""
        return ScanBudget(rows=rows, step=self.step_rows)

    def with_weights_of(self, other: SearchOptions) -> SearchOptions:
        """Return these options with the item score of `other`."""
        return replace(self, **{name: getattr(other, name) for name in (*WEIGHTS, "weight_logp")})


WEIGHTS = ("weight_prior", "weight_vector", "weight_slots", "weight_text", "weight_lexical")
"""The settings that make the item score, one a feature; `weight_logp` is the paper's mode's alone."""
