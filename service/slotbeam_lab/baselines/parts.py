"""slotbeam with each part out, and each part alone: the same artifact, searched with other options.

Weights stay as they were fitted. A part of the item score is a weight of `WEIGHTS`; some parts bring candidates, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slotbeam.search.artifact import Artifact
from slotbeam.search.options import WEIGHTS, SearchOptions
from slotbeam_lab.baselines.systems import artifact_system
from slotbeam_lab.measures.run import System

_NAMES = {"weight_lexical": "words", "weight_vector": "item vectors", "weight_text": "text vectors"}
"""What a part is called where its setting says it otherwise."""
_SOURCES = {"weight_lexical": "lexical_candidates", "weight_text": "text_candidates"}
"""Parts that bring candidates, by the setting that says how many; the others order what decoding brings."""


def without(options: SearchOptions) -> dict[str, SearchOptions]:
    """Return `without PART` → the options that leave it out, of the score and of the candidates, for each they have.

    Without decoding, the other sources alone bring candidates.
    """
    rows = {}
    for name in (name for name in WEIGHTS if getattr(options, name)):
        out: dict[str, Any] = {name: 0.0} | ({_SOURCES[name]: 0} if name in _SOURCES else {})
        rows[f"without {part_of(name)}"] = replace(options, **out)
    if options.beam_width is None and any(getattr(options, source) for source in _SOURCES.values()):
        rows["without decoding"] = replace(options, scan_budget=0)
    return rows


def alone(options: SearchOptions) -> dict[str, SearchOptions]:
    """Return `PART alone` → the options whose item score is that part and nothing else, for each that they have.

    A part that brings candidates has these and no others; the other parts order what decoding brings. The prior has no
    row: what orders the items alike for every query finds nothing.
    """
    rows = {}
    for name in (name for name in WEIGHTS if getattr(options, name) and name != "weight_prior"):
        out: dict[str, Any] = {**dict.fromkeys(WEIGHTS, 0.0), "weight_logp": 0.0, name: 1.0}
        out |= {source: 0 for part, source in _SOURCES.items() if part != name}
        out |= {"scan_budget": 0} if name in _SOURCES else {}
        rows[f"{part_of(name)} alone"] = replace(options, **out)
    return rows


def part_systems(artifact: Artifact) -> dict[str, System]:
    """Return `NAME, without PART` and `NAME, PART alone` → the artifact asked so."""
    options = artifact.options
    if artifact.texts is None:  # the weight is there by default, and there is nothing that it weighs
        options = replace(options, weight_text=0.0, text_candidates=0)
    rows = without(options) | alone(options)
    return {f"{artifact.name}, {row}": artifact_system(replace(artifact, options=each)) for row, each in rows.items()}


def part_of(weight: str) -> str:
    """Return what the part of a weight is called in tables."""
    return _NAMES.get(weight, weight.removeprefix("weight_"))
