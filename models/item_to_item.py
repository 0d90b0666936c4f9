"""Item to item (second half of table 2 of the PDN paper): retrieval by a user's items alone, whoever the user is.

    score_ui = Σ_j sim(j, i)   over all items j that u had, all alike

The models of `models.baselines.neighbours` score so already. SimNet gives sim(j, i) = e^s_ji, what a `SIMILAR` edge
carries; models with vectors of items give their inner product.
"""

from collections.abc import Sequence

from scipy import sparse

from models.baselines.histories import user_item
from models.engines import matrix_engine
from models.evaluation import Engine
from models.interactions import Floats, Interactions


def item_engine(
    events: Interactions, similarity: sparse.csr_array, users: Sequence[str], items: Sequence[str]
) -> Engine:
    """Ranks by a matrix `similarity` [N, N] with a row for each j. `users` and `items` name all U and N by number."""
    history = user_item(events)
    return matrix_engine(lambda rows: (history[rows] @ similarity).toarray(), users, items)


def vector_engine(events: Interactions, vectors: Floats, users: Sequence[str], items: Sequence[str]) -> Engine:
    """`item_engine` with the inner products of vectors [N, d] as similarity, which are never held all at once."""
    history = user_item(events)
    return matrix_engine(lambda rows: (history[rows] @ vectors) @ vectors.T, users, items)
