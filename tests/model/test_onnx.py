from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from slotbeam.errors import ArtifactError
from slotbeam.model.onnx import OnnxModel
from slotbeam.model.protocol import SequenceModel
from slotbeam.model.tokenizer import QUERY
from slotbeam.types import FloatArray, IntArray
from slotbeam_train.export.artifact import export_model, round_to_half
from slotbeam_train.policy.model import Policy
from support.training import SIZES, make_inputs, make_policy

ROW = np.array([1, 40, 41, 60, 70, 3, 33, 34], np.int64)


@pytest.fixture(scope="module")
def policy() -> Policy:
    model = make_policy()
    round_to_half(model)
    return model


@pytest.fixture(scope="module", params=[True, False], ids=["half", "float"])
def exported(request: pytest.FixtureRequest, policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    directory = tmp_path_factory.mktemp("model")
    export_model(policy, make_inputs(), directory, half=request.param)
    return OnnxModel(directory, SIZES)


def random_sids(n: int, seed: int = 0) -> IntArray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(size, size=n) for size in SIZES], axis=1)


def walk(model: SequenceModel, row: IntArray, sids: IntArray) -> list[FloatArray]:
    """Log-probabilities (n, V_l) at every position of n prefixes that share nothing."""
    memory, state = model.encode([row])[0], None
    steps = [model.step(memory, 0, None, np.empty(0, np.int64), np.empty(0, np.int64))]
    logp = [np.repeat(steps[0][0], len(sids), axis=0)]
    parent, state = np.zeros(len(sids), np.int64), steps[0][1]
    for position in range(1, len(SIZES)):
        step, state = model.step(memory, position, state, parent, sids[:, position - 1])
        logp.append(step)
        parent = np.arange(len(sids))
    return logp


@pytest.mark.parametrize("named", [(), (3, 0, 11, 4), (6, 29, 0, 1)], ids=["none", "three", "three more"])
def test_onnx_and_torch_agree_on_log_probabilities(exported: OnnxModel, policy: Policy, named: tuple[int, ...]) -> None:
    row = np.array(make_inputs().compose(QUERY, make_inputs().sid_ids(named) if named else [], [40, 41]), np.int64)
    sids = random_sids(17)
    with torch.no_grad():
        double = make_policy().double()
        double.load_state_dict({name: value.double() for name, value in policy.state_dict().items()})
        ids = torch.from_numpy(row)[None]
        memory, mask = double.encode(ids)
        words = double.named(ids).expand(len(sids), -1)
        logits = double.decode_sids(memory.expand(len(sids), -1, -1), mask, torch.from_numpy(sids), words)
    for ours, theirs in zip(walk(exported, row, sids), logits, strict=True):
        assert np.abs(ours - torch.log_softmax(theirs, -1).numpy()).max() < 1e-4
        assert np.allclose(np.exp(ours).sum(axis=1), 1, atol=1e-5)


def test_the_slots_before_the_text_are_named_and_no_others(exported: OnnxModel, policy: Policy) -> None:
    """History brings slots of items seen: those are not what the query names."""
    inputs = make_inputs()
    for sid in [(3, 0, 11, 4), (0, 0, 0, 0), (6, 29, 1, 0)]:
        row = inputs.compose(QUERY, inputs.sid_ids(sid), [40, 41], [[42]], [inputs.sid_ids((5, 7, 2, 3))])
        assert exported.encode([np.array(row, np.int64)])[0][3].tolist() == list(sid)
        assert policy.named(torch.tensor([row]))[0].tolist() == list(sid)


def test_a_slot_that_the_row_names_is_likelier_by_what_the_decoder_says(policy: Policy) -> None:
    """The oracle raises one logit by hand."""
    ids = torch.tensor([make_inputs().compose(QUERY, make_inputs().sid_ids((3, 0, 11, 0)), [40])])
    sids = torch.tensor([[3, 2, 11, 1]])
    with torch.no_grad():
        memory, mask = policy.encode(ids)
        bare = policy.decode_sids(memory, mask, sids, torch.zeros(1, 4, dtype=torch.long))
        passing = policy.decode_sids(memory, mask, sids, policy.named(ids))
    for position, code in enumerate((3, 0, 11, 0)):
        moved = (passing[position] - bare[position])[0]
        assert (moved != 0).nonzero().flatten().tolist() == ([code] if code else [])


def test_onnx_and_torch_agree_on_the_query_vector(exported: OnnxModel, policy: Policy) -> None:
    with torch.no_grad():
        memory, _ = policy.encode(torch.from_numpy(ROW)[None])
        expected = policy.query_vectors(memory)[0].numpy()
    found = exported.query_vector(exported.encode([ROW])[0])
    assert found.shape == (policy.options.vector,)
    assert np.abs(found - expected).max() < 1e-4
    assert np.linalg.norm(found) == pytest.approx(float(policy.vector_scale.detach().exp()), rel=1e-4)


def test_a_beam_follows_its_parent(exported: OnnxModel) -> None:
    """Reordering and repeating beams by `parent` gives what decoding each prefix alone gives."""
    memory = exported.encode([ROW])[0]
    none = np.empty(0, np.int64)
    _, first = exported.step(memory, 0, None, none, none)
    _, second = exported.step(memory, 1, first, np.zeros(3, np.int64), np.array([4, 1, 6]))
    shuffled, _ = exported.step(memory, 2, second, np.array([2, 0, 0, 1]), np.array([9, 8, 7, 29]))
    for beam, (one, two) in enumerate([(6, 9), (4, 8), (4, 7), (1, 29)]):
        alone = walk(exported, ROW, np.array([[one, two, 0, 0]]))[2][0]
        assert np.abs(shuffled[beam] - alone).max() < 1e-5


def test_a_rows_scores_do_not_depend_on_what_shares_its_batch(exported: OnnxModel) -> None:
    """But by rounding: a kernel may add in another order for another number of rows."""
    sids = random_sids(64)
    together = walk(exported, ROW, sids)
    for n, m in pairwise([0, 1, 2, 5, 17, 64]):
        part = walk(exported, ROW, sids[n:m])
        assert all(np.abs(a[n:m] - b).max() < 1e-5 for a, b in zip(together, part, strict=True))


def test_a_memory_does_not_depend_on_the_other_rows(exported: OnnxModel) -> None:
    other = np.array([1, 2, 3, 33], np.int64)
    alone = exported.encode([ROW])[0]
    among = exported.encode([other, ROW, other])[1]
    assert all(np.array_equal(a, b) for a, b in zip(alone, among, strict=True))


def test_a_missing_and_a_damaged_graph_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"encoder\.onnx is missing"):
        OnnxModel(tmp_path, SIZES)
    (tmp_path / "encoder.onnx").write_bytes(b"not a graph")
    with pytest.raises(ArtifactError, match=r"encoder\.onnx is not a graph"):
        OnnxModel(tmp_path, SIZES)


def test_graphs_of_another_codebook_are_refused(policy: Policy, tmp_path: Path) -> None:
    export_model(policy, make_inputs(), tmp_path)
    with pytest.raises(ArtifactError, match=r"was made for sizes 7,30,12,5, the codebook has 7,30,12,6"):
        OnnxModel(tmp_path, (7, 30, 12, 6))
