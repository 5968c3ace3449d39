"""The beam search finds what a plain one finds; and what a process that serves holds."""

from __future__ import annotations

import pytest

from slotbeam_lab.measures.run import Asked

pytest.importorskip("torch")

from slotbeam.search.artifact import Artifact
from slotbeam_lab.scale.agreement import agreement, children_of, input_row, plain_beams
from slotbeam_lab.scale.footprint import footprint, index_bytes
from slotbeam_train.export.artifact import read_parameters, restore
from slotbeam_train.policy.model import ModelOptions, Policy
from support.tiny import MAX_TOKENS, write_tiny_artifact

QUERIES = [Asked("red mug"), Asked("acme lamp", ("rug",), ("i003",))]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return Artifact.load(write_tiny_artifact(tmp_path_factory.mktemp("tiny") / "artifact"))


def policy_of(artifact: Artifact) -> Policy:
    shape = ModelOptions(width=16, encoder_layers=1, heads=2, feedforward=2, max_tokens=MAX_TOKENS)
    policy = Policy(shape, artifact.inputs.layout)
    restore(policy, read_parameters(artifact.directory / "model", shape.heads))
    return policy.eval()


@pytest.mark.parametrize("width", [1, 5, 1000])
def test_the_beam_search_finds_the_sids_of_a_plain_one_and_none_outside_the_catalog(tiny: Artifact, width: int) -> None:
    facts = agreement(tiny, policy_of(tiny), QUERIES, width)
    assert (facts["top_1"], facts["top_350"], facts["outside"]) == ([1, 1], [1.0, 1.0], 0)
    assert facts["nats"] < 1e-4
    assert facts["sids"] == 2 * min(width, tiny.trie.n_leaves)


def test_the_plain_search_is_exhaustive_when_it_is_wide_enough(tiny: Artifact) -> None:
    beams = plain_beams(policy_of(tiny), input_row(tiny, QUERIES[0]), children_of(tiny.catalog.sids), 1000)
    assert sorted(sid for sid, _ in beams) == sorted({tuple(sid) for sid in tiny.catalog.sids.tolist()})
    assert [logp for _, logp in beams] == sorted((logp for _, logp in beams), reverse=True)


def test_what_a_serving_process_holds_is_told_by_itself_and_has_no_pytorch_in_it(tiny: Artifact) -> None:
    facts = footprint(tiny.directory, QUERIES)
    assert 10 < facts["anonymous_mb"] < 200
    assert facts["mapped_mb"] > 1
    assert facts["ready_s"] > 0
    everything = sum(path.stat().st_size for path in tiny.directory.rglob("*.npy"))
    assert 0 < index_bytes(tiny.manifest) < everything
