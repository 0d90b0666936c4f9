"""The encoder without torch gives the same vectors, and says what is wrong with its files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from graph.errors import ArtefactError
from models.intents.encoder import Encoder
from models.intents.light import DESCRIPTION, GRAPH, TOKENIZER, LightEncoder, encoder_folder
from models.intents.onnx_export import write_light

TEXTS = [
    "prepare for a grill party",
    "",
    "Käse & Brötchen; 日本",
    "one very long text about diapers and bottles " * 60,
    *(f"thing {number}" for number in range(40)),
]


@pytest.fixture(scope="module")
def written(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    encoders = tmp_path_factory.mktemp("encoders")
    write_light(encoders, encoder)
    return encoders


@pytest.fixture
def folder(written: Path, encoder: Encoder, tmp_path: Path) -> Path:
    """A copy of the files that may be broken."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path / encoder.identity


def test_vectors_are_those_of_torch(written: Path, encoder: Encoder) -> None:
    light = LightEncoder.load(written, encoder.identity)
    found = light.encode(TEXTS)
    np.testing.assert_allclose(found, encoder.encode(TEXTS), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert light.encode([]).shape == (0, found.shape[1])


def test_files_are_written_once_and_whole(written: Path, encoder: Encoder) -> None:
    folder = encoder_folder(written, encoder.identity)
    before = (folder / GRAPH).stat().st_mtime_ns
    assert write_light(written, encoder) == folder
    assert (folder / GRAPH).stat().st_mtime_ns == before
    assert sorted(file.name for file in folder.iterdir()) == sorted([GRAPH, TOKENIZER, DESCRIPTION])


def test_a_name_with_slashes_stays_inside_the_folder() -> None:
    assert encoder_folder(Path("home"), "../team/model").parent == Path("home")


def test_an_encoder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"encoder abc is not at hand .*: run twohop intents link"):
        LightEncoder.load(tmp_path, "abc")


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER, DESCRIPTION])
def test_a_damaged_file(folder: Path, encoder: Encoder, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:50])
    with pytest.raises(ArtefactError, match=r"is damaged \(.*\): run twohop intents link") as raised:
        LightEncoder.load(folder.parent, encoder.identity)
    assert "\n" not in str(raised.value)


def test_damaged_files_are_written_anew(folder: Path, encoder: Encoder) -> None:
    (folder / GRAPH).write_bytes(b"")
    write_light(folder.parent, encoder)
    assert LightEncoder.load(folder.parent, encoder.identity).encode(["a"]).shape == encoder.encode(["a"]).shape


def test_files_of_another_encoder(folder: Path, encoder: Encoder) -> None:
    told = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(told | {"identity": "other"}))
    with pytest.raises(ArtefactError, match=f"holds encoder other, not {encoder.identity}"):
        LightEncoder.load(folder.parent, encoder.identity)
