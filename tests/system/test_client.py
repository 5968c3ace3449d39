"""openapi-python-client makes from each document a client that is whole, type-checks, and gets typed answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.processes import HANG_S, Up

PROGRAM = """\
import sys
from datetime import datetime

from control_client import AuthenticatedClient
from control_client.api.default import (
    audit_admin_audit_get as audit,
    delete_slot_admin_slots_slot_delete as unbind,
    get_slot_admin_slots_slot_get as get_slot,
    import_slots_admin_slots_import_post as load,
    list_slots_admin_slots_get as list_slots,
    post_slot_admin_slots_post as bind,
    replicas_admin_replicas_get as replicas,
)
from control_client.models import (
    AuditPage,
    BindForm,
    BindFormCategory,
    BindingCommitted,
    BindingDetail,
    BindingRecord,
    BindingRemoved,
    DryRun,
    FreeSlot,
    ImportCommitted,
    ItemsForm,
    PostSlotAdminSlotsPostWait,
    Problem,
    ReplicaList,
    RowForm,
    RowFormCategoryType0,
    SignedSlot,
    SlotList,
)
from data_client import Client
from data_client.api.default import (
    info_info_get as info,
    retrieve_batch_retrieve_batch_post as retrieve_batch,
    retrieve_one_retrieve_post as retrieve,
    take_events_events_post as report,
)
from data_client.models import (
    BatchAnswer,
    BatchBody,
    Event,
    EventsAccepted,
    EventsBody,
    EventType,
    ItemFilter,
    PlaneInfo,
    RetrieveAnswer,
    RetrieveBody,
    SortBy,
)


def edit(admin: AuthenticatedClient) -> None:
    form = BindForm(words=["labubu"], category=BindFormCategory.BRAND, items=ItemsForm(ids=["i003"]))
    would = bind.sync(client=admin, body=form, dry_run=True)
    assert isinstance(would, DryRun), would
    counted: int = would.traffic.sampled
    assert counted >= 0
    done = bind.sync(client=admin, body=form, wait=PostSlotAdminSlotsPostWait.ALL)
    assert isinstance(done, BindingCommitted), done
    made: datetime = done.created_at
    assert made.tzinfo is not None
    assert [replica.applied for replica in done.propagation.replicas] == [True, True]
    one = get_slot.sync(done.id, client=admin)
    assert isinstance(one, BindingDetail), one
    assert (one.item_ids, one.changed_at) == (["i003"], made)
    every = list_slots.sync(client=admin)
    assert isinstance(every, SlotList), every
    assert [view.words for view in every.slots if isinstance(view, SignedSlot)] == [["labubu"]]
    assert any(isinstance(view, FreeSlot) for view in every.slots)
    known = replicas.sync(client=admin)
    assert isinstance(known, ReplicaList), known
    assert {replica.revision for replica in known.replicas} == {done.revision}
    again = bind.sync(client=admin, body=form)
    assert isinstance(again, Problem), again
    assert again.status == 409


def search(shop: Client) -> None:
    facts = info.sync(client=shop)
    assert isinstance(facts, PlaneInfo), facts
    answer = retrieve.sync(client=shop, body=RetrieveBody(query="labubu", explain=True))
    assert isinstance(answer, RetrieveAnswer), answer
    first, score = answer.items[0].id, answer.items[0].score + 0.5
    assert (first, type(score)) == ("i003", float)
    wanted = ItemFilter(not_=ItemFilter.from_dict({"department": "toys"}))
    homely = RetrieveBody(query="mug", filter_=wanted, fields=["department"], facets=["price"], sort=[SortBy("price")])
    sorted_ = retrieve.sync(client=shop, body=homely)
    assert isinstance(sorted_, RetrieveAnswer), sorted_
    assert {item.fields["department"] for item in sorted_.items if item.fields} == {"home"}
    page = retrieve.sync(client=shop, body=RetrieveBody(query="mug", k=5, cursor="*"))
    assert isinstance(page, RetrieveAnswer), page
    assert isinstance(page.next_, str)
    further = retrieve.sync(client=shop, body=RetrieveBody(query="mug", k=5, cursor=page.next_))
    assert isinstance(further, RetrieveAnswer), further
    assert (further.changed, len({item.id for item in page.items + further.items})) == (False, 10)
    batch = retrieve_batch.sync(client=shop, body=BatchBody(queries=[RetrieveBody(query="mug")]))
    assert isinstance(batch, BatchAnswer), batch
    event = Event(request_id=answer.request_id, type_=EventType.CLICK, item_id=first, rank=0)
    taken = report.sync(client=shop, body=EventsBody(events=[event]))
    assert isinstance(taken, EventsAccepted), taken
    assert taken.accepted == 1


