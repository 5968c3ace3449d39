"""A shop's side of the data plane: search, turn pages, tell what users did, and wait when the service asks for it.

    python examples/search_client.py "labubu drone"

asks the service at SLOTBEAM_DATA_URL, else http://127.0.0.1:8000, for two pages, and clicks and orders one item.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import httpx

from slotbeam.client import Client, ServiceError

if TYPE_CHECKING:
    from slotbeam.api.retrieve.models import RetrieveAnswer

DATA_URL = "http://127.0.0.1:8000"
PAGE = 5


@dataclass(frozen=True)
class Page:
    """One page of an answer; `first` is the rank of its first item, from 0."""

    answer: RetrieveAnswer
    first: int


def pages(shop: Client, query: str, size: int = PAGE, **fields: Any) -> Iterator[Page]:
    """Yield one page after the other; `fields` are further ones of `/retrieve`, such as `filter`, `collapse` or `sort`.

    Each answer says in `next` where the one behind it begins. No item is on two pages, whatever is edited meanwhile.
    """
    first, cursor = 0, "*"
    while True:
        answer = shop.retrieve(query, k=size, cursor=cursor, **fields)
        yield Page(answer, first)
        if answer.next is None:
            return
        first, cursor = first + len(answer.items), answer.next


def report(shop: Client, kind: str, page: Page, place: int) -> None:
    """Tell of a `click` or an `order` on the item at `place` of a page: hit rates are counted from these."""
    item = page.answer.items[place]
    event = {"request_id": page.answer.request_id, "type": kind, "item_id": item.id, "rank": page.first + place}
    shop.report([event])


def show(page: Page) -> None:
    """Print a page; ● marks an item that a binding brought."""
    print(f"page {page.first // PAGE + 1}, bindings at revision {page.answer.bindings.revision}")
    for bound in page.answer.applied_bindings:
        print(f"  bound: {bound.word} → slot {bound.slot}, {bound.items} items")
    for rank, item in enumerate(page.answer.items, page.first + 1):
        mark = "●" if item.source == "binding" else " "
        print(f"  {rank:3} {mark} {item.title} ({item.id})")


def main(query: str) -> None:
    # The time-out is how long a user of the shop waits. Where the service is busy the client waits as it is asked to.
    with Client(os.environ.get("SLOTBEAM_DATA_URL", DATA_URL), timeout_s=5) as shop:
        try:
            shown = list(islice(pages(shop, query), 2))
            for page in shown:
                show(page)
            if shown[0].answer.items:  # a real shop does this when the user does it
                report(shop, "click", shown[0], 0)
                report(shop, "order", shown[0], 0)
                print(f"reported a click and an order on {shown[0].answer.items[0].id}")
        except ServiceError as refused:  # what was given, what is allowed, what to do
            raise SystemExit(str(refused)) from None
        except httpx.TransportError as error:
            raise SystemExit(f"{shop.url} does not answer: {error}; run make serve, or set SLOTBEAM_DATA_URL") from None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} QUERY")
    main(sys.argv[1])
