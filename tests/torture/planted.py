"""A small history that is true, for the tests that plant untruths in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from torture.answers import DEAR
from torture.digests import active_of, items_of, state_of, sum_of
from torture.edits import ACKNOWLEDGED, REFUSED, BindingEdit, ItemEdit
from torture.history import History
from torture.items import Operation, record_of
from torture.ledger import BINDINGS, Entry, Held
from torture.ledger import ITEMS as STOCK

BOOK = "c0de"
ITEMS = ("i001", "i002")
BASE: dict[str, dict[str, Any]] = {item_id: {"id": item_id, "title": "red mug"} for item_id in (*ITEMS, "i003", "i050")}
LAMP: dict[str, Any] = {"title": "lamp", "fields": {"price": 1001.0, "department": "s-1"}}
PATCH: dict[str, Any] = {"fields": {"price": 1002.0, "department": "s-2"}}
OPERATIONS = {
    "s-1": (Operation("put", "new", LAMP),),
    "s-2": (Operation("patch", "new", PATCH), Operation("delete", "i003"), Operation("delete", "none")),
    "s-3": (Operation("delete", "new"),),
}
RECORDS = {
    1: record_of("new", {**LAMP, "id": "new"}, 1),
    2: record_of("new", {**LAMP, **PATCH, "id": "new"}, 2),
    3: record_of("i003", None, 3),
    4: record_of("new", None, 4),
}
NAMES = {1: "new", 2: "new", 3: "i003", 4: "new"}


def record(word: str, revision: int, items: tuple[str, ...] = ITEMS, **fields: Any) -> str:
    given = {"words": [word], "items": items_of(items), "draft": False, "starts_at": None, "ends_at": None}
    return json.dumps({**given, "revision": revision, **fields})


def entry(revision: int, records: dict[str, str], key: str, change: dict[str, Any], epoch: str = "e1") -> Entry:
    return Entry(revision, "bind", epoch, state_of(records), key, (change,))


def true_history() -> History:
    """Two words are bound, one of them is updated; an item is put, patched while another is deleted, and deleted."""
    history = History(BOOK, {"tiny"}, BASE)
    zorb, fraxo, other = record("zorb", 1), record("fraxo", 2), record("zorb", 3, ("i050", "new"))
    worlds = [{}, {"b_z": zorb}, {"b_z": zorb, "b_f": fraxo}, {"b_z": other, "b_f": fraxo}]
    slots = {"b_z": "1-4", "b_f": "0-7"}
    for revision, (binding, word) in enumerate([("b_z", "zorb"), ("b_f", "fraxo"), ("b_z", "zorb")], 1):
        items = ("i050", "new") if revision == 3 else ITEMS
        text = worlds[revision][binding]
        change = {"id": binding, "slot": slots[binding], "before": worlds[revision - 1].get(binding), "after": text}
        history.remember(BINDINGS, [entry(revision, worlds[revision], f"k{revision}", change)], None)
        history.edits[f"k{revision}"] = BindingEdit(
            key=f"k{revision}",
            op="bind",
            words=(word,),
            items=items,
            binding=binding,
            outcome=ACKNOWLEDGED,
            number=revision,
            numbers=(revision,),
            slot=slots[binding],
        )
    history.edits["k9"] = BindingEdit(key="k9", op="bind", words=("snarv",), items=ITEMS, outcome=REFUSED)
    history.edits["k8"] = BindingEdit(key="k8", op="bind", words=("snarv",), items=ITEMS, doubtful=1)
    placed, words = {"1-4": "b_z", "0-7": "b_f"}, {"zorb": "b_z", "fraxo": "b_f"}
    history.remember(BINDINGS, [], Held("e1", 3, state_of(worlds[3]), worlds[3], placed, words))
    add_items(history)
    for revision, seq, dear in ((1, 0, False), (2, 1, False), (3, 3, False), (3, 3, True), (3, 4, False)):
        document = shown(revision, seq, worlds[revision], slots, dear)
        history.answered("serve#1", history.floor("serve#1"), asked(dear), 200, document)
    return history


def asked(dear: bool = False) -> dict[str, Any]:
    return {"query": "zorb mug", **({"filter": {}} if dear else {})}


def add_items(history: History) -> None:
    records: dict[str, str] = {}
    for seq, key in ((1, "s-1"), (2, "s-2"), (3, "s-2"), (4, "s-3")):
        records[NAMES[seq]] = RECORDS[seq]
        change = {"id": NAMES[seq], "after": RECORDS[seq], "slot": None}
        history.remember(STOCK, [Entry(seq, "item", "f1", sum_of(records), key, (change,))], None)
    history.remember(STOCK, [], Held("f1", 4, sum_of(records), records))
    for key, numbers, told in (
        ("s-1", (1,), ("created",)),
        ("s-2", (2, 3), ("updated", "deleted", "refused")),
        ("s-3", (4,), ("deleted",)),
    ):
        edit = ItemEdit(key=key, operations=OPERATIONS[key], outcome=ACKNOWLEDGED, numbers=numbers, told=told)
        history.edits[key] = replace(edit, number=numbers[-1])
    nothing = (Operation("delete", "none"),)
    history.edits["s-9"] = ItemEdit(key="s-9", operations=nothing, outcome=ACKNOWLEDGED, number=4, told=("refused",))


def shown(
    revision: int, seq: int, records: dict[str, str], slots: dict[str, str], dear: bool = False
) -> dict[str, Any]:
    """An answer to `zorb mug`; `dear`: with a filter that no item of this seq passes but the new one."""
    active = active_of(BOOK, {key: slots[key] for key in records})
    lamp = {1: LAMP, 2: {**LAMP, **PATCH}, 3: {**LAMP, **PATCH}}.get(seq)
    brought: list[dict[str, Any]] = [
        {**BASE[item_id], "source": "binding"} for item_id in (("i050",) if revision == 3 else ITEMS)
    ]
    if lamp and revision == 3:
        brought.append({**lamp, "id": "new", "source": "binding"})
    items = [*brought, *({**BASE[item_id], "source": "model"} for item_id in BASE if seq < 3 and item_id == "i003")]
    return {
        "bindings": {"state": "live", "epoch": "e1", "revision": revision, "active": active},
        "catalog": {"index": "tiny", "state": "live", "seq": seq},
        "applied_bindings": [{"id": "b_z", "slot": "1-4", "word": "zorb"}],
        "items": [item for item in items if not dear or item.get("fields", {}).get("price", 0) >= DEAR],
    }
