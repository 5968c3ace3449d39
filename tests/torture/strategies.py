"""Requests worth making: few words, slots and items, so that they meet; some wrong in each way that can be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st


def days(count: int) -> str:
    """A moment so many days from now."""
    return (datetime.now(UTC) + timedelta(days=count)).replace(microsecond=0).isoformat()


FRESH = ["zorb", "quill", "mango", "pixel", "tundra", "velvet", "harbor", "nimbus", "kestrel", "玩具", "ñandú"]
WORDS = [
    *("labubu", "ＬＡＢＵＢＵ", " Labubu", "crocs", "cro\u200bcs", "Crocs  Plush", "拉布布", "red", "stanley"),
    *("coco", "сосо", "koko", "κοκο"),  # the second of each pair is written in another alphabet
    *FRESH,
]
SOON, LATER, PAST, TOO_FAR = days(300), days(600), days(-1), days(3650)

words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2)
bad_words = st.sampled_from([["lаbubu"], ["!!"], ["\u200b"], ["x" * 65], ["crocs", "?"]])
item_ids = st.sampled_from(["i003", "i004", "i005", "i050", "i119", "nowhere", "é"])
items = st.builds(lambda ids: {"ids": ids}, st.lists(item_ids, min_size=1, max_size=4))
categories = st.sampled_from(["brand"] * 6 + ["entity", "color", "fruit"])
slots = st.sampled_from(["1-4", "1-5", "1-6", "1-7", "1-05", "0-6", "2-4", "1-3", "1-8", "9-1", "1-"])
windows = st.sampled_from(
    [
        *[{}] * 6,
        {"starts_at": SOON, "ends_at": None},
        {"starts_at": None, "ends_at": LATER},
        {"starts_at": SOON, "ends_at": LATER},
        {"starts_at": LATER, "ends_at": SOON},
        {"starts_at": None, "ends_at": PAST},
        {"starts_at": TOO_FAR, "ends_at": None},
    ]
)

_said = {
    "placement": st.sampled_from(["top", "blend", "only"]),
    "near_miss": st.booleans(),
    "owner": st.sampled_from(["toys", " ann  b "]),
    "reason": st.sampled_from(["", 'viral, "everyone" asks']),
}
_good = {"words": words, "category": st.sampled_from(["brand"] * 6 + ["entity", "color"]), "items": items}
_any = {"words": words | words | words | bad_words, "category": categories, "items": items}


def _with_window(body: dict[str, Any], window: dict[str, Any]) -> dict[str, Any]:
    return {**body, **window}


good_bodies = st.fixed_dictionaries(_good, optional={**_said, "draft": st.booleans()})
"""Of a POST or a PUT; refused only when its words are taken or its slots are full."""
bodies = good_bodies | st.builds(
    _with_window, st.fixed_dictionaries(_any, optional={**_said, "draft": st.booleans(), "slot": slots}), windows
)
"""Of a POST or a PUT."""
good_changes = st.fixed_dictionaries({}, optional={"words": words, "items": items, **_said})
changes = good_changes | st.builds(
    _with_window,
    st.fixed_dictionaries({}, optional={**_any, **_said, "draft": st.sampled_from([False, False, True, None])}),
    windows,
)
"""Of a PATCH."""
addresses = slots | st.sampled_from(["b_aaaaaaaaaa", "b_!", "slot", "1-٣", "0001-4", "1-" + "9" * 30])
"""Of nothing in particular."""
tags = st.sampled_from(["right"] * 6 + ["stale", "missing", "any", "list"])
dry = st.sampled_from([False] * 4 + [True])
numbers = st.integers(0, 99)
queries = st.lists(st.sampled_from([*WORDS, "mug", "acme", "unheard"]), min_size=1, max_size=4).map(" ".join)