def clear(admin: AuthenticatedClient) -> None:
    row = RowForm(words=["lafufu"], category=RowFormCategoryType0.BRAND, items=["i004"])
    loaded = load.sync(client=admin, body=[row])
    assert isinstance(loaded, ImportCommitted), loaded
    assert (loaded.rows, loaded.created) == (1, 1)
    every = list_slots.sync(client=admin)
    assert isinstance(every, SlotList), every
    for view in every.slots:
        if isinstance(view, SignedSlot):
            gone = unbind.sync(view.id, client=admin, if_match=view.etag)
            assert isinstance(gone, BindingRemoved), gone
    page = audit.sync(client=admin)
    assert isinstance(page, AuditPage), page
    before = page.entries[0].changes[0].before
    assert isinstance(before, BindingRecord), before
    assert before.words in (["labubu"], ["lafufu"])


data, control, token = sys.argv[1:]
with AuthenticatedClient(control, token) as admin, Client(data) as shop:
    edit(admin)
    search(shop)
    clear(admin)
"""


@dataclass(frozen=True)
class Made:
    """What the generator made of a document, and said."""

    document: dict[str, Any]
    package: Path
    said: str


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("up"), tiny_artifact, log_level="error") as running:
        yield running


@pytest.fixture(scope="module")
def clients(client_generator: str, up: Up, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Plane → the client made from its live document; the packages are beside each other."""
    directory = tmp_path_factory.mktemp("clients")
    (directory / "config.yml").write_text("post_hooks: []\n")
    found = {}
    for plane, url in (("data", up.record["data"]), ("control", up.record["admin"])):
        document = httpx.get(f"{url}/openapi.json", timeout=HANG_S, verify=False).json()
        (directory / f"{plane}.json").write_text(json.dumps(document))
        argv = [client_generator, "generate", "--path", f"{plane}.json", "--output-path", f"{plane}_client"]
        argv += ["--meta", "none", "--config", "config.yml"]
        done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=HANG_S)
        assert done.returncode == 0, done.stdout + done.stderr
        found[plane] = Made(document, directory / f"{plane}_client", done.stdout + done.stderr)
    return found


@pytest.mark.parametrize(
    ("plane", "left_out", "kind"),
    [("data", "POST /events", "text/plain"), ("control", "POST /admin/slots:import", "text/csv")],
)
def test_a_generated_client_leaves_out_no_operation_and_only_forms_that_are_no_json(
    clients: dict[str, Made], plane: str, left_out: str, kind: str
) -> None:
    made = clients[plane]
    sources = "\n".join(path.read_text() for path in (made.package / "api").rglob("*.py"))
    found = set(re.findall(r'"method": "(\w+)",\s+"url": "([^"]+)"', sources))
    assert found == {(method, path) for path, every in made.document["paths"].items() for method in every}
    assert re.findall(r"WARNING parsing (.*?) within", made.said) == [left_out]
    assert re.findall("Unsupported.*", made.said) == [f"Unsupported content type {kind}"]


@pytest.mark.timeout(400)
def test_a_program_over_the_generated_clients_type_checks_and_gets_typed_answers(
    clients: dict[str, Made], up: Up
) -> None:
    directory = clients["data"].package.parent
    (directory / "program.py").write_text(PROGRAM)
    checked = type_check(directory)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    argv = [sys.executable, "program.py", str(up.record["data"]), str(up.record["admin"]), up.token]
    ran = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=HANG_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (directory / "program.py").write_text(PROGRAM.replace("answer.items[0].id", "answer.items[0].sku"))
    refused = type_check(directory)
    assert '"RankedItem" has no attribute "sku"' in refused.stdout, refused.stdout + refused.stderr


def type_check(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run mypy, as strict as it can be, over the program and both clients."""
    variables = {**os.environ, "MYPYPATH": str(directory), "MYPY_CACHE_DIR": str(directory / "cache")}
    argv = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "program.py", "data_client", "control_client"]
    return subprocess.run(argv, cwd=directory, env=variables, capture_output=True, text=True, timeout=3 * HANG_S)
