"""Models on disk: safetensors with a manifest, written under another name and renamed; never a pickle."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from graph.errors import ArtefactError

FORMAT = "twohop-pdn/1"
WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"


@dataclass(frozen=True)
class Artefact:
    """One trained model: tensors by name, and a manifest that says what they are.

    Attributes:
        id: sha256 over manifest and weights; the folder carries its first 12 digits.
        tensors: as `Module.state_dict()` gives them.
        manifest: options, features, data, metrics.
    """

    id: str
    tensors: dict[str, torch.Tensor]
    manifest: dict[str, Any]


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _identity(manifest: Path) -> str:
    return _sha256(manifest)  # the manifest holds the checksum of the weights


def save(folder: Path, tensors: dict[str, torch.Tensor], manifest: dict[str, Any], format: str = FORMAT) -> Artefact:
    """Write an artefact into `folder` and make it the latest; `format` names its kind and version.

    Raises `ArtefactError` when the disk refuses.
    """
    draft = folder / "draft"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, draft / WEIGHTS)
        manifest = manifest | {"format": format, "weights_sha256": _sha256(draft / WEIGHTS)}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        identity = _identity(draft / MANIFEST)
        final = folder / identity[:12]
        if final.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(final)
        latest = folder / "latest.tmp"
        latest.write_text(identity[:12], encoding="utf-8")
        latest.replace(folder / "latest")
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise ArtefactError(
            f"cannot write the model to {folder}: {error.strerror or error}; nothing was kept"
        ) from error
    return Artefact(identity, tensors, manifest)


def load(folder: Path, name: str | None = None, format: str = FORMAT, command: str = "twohop train pdn") -> Artefact:
    """Read an artefact of this `format` by name, or the latest one; `command` makes one.

    Raises `ArtefactError` that names what is wrong with it.
    """
    if name is None:
        latest = folder / "latest"
        if not latest.exists():
            raise ArtefactError(f"no trained model in {folder}: run `{command}` first")
        name = latest.read_text(encoding="utf-8").strip()
    place = folder / name
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtefactError(f"no model {name} in {folder}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(
            f"model {name} is damaged: {place / MANIFEST} is no JSON ({error}); train it again"
        ) from None
    if not isinstance(manifest, dict) or manifest.get("format") != format:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise ArtefactError(f"model {name} is foreign: its format is {found!r}, this version reads {format!r}")
    identity = _identity(place / MANIFEST)
    if not identity.startswith(name):
        raise ArtefactError(f"model {name} is damaged: {place / MANIFEST} was changed; train it again")
    try:
        if _sha256(place / WEIGHTS) != manifest["weights_sha256"]:
            raise ArtefactError(f"model {name} is damaged: {place / WEIGHTS} has another checksum; train it again")
        tensors = load_file(place / WEIGHTS)
    except FileNotFoundError:
        raise ArtefactError(f"model {name} is damaged: {place / WEIGHTS} is missing; train it again") from None
    except SafetensorError as error:
        raise ArtefactError(f"model {name} is damaged: {place / WEIGHTS}: {error}; train it again") from None
    return Artefact(identity, tensors, manifest)


@contextmanager
def of_this_version(artefact: Artefact) -> Iterator[None]:
    """Raises `ArtefactError` where the block finds options or tensors in an artefact that this version has not."""
    try:
        yield
    except (TypeError, RuntimeError) as error:
        raise ArtefactError(
            f"model {artefact.id[:12]} is of another version of Twohop ({str(error).splitlines()[-1].strip()}): "
            "train it again, or name another one"
        ) from None


class Checkpoint:
    """Where an interrupted training goes on: tensors and a position, for one exact job (its fingerprint)."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.file, self.fingerprint = folder / "checkpoint.safetensors", fingerprint

    def save(self, tensors: dict[str, torch.Tensor], position: dict[str, int | float]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".tmp")
        metadata = {"fingerprint": self.fingerprint, "position": json.dumps(position)}
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, draft, metadata)
        draft.replace(self.file)

    def load(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """The saved state; None where there is none, or it belongs to another job or is damaged."""
        if not self.file.exists():
            return None
        try:
            with safe_open(self.file, framework="pt") as opened:
                metadata = opened.metadata() or {}
                if metadata.get("fingerprint") != self.fingerprint:
                    return None
                return {name: opened.get_tensor(name) for name in opened.keys()}, json.loads(metadata["position"])  # noqa: SIM118
        except SafetensorError:
            return None

    def clear(self) -> None:
        self.file.unlink(missing_ok=True)
