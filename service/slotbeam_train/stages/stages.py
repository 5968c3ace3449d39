"""The four stages: four frozen configurations, four functions, one loop (slotbeam_train/stages/loop.py)."""

from __future__ import annotations

from dataclasses import dataclass

from slotbeam_train.stages import tasks
from slotbeam_train.stages.corpus import Corpus
from slotbeam_train.stages.data import Task


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of training.

    Attributes:
        share: of all steps; shares of the stages that run are scaled to add up to 1.
        rate: peak learning rate, as a multiple of the loop's; end: where the cosine ends, as a share of the peak.
        warmup: share of the stage's steps that climb to the peak.
        smoothing: label smoothing of slot targets.
    """

    name: str
    share: float
    rate: float
    end: float
    warmup: float
    smoothing: float = 0.0


S0 = Stage("S0", share=0.05, rate=1.0, end=1.0, warmup=0.5)
S1 = Stage("S1", share=0.20, rate=1.0, end=1.0, warmup=0.05)
S2 = Stage("S2", share=0.10, rate=1.0, end=1.0, warmup=0.05)
S3 = Stage("S3", share=0.65, rate=1.0, end=0.02, warmup=0.02)

Mix = list[tuple[Task, float]]


def attribute_alignment(corpus: Corpus) -> Mix:
    """S0: what a slot means."""
    return [
        (Task("word → slot", "slot", tasks.word_to_slot), 0.7),
        (Task("slot → word", "text", tasks.slot_to_word), 0.3),
    ]


def content_alignment(corpus: Corpus) -> Mix:
    """S1: query ↔ SID and title ↔ SID, and the department of each."""
    mix: Mix = [
        (Task("query → SID", "sids", tasks.query_to_sid), 0.25),
        (Task("title → SID", "sids", tasks.title_to_sid), 0.35),
        (Task("SID → query", "text", tasks.sid_to_query), 0.1),
        (Task("SID → title", "text", tasks.sid_to_title), 0.1),
    ]
    if len(corpus.department_names) > 1:
        mix += [
            (Task("query → department", "department", tasks.query_to_department), 0.1),
            (Task("title → department", "department", tasks.title_to_department), 0.1),
        ]
    return mix


def collaboration(corpus: Corpus) -> Mix:
    """S2: where a query SID leads, and back; query ↔ title."""
    return [
        (Task("query SID → item SID", "sids", tasks.query_sid_to_item_sid), 0.5),
        (Task("item SID → query SID", "sids", tasks.item_sid_to_query_sid), 0.2),
        (Task("query → title", "text", tasks.query_to_title), 0.15),
        (Task("title → query", "text", tasks.title_to_query), 0.15),
    ]


def retrieval(corpus: Corpus) -> Mix:
    """S3: the deployed format, and a little of S1 and S2 against forgetting."""
    return [
        (Task("query → item SID", "retrieve", tasks.retrieve), 0.94),
        (Task("title → SID", "sids", tasks.title_to_sid), 0.03),
        (Task("query SID → item SID", "sids", tasks.query_sid_to_item_sid), 0.03),
    ]


STAGES = {
    "S0": (S0, attribute_alignment),
    "S1": (S1, content_alignment),
    "S2": (S2, collaboration),
    "S3": (S3, retrieval),
}
