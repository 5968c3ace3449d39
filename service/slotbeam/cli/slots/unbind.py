"""`slotbeam slots unbind`: a slot is free again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from slotbeam.cli.console import say, show_json
from slotbeam.cli.options import AdminUrl, AsJson, DataDir, Wait, settings_of
from slotbeam.cli.slots.edit import say_propagation
from slotbeam.errors import NotFound

Bound = Annotated[str, typer.Argument(help="A slot such as 1-2049, the id of a binding (b_…), or a bound word.")]


def unbind(
    ctx: typer.Context,
    bound: Bound,
    wait: Wait = True,
    url: AdminUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Free a slot: its word means again what it meant before."""
    from slotbeam.cli.client import admin_client

    with admin_client(settings_of(ctx), url) as client:
        slot = slot_of(client, bound)
        etag = client.call("GET", f"/admin/slots/{slot}").headers["etag"]
        freed = client.call(
            "DELETE", f"/admin/slots/{slot}", params={"wait": "all" if wait else "none"}, headers={"If-Match": etag}
        ).json()
    if as_json:
        show_json(freed)
        return
    say(f"binding {slot} is removed" if slot.startswith("b_") else f"slot {slot} is free")
    say_propagation(freed)


def slot_of(client: Any, slot_or_word: str) -> str:
    """Return a slot or an id as given, or where exactly this word is bound (slot, else id). Raises `NotFound`."""
    from slotbeam.bindings.binding import is_id
    from slotbeam.errors import InputError
    from slotbeam.language.normalize import normalize
    from slotbeam.types import Slot

    if is_id(slot_or_word):
        return slot_or_word
    try:
        return str(Slot.parse(slot_or_word))
    except InputError:
        word = normalize(slot_or_word)
    # What an older version stored may be spelt otherwise: then only the whole list tells.
    for params in ({"q": word}, {}):
        for slot in client.listed("/admin/slots", "slots", params)["slots"]:
            if word in map(normalize, slot.get("words") or ()):
                return str(slot["slot"] or slot["id"])  # a draft, or placed in another codebook, has no slot
    raise NotFound(f'"{word}" is not bound; "slotbeam slots list" shows what is')
