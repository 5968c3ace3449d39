"""A word is one word in all its spellings: who may bind which, and what a query has to say to find it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from slotbeam.bindings.store.store import Store
from slotbeam.embedded.server import EmbeddedStore
from slotbeam.language.fold import Folding
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.clients import AppClient
from support.live import binds, make_binding, write

from .conftest import Plane

ITEMS = {"ids": ["i001", "i002"]}

SAME = [
    ("en", "t-shirt", "tshirt", "joined"),
    ("en", "t-shirt", "t shirt", "a space for the hyphen"),
    ("en", "t-shirt", "t-shirts", "a plural"),
    ("en", "tshirt", "T-Shirt", "the hyphen comes later, and capitals"),
    ("en", "résumé", "resume", "without accents"),
    ("en", "creme brulee", "crème brûlée", "with accents"),
    ("en", "dress", "dresses", "a plural in -es"),
    ("en", "berry", "berries", "a plural in -ies"),
    ("en", "running shoe", "running shoes", "a plural of the last word"),
    ("en", "wh-1000xm5", "WH1000XM5", "a model without its hyphen"),
    ("en", "wh-1000xm5", "wh 1000 xm5", "a model with spaces"),
    ("en", "iphone15", "iphone 15", "a number set apart"),
    ("en", "500ml", "500 ml", "a unit set apart"),
    ("en", "ｍｕｇｇｙ", "muggy", "full width"),
    ("de", "jacke", "jacken", "a German plural"),
    ("de", "schuh", "Schuhe", "a German plural and a capital"),
    ("de", "grüße", "grüsse", "ß is ss"),
    ("de", "kopfhörer", "kopfhorer", "no umlaut"),
    ("fr", "café", "cafe", "a French accent"),
    ("fr", "chaussure", "chaussures", "a French plural"),
    ("es", "zapato", "zapatos", "a Spanish plural"),
    ("es", "niño", "ninos", "a plural without its tilde"),
    ("it", "scarpa", "scarpe", "an Italian plural"),
    ("pl", "łóżko", "łozko", "Polish accents but for ł, which is a letter"),
    ("ru", "ёлка", "елка", "ё without its dots"),
    ("ru", "сумка", "сумки", "a Russian plural"),
    ("el", "παπούτσι", "ΠΑΠΟΥΤΣΙΑ", "a Greek plural in capitals"),
    ("tr", "kitap", "kitaplar", "a Turkish plural"),
    ("sv", "stol", "stolar", "a Swedish plural"),
    ("und", "äpfel", "apfel", "accents in a catalog of no language"),
    ("und", "t-shirt", "tshirt", "joined in a catalog of no language"),
    ("en", "cocoa", "сосоа", "looks alike"),
    ("en", "tshirt", "t shirt", "the space comes later"),
    ("en", '5"', "5-inch", "inches"),
    ("en", "500ml", "0.5 l", "another unit of the same size"),
    ("en", "5 kg", "5000 g", "another unit of the same weight"),
    ("de", "größe", "groesse", "oe for ö"),
    ("sv", "sko", "skor", "a plural of a word that ends in a vowel"),
    ("ru", "кроссовки", "кроссовками", "a case"),
]
OTHER = [
    ("en", "dress", "press", "another letter"),
    ("en", "polish", "police", "no ending in common"),
    ("en", "rtx4070", "rtx4080", "another number"),
    ("en", "iphone 15", "iphone 1 5", "another number, written apart"),
    ("en", "wh-1000xm4", "wh-1000xm5", "another model"),
    ("en", "usb", "usb c", "a beginning"),
    ("en", "red mug", "mug red", "another order"),
    ("en", "shirt", "t-shirt", "a part"),
    ("en", "new", "news", "an ending that makes another word"),
    ("en", "jacke", "jacken", "a German plural in an English catalog"),
    ("und", "dress", "dresses", "an English plural in a catalog of no language"),
    ("und", "jacke", "jacken", "a German plural in a catalog of no language"),
    ("de", "winterjacke", "jacke", "a part of a compound"),
    ("de", "hut", "hütte", "another word under its umlaut"),
    ("fr", "poisson", "poison", "another letter"),
    ("es", "pero", "perros", "another letter"),
    ("ru", "дом", "дым", "another letter"),
    ("en", "500ml", "500 mg", "another unit"),
    ("en", "500ml", "50 ml", "another number"),
    ("en", "★", "☆", "another symbol"),
    ("en", "拉布布", "拉布", "a part of a run of CJK"),
    ("el", "μήλο", "μέλι", "another word"),
    ("sv", "glas", "glass", "another word"),
    ("en", "5 m", "5 mm", "another unit"),
    ("en", '1/2"', '2"', "a part of a size"),
    ("en", "running", "runner", "another word of one stem"),
    ("en", "universe", "university", "what a stemmer would take for one"),
    ("en", "business", "busy", "what a stemmer would take for one"),
]
"""(language of the catalog, word that is bound, word that is asked for, why)."""


def body(*words: str, **said: Any) -> dict[str, Any]:
    return {"words": list(words), "category": "brand", "items": ITEMS, **said}


async def bind(admin: httpx.AsyncClient, *words: str, **said: Any) -> httpx.Response:
    return await admin.post("/admin/slots", json=body(*words, **said))


def spoken(shop: Artifact, language: str) -> Artifact:
    return replace(shop, folding=Folding(language))


async def unbind_all(admin: httpx.AsyncClient) -> None:
    for view in (await admin.get("/admin/slots?bound=true")).json()["slots"]:
        assert (await admin.delete(f"/admin/slots/{view['id']}", headers={"if-match": "*"})).status_code == 200


@pytest.mark.parametrize("language", sorted({row[0] for row in SAME}))
async def test_a_spelling_of_a_bound_word_is_taken(plane: Plane, shop: Artifact, language: str) -> None:
    async with plane(artifact=spoken(shop, language)) as admin:
        for held, asked, why in (row[1:] for row in SAME if row[0] == language):
            made = (await bind(admin, held)).json()
            refused = await bind(admin, asked)
            assert refused.status_code == 409, why
            problem = refused.json()
            assert problem["type"].endswith("word-taken"), why
            assert problem["holder"]["binding"] == made["id"], why
            assert made["words"][0] in (problem["holder"].get("word"), problem["word"]), why
            await unbind_all(admin)


@pytest.mark.parametrize("language", sorted({row[0] for row in OTHER}))
async def test_another_word_is_free(plane: Plane, shop: Artifact, language: str) -> None:
    async with plane(artifact=spoken(shop, language)) as admin:
        for held, asked, why in (row[1:] for row in OTHER if row[0] == language):
            assert (await bind(admin, held)).status_code == 201, why
            assert (await bind(admin, asked)).status_code == 201, why
            await unbind_all(admin)


async def test_the_refusal_names_the_spelling_that_is_held_and_the_looks(admin: AppClient) -> None:
    await bind(admin, "t-shirt")
    await bind(admin, "cocoa")
    spelt, looks = (await bind(admin, "tshirt")).json(), (await bind(admin, "сосоа")).json()
    assert '"tshirt" is another spelling of "t-shirt", which is bound on slot 1-4' in spelt["detail"]
    assert spelt["holder"]["word"] == "t-shirt"
    assert '"сосоа" looks like "cocoa", which is bound on slot 1-5' in looks["detail"]


async def test_one_binding_may_hold_many_spellings_of_a_word(admin: AppClient) -> None:
    assert (await bind(admin, "t-shirt", "tshirt", "t shirts")).status_code == 201
    assert (await bind(admin, "tee shirt")).status_code == 201


async def test_a_draft_holds_no_spelling_until_it_is_placed(admin: AppClient) -> None:
    draft = (await bind(admin, "t-shirt", draft=True)).json()
    assert (await bind(admin, "tshirt")).status_code == 201
    tag = {"if-match": draft["etag"]}
    placed = await admin.patch(f"/admin/slots/{draft['id']}", json={"draft": False}, headers=tag)
    assert placed.status_code == 409
    assert placed.json()["holder"]["word"] == "tshirt"


@pytest.mark.parametrize(
    ("first", "second", "status"), [(True, True, 201), (True, False, 409), (False, True, 409), (False, False, 409)]
)
async def test_two_that_ask_for_their_exact_spelling_only_may_hold_two_spellings(
    admin: AppClient, first: bool, second: bool, status: int
) -> None:
    assert (await bind(admin, "resume", exact=first)).status_code == 201
    assert (await bind(admin, "résumé", exact=second)).status_code == status
    assert (await bind(admin, "Résumé" if status == 201 else "ResumE", exact=True)).status_code == 409, "equal by case"


async def test_no_edit_takes_the_spellings_that_another_binding_holds(admin: AppClient) -> None:
    await bind(admin, "resume", exact=True)
    other = (await bind(admin, "résumé", exact=True)).json()
    mug = (await bind(admin, "mug")).json()

    async def patch(one: dict[str, Any], **said: Any) -> int:
        headers = {"if-match": one["etag"]}
        return (await admin.patch(f"/admin/slots/{one['slot']}", json=said, headers=headers)).status_code

    assert await patch(other, exact=False) == 409
    assert await patch(mug, words=["mug", "resumes"]) == 409
    assert await patch(mug, words=["mug", "resumes"], exact=True) == 200


async def test_exact_and_near_misses_exclude_each_other(admin: AppClient) -> None:
    refused = await bind(admin, "labubu", exact=True, near_miss=True)
    assert refused.status_code == 422
    assert "exclude each other" in refused.json()["detail"]
    made = (await bind(admin, "labubu", exact=True)).json()
    tag = {"if-match": made["etag"]}
    assert (await admin.patch("/admin/slots/1-4", json={"near_miss": True}, headers=tag)).status_code == 422
    assert (await admin.patch("/admin/slots/1-4", json={"near_miss": True, "exact": False}, headers=tag)).is_success


async def test_a_file_is_refused_where_two_rows_spell_one_word(admin: AppClient) -> None:
    rows = [{"words": [word], "category": "brand", "items": ["i001"]} for word in ("t-shirt", "mug", "tshirts")]
    refused = await admin.post("/admin/slots:import", json=rows)
    [problem] = [line["problem"] for line in refused.json()["lines"] if line["status"] == "refused"]
    assert problem["detail"] == '"tshirts" is another spelling of "t-shirt", which is in line 1, too; keep one of them'
    await bind(admin, "t-shirt")
    held = (await admin.post("/admin/slots:import", json=rows[1:])).json()
    assert 'is another spelling of "t-shirt", which is bound on slot 1-4' in held["detail"]


async def test_a_match_takes_the_items_of_every_spelling_and_an_exact_one_those_of_its_own(
    admin: AppClient, shop: Artifact
) -> None:
    mugs = sum("mug" in text.split() for text in shop.catalog.texts)
    match = {"items": {"match": True}}
    assert (await bind(admin, "mugs", **match, exact=True)).status_code == 422, "no item says mugs"
    made = (await bind(admin, "mugs", **match)).json()
    assert made["item_count"] == mugs > 0
    tag = {"if-match": made["etag"]}
    exact = await admin.patch(f"/admin/slots/{made['slot']}", json={"exact": True, **match}, headers=tag)
    assert exact.status_code == 422, "a match is of the spellings that the binding asks for then"
    kept = await admin.patch(f"/admin/slots/{made['slot']}", json={"exact": True}, headers=tag)
    assert (kept.status_code, kept.json()["item_count"]) == (200, mugs), "items that are not named stay"


async def test_words_of_an_older_normaliser_are_matched_edited_and_refused_as_they_are_read_today(
    server: EmbeddedStore, plane: Plane, shop: Artifact
) -> None:
    store = Store(server.url)
    await store.initialise()
    old = make_binding("usb\u2013c", "men \u0301s")
    await write(store, shop.codebook_sha, binds(old, Slot(1, 4)))
    async with plane() as admin:
        held = (await admin.get("/admin/slots/1-4")).json()
        assert held["words"] == ["usb\u2013c", "men \u0301s"], "as they are stored"
        assert (await bind(admin, "Men\u2019s")).status_code == (await bind(admin, "usb-c")).status_code == 409
        tag = {"if-match": held["etag"]}
        matched = await admin.patch("/admin/slots/1-4", json={"items": {"match": True}}, headers=tag)
        assert matched.json()["item_count"] == sum("usb c" in text for text in shop.catalog.texts) > 0
        assert matched.json()["words"] == held["words"], "an edit of other fields leaves them"
        tag = {"if-match": matched.json()["etag"]}
        renamed = await admin.patch("/admin/slots/1-4", json={"words": held["words"]}, headers=tag)
        assert renamed.json()["words"] == ["usb-c", "mens"], "an edit that says them stores what is read"
        free = await bind(admin, "usb\u2013c")
        assert free.json()["holder"]["binding"] == held["id"]
    await store.close()
