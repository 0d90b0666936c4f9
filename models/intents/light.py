"""Texts to vectors by a sentence encoder without torch: ONNX Runtime and the encoder's own tokenizer.

`models.intents.onnx_export` makes the files, in one folder an encoder. The vectors equal those of
`models.intents.encoder`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import quote

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from graph.errors import ArtefactError
from models.serving import open_graph

GRAPH, TOKENIZER, DESCRIPTION = "encoder.onnx", "tokenizer.json", "encoder.json"
AT_ONCE = 32  # texts in one pass
ADVICE = "run twohop intents link where the encoder is"


def encoder_folder(encoders: Path, identity: str) -> Path:
    """Where the files of an encoder are. A name may hold slashes; a folder's name does not."""
    return encoders / quote(identity, safe="")


class LightEncoder:
    """One encoder. Safe for threads.

    Attributes:
        identity: as `models.intents.encoder.Encoder` has it.
    """

    def __init__(
        self, identity: str, graph: onnxruntime.InferenceSession, tokenizer: Tokenizer, inputs: Sequence[str]
    ) -> None:
        self.identity, self._graph, self._tokenizer, self._inputs = identity, graph, tokenizer, inputs

    @classmethod
    def load(cls, encoders: Path, identity: str) -> Self:
        """Raises `ArtefactError` where its files are not there, damaged, or of another encoder."""
        folder = encoder_folder(encoders, identity)
        try:
            told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            graph = open_graph((folder / GRAPH).read_bytes())
            found, longest, padding, inputs = (told[name] for name in ("identity", "longest", "padding", "inputs"))
        except FileNotFoundError as error:
            raise ArtefactError(f"encoder {identity} is not at hand ({error.filename}): {ADVICE}") from None
        except Exception as error:  # the tokenizer and the runtime raise classes of their own
            said = " ".join(str(error).split())[:200]
            raise ArtefactError(f"encoder {identity} in {folder} is damaged ({said}): {ADVICE}") from None
        if found != identity:
            raise ArtefactError(f"{folder} holds encoder {found}, not {identity}: {ADVICE}")
        tokenizer.enable_truncation(longest)
        tokenizer.enable_padding(**padding)
        return cls(identity, graph, tokenizer, inputs)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[N, d] of unit length."""
        parts = [self._encode(texts[start : start + AT_ONCE]) for start in range(0, len(texts), AT_ONCE)]
        return np.concatenate(parts) if parts else self._encode([""])[:0]

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer.encode_batch(list(texts))
        known = {
            "input_ids": [one.ids for one in tokens],
            "attention_mask": [one.attention_mask for one in tokens],
            "token_type_ids": [one.type_ids for one in tokens],
        }
        [vectors] = self._graph.run(None, {name: np.array(known[name], dtype=np.int64) for name in self._inputs})
        return np.asarray(vectors, dtype=np.float32)
