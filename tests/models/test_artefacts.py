"""Models on disk: what was saved comes back, and anything else is refused by name."""

import json
from pathlib import Path

import pytest
import torch

from graph.errors import ArtefactError
from models import artefacts
from models.artefacts import MANIFEST, WEIGHTS, Checkpoint

TENSORS = {"layer.weight": torch.arange(6.0).reshape(2, 3)}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    artefacts.save(tmp_path, TENSORS, {"metrics": {"ndcg@10": 0.5}, "source": {"id": "größe"}})
    return tmp_path


def place(folder: Path) -> Path:
    return folder / (folder / "latest").read_text()


def test_round_trip(saved: Path) -> None:
    found = artefacts.load(saved)
    assert torch.equal(found.tensors["layer.weight"], TENSORS["layer.weight"])
    assert found.manifest["source"] == {"id": "größe"}
    assert found.id.startswith(place(saved).name)
    assert sorted(file.name for file in saved.iterdir()) == sorted([place(saved).name, "latest"])


def test_same_model_twice_is_one_artefact(saved: Path) -> None:
    before = artefacts.load(saved)
    again = artefacts.save(saved, TENSORS, {"metrics": {"ndcg@10": 0.5}, "source": {"id": "größe"}})
    assert again.id == before.id


def test_none_trained(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="twohop train pdn"):
        artefacts.load(tmp_path)
    with pytest.raises(ArtefactError, match="no model 123"):
        artefacts.load(tmp_path, "123")


def test_changed_weights_are_refused(saved: Path) -> None:
    file = place(saved) / WEIGHTS
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(bytes(damaged))
    with pytest.raises(ArtefactError, match=r"damaged: .*weights.safetensors has another checksum"):
        artefacts.load(saved)


def test_missing_weights_are_named(saved: Path) -> None:
    (place(saved) / WEIGHTS).unlink()
    with pytest.raises(ArtefactError, match="is missing"):
        artefacts.load(saved)


@pytest.mark.parametrize("text", ["", "{", "\x00\x01", "[]", '"x"'])
def test_damaged_manifest_is_refused(saved: Path, text: str) -> None:
    (place(saved) / MANIFEST).write_text(text)
    with pytest.raises(ArtefactError, match=r"damaged|foreign"):
        artefacts.load(saved)


def test_changed_manifest_is_refused(saved: Path) -> None:
    file = place(saved) / MANIFEST
    file.write_text(file.read_text().replace("0.5", "0.9"))
    with pytest.raises(ArtefactError, match="was changed"):
        artefacts.load(saved)


def test_foreign_format_is_refused(saved: Path) -> None:
    file = place(saved) / MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": "other/7"}))
    with pytest.raises(ArtefactError, match=r"foreign: its format is 'other/7'"):
        artefacts.load(saved)


def test_a_disk_that_refuses_leaves_the_old_model(saved: Path) -> None:
    before = artefacts.load(saved).id
    (saved / "draft").write_text("in the way")  # a file where the draft folder has to be
    with pytest.raises(ArtefactError, match="cannot write the model"):
        artefacts.save(saved, TENSORS, {"metrics": {}})
    assert artefacts.load(saved).id == before


def test_checkpoint_belongs_to_one_job(tmp_path: Path) -> None:
    mine = Checkpoint(tmp_path, "job-1")
    assert mine.load() is None
    mine.save(TENSORS, {"epoch": 1, "batch": 7})
    tensors, position = mine.load() or ({}, {})
    assert torch.equal(tensors["layer.weight"], TENSORS["layer.weight"])
    assert position == {"epoch": 1, "batch": 7}
    assert Checkpoint(tmp_path, "job-2").load() is None
    mine.file.write_bytes(b"damaged")
    assert mine.load() is None
    mine.clear()
    assert not list(tmp_path.iterdir())
