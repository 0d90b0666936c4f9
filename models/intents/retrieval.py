"""From a text to the categories it takes: straight by meaning, and over two hops by way of intents that are like it.

score = cosine(text, category) + `share` · Σ over the `near` nearest intents of p(intent | text) · NEEDS.score,
p = softmax of the cosines / `temperature`. The first part knows every category; the second what people said that such
intents need. `cypher/intent_categories.cypher` computes the same from the graph.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.intents.encoder import Floats

NEAR, SHARE, TEMPERATURE = 20, 0.5, 0.05


@dataclass(frozen=True)
class Retrieval:
    """`near` 0 leaves the second part out."""

    near: int = NEAR
    share: float = SHARE
    temperature: float = TEMPERATURE

    def scores(self, texts: Floats, nodes: Floats, intents: Floats, needs: csr_matrix) -> NDArray[np.float32]:
        """[T, N] of T texts [T, d] and N categories [N, d]; intents [I, d], needs [I, N]."""
        direct = texts @ nodes.T
        if not self.near or not len(intents):
            return direct
        cosines = texts @ intents.T
        near = min(self.near, cosines.shape[1])
        chosen = np.argpartition(-cosines, near - 1, axis=1)[:, :near]
        best = np.take_along_axis(cosines, chosen, axis=1)
        chance = np.exp((best - best.max(axis=1, keepdims=True)) / self.temperature)
        chance /= chance.sum(axis=1, keepdims=True)
        rows = np.repeat(np.arange(len(texts)), near)
        hop = csr_matrix((chance.ravel(), (rows, chosen.ravel())), shape=cosines.shape) @ needs
        return direct + self.share * np.asarray(hop.todense(), dtype=np.float32)
