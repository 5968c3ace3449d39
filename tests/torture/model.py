"""What the control plane must do with bindings, as plain dictionaries: a second implementation, for tests.

Written from docs/bindings.md and docs/http.md; it imports nothing of slotbeam. A `Model` takes the same requests as
the control plane and predicts every answer (`Expected`), the bytes of every record, and both digests. What only the
server can choose, a new binding's id and the moment it was made, it is told afterwards (`Model.made`).

Left out: `items.match`, which depends on the catalog's texts, and the freeing of slots after `ends_at`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .records import Record, Refused, active_of, canonical_words, check_window, item_list, meanings, parsed, state_of
from .tables import Tables

__all__ = ["UNNAMED", "Expected", "Model", "Refused", "active_of", "state_of"]

UNNAMED = "b_?"
"""The id of a new binding until the server has said which it chose."""
DEFAULTS: Mapping[str, Any] = {
    "slot": None,
    "placement": "top",
    "near_miss": False,
    "draft": False,
    "starts_at": None,
    "ends_at": None,
    "owner": "",
    "reason": "",
}


@dataclass(frozen=True)
class Expected:
    """What a request must be answered with.

    Attributes:
        status: of the answer.
        problem: what the problem's type ends in; empty for a success.
        revision: that a write made, or, of a dry run or a refusal, the one that stays.
        slot: that the binding holds, or that its removal freed.
        id: of the binding.
        etag: of the binding; empty when it was removed, and for a dry run.
        replayed: whether an earlier answer is given again.
    """

    status: int
    problem: str = ""
    revision: int = 0
    slot: str | None = None
    id: str = ""
    etag: str = ""
    replayed: bool = False


class Model(Tables):
    """The control plane over these tables, which it alone edits."""

    keys: dict[str, tuple[str, Expected]]  # idempotency key → request, answer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = {}

    # ---------------------------------------------------------------- requests

    def bind(self, body: Mapping[str, Any], *, key: str | None = None, dry_run: bool = False) -> Expected:
        """`POST /admin/slots`."""

        def edit() -> Expected:
            body_ = {**DEFAULTS, **body}
            slot = None if body_["slot"] is None else parsed(body_["slot"])
            position, record, targets = self._wanted(body_)
            if slot is not None:
                self.check_slot(slot, position)
            check_window(record, record["ends_at"])
            if not record["draft"]:
                self.refuse_twins(record["words"], None)
                slot = slot or self.first_free(position)
                if slot in self.slots:
                    raise Refused(409, "slot-taken")
            return self._put(201, UNNAMED, record, targets, None if record["draft"] else slot, dry_run)

        return self._answer(("POST", "", {**DEFAULTS, **body}), edit, key, dry_run)

    def replace(
        self,
        address: str,
        body: Mapping[str, Any],
        *,
        if_match: str | None,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Expected:
        """`PUT /admin/slots/{address}`."""

        def edit() -> Expected:
            _, record, targets = self._wanted({**DEFAULTS, **body})
            found = self._find(address, if_match)
            return self._update(found, {**self.bindings[found], **record}, targets, dry_run)

        if body.get("slot") not in (None, address):
            return self._refusal(Refused(422, "invalid-input"))
        return self._answer(("PUT", address, {**DEFAULTS, **body}), edit, key, dry_run)

    def patch(
        self,
        address: str,
        body: Mapping[str, Any],
        *,
        if_match: str | None,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Expected:
        """`PATCH /admin/slots/{address}`: null stands for "leave it", but of a time, where it stands for none."""

        def edit() -> Expected:
            found = self._find(address)
            given = {name: value for name, value in body.items() if value is not None or name.endswith("_at")}
            record, targets = dict(self.bindings[found]), self.targets[found]
            if "words" in given:
                given["words"] = canonical_words(given["words"])
            if "items" in given:
                targets = self.known_items(given.pop("items")["ids"])
                record |= item_list(targets)
            if given.get("category", record["category"]) not in self.positions:
                raise Refused(422, "invalid-input")
            self._find(address, if_match)
            return self._update(found, {**record, **meanings(given)}, targets, dry_run)

        return self._answer(("PATCH", address, dict(body)), edit, key, dry_run)

    def unbind(self, address: str, *, if_match: str | None, key: str | None = None, dry_run: bool = False) -> Expected:
        """`DELETE /admin/slots/{address}`."""

        def edit() -> Expected:
            found = self._find(address, if_match)
            slot = self.placed.get(found)
            if not dry_run:
                self.revision += 1
                self.bindings.pop(found)
                self.targets.pop(found)
                self.placed.pop(found, None)
            return Expected(200, revision=self.revision, slot=slot, id=found)

        return self._answer(("DELETE", address, {}), edit, key, dry_run)

    def read(self, address: str) -> Expected:
        """`GET /admin/slots/{address}`; of a free slot the id and the etag are empty."""
        try:
            found = self._find(address)
            return Expected(
                200,
                revision=self.bindings[found]["revision"],
                slot=self.placed.get(found),
                id=found,
                etag=self.etag(found),
            )
        except Refused as refused:
            if refused.status == 404 and not address.startswith("b_"):
                return Expected(200, revision=self.revision, slot=parsed(address))
            return self._refusal(refused)

    def made(self, name: str, created_at: int) -> None:
        """The server called the newest binding `name` and made it at `created_at`, unix ms."""
        if UNNAMED in self.bindings:
            self.bindings[name], self.targets[name] = self.bindings.pop(UNNAMED), self.targets.pop(UNNAMED)
        if UNNAMED in self.placed:
            self.placed[name] = self.placed.pop(UNNAMED)
        self.bindings[name] |= {"id": name, "created_at": created_at}
        for key, (request, answer) in self.keys.items():
            if answer.id == UNNAMED:
                self.keys[key] = request, replace(answer, id=name, etag=self.etag(name))

    # ---------------------------------------------------------------- inside

    def _answer(self, request: Any, edit: Callable[[], Expected], key: str | None, dry_run: bool) -> Expected:
        same = json.dumps(request, sort_keys=True)
        if key in self.keys and not dry_run:
            earlier, answer = self.keys[str(key)]
            return (
                replace(answer, replayed=True)
                if earlier == same
                else self._refusal(Refused(409, "idempotency-key-reused"))
            )
        try:
            answer = edit()
        except Refused as refused:
            return self._refusal(refused)
        if key is not None and not dry_run:
            self.keys[key] = same, answer
        return replace(answer, status=200, etag="") if dry_run else answer

    def _refusal(self, refused: Refused) -> Expected:
        return Expected(refused.status, refused.problem, self.revision)

    def _wanted(self, body: Mapping[str, Any]) -> tuple[int, Record, tuple[str, ...]]:
        """The position, the record and the items that a whole body describes."""
        if body["category"] not in self.positions:
            raise Refused(422, "invalid-input")
        record = {name: value for name, value in body.items() if name not in ("items", "slot")}
        record["words"] = canonical_words(body["words"])
        targets = self.known_items(body["items"]["ids"])
        return self.positions[body["category"]], {**meanings(record), **item_list(targets)}, targets

    def _find(self, address: str, *if_match: str | None) -> str:
        """The id of the binding at an address; with `if_match`, of one that the caller has read."""
        found = address
        if not address.startswith("b_"):
            self.check_slot(parsed(address))
            found = self.slots.get(parsed(address), "")
        if found not in self.bindings:
            raise Refused(404, "not-found")
        if if_match == (None,):
            raise Refused(428, "precondition-required")
        if if_match and not {"*", self.etag(found)} & {tag.strip() for tag in str(if_match[0]).split(",")}:
            raise Refused(412, "stale-revision")
        return found

    def _update(self, key: str, record: Record, targets: tuple[str, ...], dry_run: bool) -> Expected:
        check_window(record, record["ends_at"] if record["ends_at"] != self.bindings[key]["ends_at"] else None)
        slot, position = self.placed.get(key), self.positions[record["category"]]
        if slot is not None and int(slot.partition("-")[0]) != position:
            raise Refused(422, "invalid-binding")
        if record["draft"]:
            return self._put(200, key, record, targets, None, dry_run)
        self.refuse_twins(record["words"], key)
        return self._put(200, key, record, targets, slot or self.first_free(position), dry_run)

    def _put(
        self, status: int, key: str, record: Record, targets: tuple[str, ...], slot: str | None, dry_run: bool
    ) -> Expected:
        if dry_run:
            return Expected(status, revision=self.revision, slot=slot, id=key)
        self.revision += 1
        old = {"id": key, "created_at": 0, "match": False}
        self.bindings[key] = {**old, **record, "revision": self.revision}
        self.targets[key] = targets
        self.placed.pop(key, None)
        if slot is not None:
            self.placed[key] = slot
        return Expected(status, revision=self.revision, slot=slot, id=key, etag=self.etag(key))
