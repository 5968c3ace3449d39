"""A binding is spelt once: what has its fields has all of them, in the order that files and answers have had."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from pydantic import BaseModel

from slotbeam.api.admin.forms import BindForm, PatchForm, PatchRuleForm, RowForm, RuleForm, said
from slotbeam.api.admin.models.audit import BindingRecord
from slotbeam.api.admin.models.files import ExportedBinding
from slotbeam.api.admin.models.rules import RuleView
from slotbeam.api.admin.models.slots import BoundSlot
from slotbeam.api.admin.rows import COLUMNS, MEMBERS
from slotbeam.api.admin.views import rule_view, slot_view
from slotbeam.bindings.binding import Binding
from slotbeam.bindings.edits.wanted import Wanted, record_of, wanted_of
from slotbeam.bindings.replica.overlay import Bound
from slotbeam.bindings.spec import FIELDS, LATER, RULE_TOLD, RULES_ONLY, SLOT_TOLD, SLOTS_ONLY, TOLD
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.live import NOW, make_binding, make_rule

EVERY = set(FIELDS)
OTHER: dict[str, Any] = {
    "words": ("other",),
    "category": "color",
    "placement": "only",
    "near_miss": True,
    "match": True,
}
OTHER |= {"draft": True, "starts_at": NOW, "ends_at": NOW + 1, "owner": "toys", "reason": "because", "exact": True}
OTHER |= {
    "trigger": "whole",
    "unless": ("sale",),
    "when": '{"on_sale":true}',
    "positions": ("i003",),
    "hide": ("i004",),
}
OTHER |= {"boost": '[{"test":{"brand":"zenvia"},"weight":1.5}]', "bury": '[{"test":{"price":{"gt":9}},"weight":2.0}]'}
OTHER |= {"filter": '{"color":"red"}', "replace": "red shoes", "metadata": '{"banner":"Sale"}', "alias": "shoes"}


def test_a_record_has_every_field_but_those_that_came_later() -> None:
    binding = make_binding("crocs")
    assert set(json.loads(binding.record())) == EVERY - set(LATER) | {
        "id",
        "items",
        "item_count",
        "created_at",
        "revision",
    }
    assert {field.name for field in fields(Wanted)} == EVERY | {"items", "slot"}


@pytest.mark.parametrize(
    ("form", "lacks"),
    [
        (RowForm, ()),
        (BindForm, (*RULES_ONLY, "match")),
        (PatchForm, (*RULES_ONLY, "match")),
        (RuleForm, SLOTS_ONLY),
        (PatchRuleForm, SLOTS_ONLY),
    ],
)
def test_a_body_says_every_field(form: type[BaseModel], lacks: tuple[str, ...]) -> None:
    assert set(form.model_fields) & EVERY == EVERY - set(lacks)


@pytest.mark.parametrize("name", FIELDS)
def test_an_edit_keeps_every_field_that_it_does_not_name(name: str) -> None:
    """Each field with a value that is not its default goes there and back."""
    plain = make_rule("crocs", alias="shoes") if name in RULES_ONLY else make_binding("crocs", revision=0)
    other: dict[str, Any] = {**OTHER, "two_way": True, "alias": "boots"}
    before = replace(plain, **{name: other[name]})
    assert getattr(before, name) != getattr(plain, name)
    assert record_of(wanted_of(before), before.id, before.created_at) == before
    assert Binding.from_record(before.record()) == before


def test_what_a_body_says_is_what_a_binding_gets() -> None:
    body = {"words": ["Ｃrocs"], "category": "brand", "items": [], "match": True, "near_miss": True, "owner": " a  b "}
    form = RowForm.model_validate({**body, "draft": None, "starts_at": None, "ends_at": "2029-12-31"})
    times = {"starts_at": None, "ends_at": 1_893_456_000_000}
    assert said(form) == {
        "words": ("crocs",),
        "category": "brand",
        "near_miss": True,
        "match": True,
        "owner": "a b",
        **times,
    }
    assert said(PatchForm.model_validate({"owner": None, "ends_at": None})) == {"ends_at": None}


def test_the_document_says_every_field_of_an_answer() -> None:
    for model, told in ((BoundSlot, SLOT_TOLD), (RuleView, RULE_TOLD), (ExportedBinding, TOLD)):
        assert set(model.model_fields) & EVERY == set(told)
    assert set(BindingRecord.model_fields) == {field.name for field in fields(Binding)}


def test_views_and_files_tell_every_field_in_the_order_that_they_have_had(shop: Artifact) -> None:
    assert list(slot_view(shop, Slot(1, 4), make_binding("crocs"), NOW)) == [
        *("slot", "position", "group", "state", "id", "words", "category", "item_count", "match", "placement"),
        *("near_miss", "starts_at", "ends_at", "owner", "reason", "exact", "trigger", "unless", "when", "positions"),
        *("hide", "boost", "bury", "metadata", "created_at", "revision", "etag"),
    ]
    assert list(rule_view(make_rule("crocs", hide=("i001",)), NOW)) == [
        *("id", "state", "actions", "words", "starts_at", "ends_at", "owner", "reason", "trigger", "unless", "when"),
        *("positions", "hide", "boost", "bury", "filter", "replace", "metadata", "alias", "two_way"),
        *("created_at", "revision", "etag"),
    ]
    assert (
        *("id", "slot", "state", "words", "category", "items", "match", "placement", "near_miss", "draft"),
        *("starts_at", "ends_at", "owner", "reason", "exact", "trigger", "unless", "when", "positions", "hide"),
        *("boost", "bury", "filter", "replace", "metadata", "alias", "two_way", "created_at", "revision"),
    ) == COLUMNS
    assert set(MEMBERS) == set(TOLD) | {"id", "items", "slot", "state", "created_at", "revision"}
    assert set(TOLD) == EVERY - {"draft"}


def test_what_is_compiled_has_the_fields_of_the_binding() -> None:
    binding = make_binding("crocs", placement="blend", near_miss=True)
    bound = Bound.of(binding, Slot(1, 4), ("i001",))
    assert bound == Bound(binding.id, Slot(1, 4), ("crocs",), ("i001",), "blend", near_miss=True)
