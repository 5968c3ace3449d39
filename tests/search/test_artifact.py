import json
import shutil

import numpy as np
import pytest

from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.decode.beam import beam_search
from slotbeam.errors import ArtifactError
from slotbeam.search.artifact import Artifact, read_manifest, save_manifest, verify
from slotbeam.search.pipeline import retrieve
from slotbeam.search.request import SearchRequest
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot, Timings


@pytest.fixture(scope="module")
def artifact(tiny_artifact):
    return Artifact.load(tiny_artifact)


@pytest.fixture
def copy(tiny_artifact, tmp_path):
    return shutil.copytree(tiny_artifact, tmp_path / "copy")


def files_of(directory):
    return sorted(read_manifest(directory)["files"])


def test_one_flipped_bit_in_any_file_is_told_with_the_name_of_the_file(copy):
    manifest = read_manifest(copy)
    for name in files_of(copy):
        path = copy / name
        before = path.read_bytes()
        spot = len(before) // 2
        path.write_bytes(before[:spot] + bytes([before[spot] ^ 1]) + before[spot + 1 :])
        with pytest.raises(ArtifactError, match=rf"{name} has sha256 .*manifest.json says"):
            verify(copy, manifest)
        if name.startswith("model/"):  # these are hashed whenever they are loaded
            with pytest.raises(ArtifactError, match=rf"{name} has sha256 .*manifest.json says"):
                Artifact.load(copy)
        path.write_bytes(before)
    verify(copy, manifest)


def test_a_file_of_another_size_is_refused_without_reading_it(copy):
    for name in files_of(copy):
        path = copy / name
        before = path.read_bytes()
        path.write_bytes(before + b"x")
        with pytest.raises(
            ArtifactError, match=rf"{name} has {len(before) + 1} bytes, manifest.json says {len(before)}"
        ):
            Artifact.load(copy)
        path.write_bytes(before)
    Artifact.load(copy)


def test_a_missing_file_is_named(copy):
    (copy / "index" / "trie" / "rows.npy").unlink()
    with pytest.raises(ArtifactError, match=r"index/trie/rows.npy is missing"):
        Artifact.load(copy)


def test_a_file_outside_the_artifact_is_refused(copy, tmp_path):
    outside = tmp_path / "outside.npy"
    shutil.move(copy / "index" / "trie" / "rows.npy", outside)
    (copy / "index" / "trie" / "rows.npy").symlink_to(outside)
    with pytest.raises(ArtifactError, match=r"index/trie/rows.npy is missing"):
        Artifact.load(copy)


def test_another_format_is_refused_with_the_one_that_is_read(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(ArtifactError, match="has format 2; this version of slotbeam reads format 4: train it again"):
        Artifact.load(copy)


@pytest.mark.parametrize("body", ["", "[]", "{", "null"])
def test_a_manifest_that_is_none_is_refused(copy, body):
    (copy / "manifest.json").write_text(body)
    with pytest.raises(ArtifactError, match=r"manifest.json (cannot be read|has format)"):
        Artifact.load(copy)


def test_a_directory_without_a_manifest_says_how_to_make_an_artifact(tmp_path):
    with pytest.raises(ArtifactError, match="slotbeam train"):
        Artifact.load(tmp_path)


def test_no_file_of_an_artifact_is_a_pickle_or_refers_to_data_outside(tiny_artifact):
    for name in files_of(tiny_artifact):
        if name.endswith((".npy", ".npz")):
            np.load(tiny_artifact / name, allow_pickle=False)
        assert b"external_data" not in (tiny_artifact / name).read_bytes()


def test_a_beam_as_wide_as_the_trie_equals_scoring_every_sid_with_the_shipped_graphs(artifact):
    encoded = artifact.kae.encode(artifact.catalog.texts[0].split("\n")[0])
    [memory] = artifact.model.encode([artifact.inputs.build(encoded.text, encoded.sid)])
    beams = beam_search(artifact.model, memory, artifact.trie, artifact.trie.n_leaves)
    got = {
        tuple(sid): logp
        for sid, logp in zip(
            artifact.trie.sids(beams.states - artifact.trie.levels[-2]).tolist(), beams.logp, strict=True
        )
    }
    leaves = artifact.trie.sids(np.arange(artifact.trie.n_leaves))
    assert set(got) == {tuple(leaf) for leaf in leaves.tolist()}
    for leaf in leaves[:: max(1, len(leaves) // 10)].tolist():  # one SID at a time: nothing shares its batch
        state, total = None, 0.0
        parent = codes = np.empty(0, np.int64)
        for position, code in enumerate(leaf):
            logp, state = artifact.model.step(memory, position, state, parent, codes)
            total += float(logp[0, code])
            parent, codes = np.zeros(1, np.int64), np.array([code])
        assert got[tuple(leaf)] == pytest.approx(total, abs=1e-4)


def test_the_base_answer_is_the_same_to_the_last_bit_whatever_is_bound(artifact):
    title = artifact.catalog.titles[3]
    slot = Slot(1, artifact.kae.codebook.reserved(1)[0])
    ids = tuple(artifact.catalog.ids[row] for row in range(5))
    overlay = build_overlay(artifact, [Bound("b", slot, ("zorblax",), ids)])
    request = SearchRequest(f"zorblax {title}", k=500)
    before = retrieve(Snapshot(artifact), request, Timings()).hits
    after = retrieve(Snapshot(artifact, overlay), request, Timings()).hits
    assert [hit.row for hit in after[:5] if hit.source == "binding"] == [hit.row for hit in after[:5]]
    rest = [hit for hit in before if hit.row >= 5]
    assert [hit for hit in after if hit.source == "model"] == rest


def test_every_sid_returned_is_in_the_tries_and_every_item_in_the_tables(artifact):
    hits = retrieve(Snapshot(artifact), SearchRequest(artifact.catalog.titles[7], k=50), Timings()).hits
    leaves = {tuple(sid) for sid in artifact.trie.sids(np.arange(artifact.trie.n_leaves)).tolist()}
    assert hits
    for hit in hits:
        assert hit.sid in leaves
        assert artifact.catalog.sid(hit.row) == hit.sid


def test_an_index_says_up_to_which_edit_it_holds_the_items(copy):
    plain = Artifact.load(copy).watermark
    assert plain == ("", 0)
    assert not plain.covers("e1", 0)
    told(copy, {"epoch": "e1", "seq": 7})
    watermark = Artifact.load(copy).watermark
    assert [watermark.covers(*place) for place in (("e1", 7), ("e1", 8), ("e2", 1))] == [True, False, False]


@pytest.mark.parametrize(
    "kept", [{}, {"epoch": "", "seq": 1}, {"epoch": "e", "seq": -1}, {"epoch": "e", "seq": True}, []]
)
def test_a_watermark_that_is_none_is_refused(copy, kept):
    told(copy, kept)
    with pytest.raises(ArtifactError, match=r"index.watermark is .*allowed: an epoch and a seq"):
        Artifact.load(copy)


def told(directory, watermark):
    manifest = read_manifest(directory)
    save_manifest(directory, {**manifest, "index": {**manifest["index"], "watermark": watermark}})
