"""What the writers of `torture.load` edit: one kind binds words, the other edits items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from torture.answers import DEAR
from torture.edits import ANY, BindingEdit, ItemEdit, RuleEdit
from torture.items import WROTE, Operation
from torture.ledger import BINDINGS, ITEMS
from torture.load import BASE, Writer
from torture.planes import HANG_S

CATEGORIES = ("brand", "entity", "color")
METHODS = {"put": "PUT", "patch": "PATCH", "delete": "DELETE"}


class BindingWriter(Writer[BindingEdit]):
    """Binds, updates and unbinds words of its own, and does the same with rules.

    Args:
        words: that no other writer uses.
        ruled: words of its rules, which no other writer uses either.
        items: ids of the index that nobody deletes.
        others: ids of items that may be there or not.
    """

    kind = BINDINGS

    def __init__(
        self,
        *args: Any,
        words: Sequence[str],
        items: Sequence[str],
        others: Sequence[str] = (),
        ruled: Sequence[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.words, self.items, self.others, self.ruled = list(words), list(items), list(others), list(ruled)
        self.bound: dict[str, tuple[str, str]] = {}
        self._word_of: dict[str, str] = {}

    def next_edit(self, key: str) -> BindingEdit:
        word = self.random.choice(self.words + self.ruled)
        if word in self.ruled:
            fields = {"words": [word], "owner": self.name}
            edit: BindingEdit = RuleEdit(key=key, op="bind", words=(word,), fields=fields)
        else:
            edit = BindingEdit(key=key, op="bind", words=(word,), fields=self._said(word))
        if word in self.bound:
            edit.op = self.random.choice(("update", "unbind"))
            edit.binding, edit.fields = self.bound[word][0], {}
        if edit.op == "unbind":
            edit.words = ()
        elif isinstance(edit, RuleEdit):
            chosen = self.random.sample([*self.items, *self.others], self.random.randint(2, 8))
            edit.hide, edit.positions = tuple(chosen[::2]), tuple(chosen[1::2])
        else:
            chosen = self.random.sample(self.items, self.random.randint(1, 4))
            chosen += self.random.sample(self.others, min(len(self.others), self.random.randint(0, 3)))
            edit.items = tuple(sorted(chosen))
        self._word_of[key] = word
        return edit

    async def bind(self, word: str, **fields: Any) -> BindingEdit:
        """Bind a word that no writer edits; `fields` go into the body."""
        edit = BindingEdit(
            key=f"{self.name}-{word}",
            op="bind",
            words=(word,),
            items=tuple(self.items[:2]),
            fields=self._said(word) | fields,
        )
        self._word_of[edit.key] = word
        async with httpx.AsyncClient(verify=False, timeout=HANG_S) as client:
            await self.send(client, edit)
        return edit

    def _said(self, word: str) -> dict[str, Any]:
        return {"words": [word], "category": CATEGORIES[sum(map(ord, word)) % 3], "owner": self.name}

    def request(self, edit: BindingEdit) -> tuple[str, str, Mapping[str, Any] | None, dict[str, str]]:
        body: dict[str, Any] = {"items": {"ids": list(edit.items)}, **edit.fields}
        if isinstance(edit, RuleEdit):
            said = {"hide": list(edit.hide), "positions": list(edit.positions), "metadata": {"mark": edit.key}}
            body = {**edit.fields, **said}
        if edit.op == "bind":
            return "POST", _where(edit), body, {}
        headers = {"If-Match": self.bound[self._word_of[edit.key]][1]}
        if edit.op == "unbind":
            return "DELETE", f"{_where(edit)}/{edit.binding}", None, headers
        return "PATCH", f"{_where(edit)}/{edit.binding}", body, headers

    def done(self, edit: BindingEdit, document: Mapping[str, Any], headers: httpx.Headers) -> None:
        edit.number = document["revision"]
        edit.numbers = (edit.number,)
        edit.slot = document.get("slot", ANY)  # a replay whose log entry is trimmed says no more than its revision
        word = self._word_of.pop(edit.key)
        if edit.op == "unbind":
            self.bound.pop(word, None)
        else:
            edit.binding = document.get("id", edit.binding)
            self.bound[word] = (edit.binding, headers.get("etag", "*"))

    async def look_again(self, client: httpx.AsyncClient, edit: BindingEdit) -> None:
        word = self._word_of.pop(edit.key)
        if edit.op == "bind":
            return
        answer = await self.read(client, f"{_where(edit)}/{edit.binding}")
        if answer is not None and answer.status_code == 404:
            del self.bound[word]
        elif answer is not None and answer.status_code == 200:
            self.bound[word] = (edit.binding, answer.headers["etag"])


class ItemWriter(Writer[ItemEdit]):
    """Puts, patches and deletes items of its own, one by one and in batches.

    Args:
        ids: of items that no other writer edits.
        there: those of them that the index holds.
    """

    kind = ITEMS

    def __init__(self, *args: Any, ids: Sequence[str], there: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.ids = list(ids)
        self.etags = dict.fromkeys(there, "*")
        self._count = 0

    def next_edit(self, key: str) -> ItemEdit:
        count = 1 if self.random.random() < 0.7 else self.random.randint(2, 8)
        edit = ItemEdit(key=key, operations=tuple(self._operation(f"{key}/{number}") for number in range(count)))
        if count == 1 and self.random.random() < 0.5:
            edit.if_match = self.etags.get(edit.operations[0].id)
        return edit

    def _operation(self, mark: str) -> Operation:
        """One that can be done, mostly; what it writes is never what is there."""
        item_id = self.random.choice(self.ids)
        usual = ("put", "patch", "patch", "delete") if item_id in self.etags else ("put",)
        verb = self.random.choice(usual if self.random.random() < 0.95 else tuple(METHODS))
        if verb == "delete":
            return Operation(verb, item_id)
        self._count += 1
        both: dict[str, Any] = {"fields": {"price": DEAR + self._count, "department": mark}}
        whole = {"title": f"{self.random.choice(BASE)} of {mark}", "description": mark, "popularity": self._count % 20}
        if verb == "put":
            return Operation(verb, item_id, whole | both)
        some = {name: value for name, value in whole.items() if self.random.random() < 0.3}
        return Operation(verb, item_id, some | both)

    def request(self, edit: ItemEdit) -> tuple[str, str, Mapping[str, Any] | None, dict[str, str]]:
        if len(edit.operations) > 1:
            return "POST", "/admin/items:batch", {"operations": list(map(_said, edit.operations))}, {}
        [one] = edit.operations
        headers = {} if edit.if_match is None else {"If-Match": edit.if_match}
        return METHODS[one.verb], f"/admin/items/{quote(one.id, safe='')}", one.row, headers

    def done(self, edit: ItemEdit, document: Mapping[str, Any], headers: httpx.Headers) -> None:
        told = document.get("results", [document])
        edit.number, edit.told = document["seq"], tuple(one["did"] for one in told)
        edit.numbers = tuple(one["edit_seq"] for one in told if one["did"] in WROTE)
        for operation, one in zip(edit.operations, told, strict=True):
            if one["did"] == "deleted":
                self.etags.pop(operation.id, None)
            elif one["did"] in WROTE:
                self.etags[operation.id] = one["etag"] or "*"

    async def look_again(self, client: httpx.AsyncClient, edit: ItemEdit) -> None:
        for operation in edit.operations:
            answer = await self.read(client, f"/admin/items/{quote(operation.id, safe='')}")
            if answer is not None and answer.status_code == 404:
                self.etags.pop(operation.id, None)
            elif answer is not None and answer.status_code == 200:
                self.etags[operation.id] = answer.headers["etag"]


def _where(edit: BindingEdit) -> str:
    return "/admin/rules" if isinstance(edit, RuleEdit) else "/admin/slots"


def _said(operation: Operation) -> dict[str, Any]:
    row = {} if operation.row is None else {"item": operation.row}
    return {"op": operation.verb, "id": operation.id, **row}
