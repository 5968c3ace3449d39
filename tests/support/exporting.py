"""Files of bindings as `slotbeam slots export` writes them, without a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slotbeam.api.admin.views import told_of
from slotbeam.bindings.binding import Binding, encode_items
from slotbeam.bindings.times import iso


def write_export(path: Path, *bindings: tuple[dict[str, Any], list[str], str | None], now_ms: int = 0) -> Path:
    """Write bindings, each as (fields of it, its items, its slot), as an export of `now_ms` has them."""
    rows = []
    for number, (fields, items, slot) in enumerate(bindings):
        held = {
            "id": f"b_{number + 2}222222222",
            "words": (),
            "category": "",
            "items": encode_items(items)[0],
            **fields,
        }
        binding = Binding(**held, item_count=len(items), revision=number + 1)
        told = {**told_of(binding), "id": binding.id, "revision": binding.revision}
        rows.append(told | {"slot": slot, "state": binding.lifecycle(now_ms), "items": items, "created_at": iso(0)})
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path
