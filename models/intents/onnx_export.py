"""A sentence encoder as ONNX with its tokenizer: what `models.intents.light` runs without torch."""

import json
import os
from contextlib import suppress
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from torch.nn import functional

from graph.errors import ArtefactError
from graph.progress import step
from models.intents.encoder import Encoder
from models.intents.light import DESCRIPTION, GRAPH, TOKENIZER, LightEncoder, encoder_folder
from models.onnx_export import OPSET, plain, quiet

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
ROWS, LENGTH = 2, 7  # of the example; both are dynamic


class _Whole(nn.Module):
    """From tokens to unit vectors: the transformer, and pooling as the model has it."""

    def __init__(self, model: SentenceTransformer, inputs: list[str]) -> None:
        super().__init__()
        self.model, self.inputs = model, inputs

    def forward(self, *tokens: Tensor) -> Tensor:
        found = self.model(dict(zip(self.inputs, tokens, strict=True)))
        return functional.normalize(found["sentence_embedding"], dim=1)


def write_light(encoders: Path, encoder: Encoder) -> Path:
    """Write the encoder's files into its folder below `encoders`, unless they are there and good; gives that folder.

    Raises `ArtefactError` where its tokenizer is not one of the `tokenizers` library, or the disk refuses.
    """
    folder = encoder_folder(encoders, encoder.identity)
    with suppress(ArtefactError):
        LightEncoder.load(encoders, encoder.identity)
        return folder
    model = encoder.model.cpu().eval()
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    if tokenizer is None:
        raise ArtefactError(f"model {encoder.base} has no tokenizer that runs without torch: choose another by --base")
    inputs = [
        name for name in ("input_ids", "attention_mask", "token_type_ids") if name in model.tokenizer.model_input_names
    ]
    description = {
        "identity": encoder.identity,
        "base": encoder.base,
        "longest": model.max_seq_length,
        "inputs": inputs,
        "padding": {
            "pad_id": model.tokenizer.pad_token_id,
            "pad_type_id": model.tokenizer.pad_token_type_id,
            "pad_token": model.tokenizer.pad_token,
        },
    }
    with step(f"Writing the encoder {encoder.identity} for the web server"):
        graph = _graph(model, inputs)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _put(folder / DESCRIPTION, json.dumps(description, indent=1).encode())
            _put(folder / TOKENIZER, tokenizer.to_str().encode())
            _put(folder / GRAPH, graph)
        except OSError as error:
            raise ArtefactError(f"cannot write the encoder to {folder}: {error.strerror or error}") from error
    return folder


def _graph(model: SentenceTransformer, inputs: list[str]) -> bytes:
    tokens = tuple(torch.ones(ROWS, LENGTH, dtype=torch.long) for _ in inputs)
    rows = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with quiet(), torch.no_grad():
        program = torch.export.export(
            _Whole(model, inputs).eval(), tokens, dynamic_shapes=(tuple(rows for _ in inputs),), strict=False
        )
        found = torch.onnx.export(
            program, input_names=inputs, output_names=["unit_vectors"], opset_version=OPSET, verbose=False
        )
    assert found is not None  # noqa: S101  it is None only where it writes a file
    return plain(found.model_proto).SerializeToString()


def _put(file: Path, content: bytes) -> None:
    """Under another name first, so that nobody reads half of it."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    draft.write_bytes(content)
    draft.replace(file)
