"""Index generation (PDN, section 5.2): candidate pairs, SimNet's scores, the top k kept, and t_uj, p_u and q_i."""

import numpy as np
from torch_geometric.data import HeteroData

from graph.errors import ArtefactError
from graph.networks import Network
from graph.progress import step
from graph.weights import Weights
from models.artefacts import Artefact, of_this_version
from models.candidates import Candidates
from models.features import Encoder
from models.interactions import Interactions
from models.machine import shared_threads
from models.onnx_export import export
from models.pairs import PairOptions
from models.profiles import Terms, browse_paths, profile_words
from models.scoring import Scores, score
from models.serving import edge_weights
from models.training import restore


def network_scores(artefact: Artefact, data: HeteroData, k: int | None = None) -> Scores:
    """Every edge weight of a trained model on this snapshot; statistics over all `INTERACTED` edges.

    With `k` only the pairs of that rank at most, in memory that does not grow with the candidates.
    Raises `ArtefactError` where the model was trained on another source.
    """
    check_source(artefact, data)
    events = Interactions.of(data)
    candidates = Candidates(events, data, pair_options(artefact))
    model, features = restore(artefact)
    with shared_threads(), step("weights of pairs, by trigger", total=len(candidates)) as shown:
        return score(model, Encoder(data, features), events, candidates.blocks(shown), k)


def check_source(artefact: Artefact, data: HeteroData) -> None:
    """Raises `ArtefactError` where the model was trained on another source than the store holds."""
    source = artefact.manifest["source"]["id"]
    if source != data.source.id:
        raise ArtefactError(
            f"model {artefact.id[:12]} was trained on {source!r}, the store holds {data.source.id!r}: "
            "run `twohop train pdn` on this store"
        )


def pair_options(artefact: Artefact) -> PairOptions:
    """How candidates were found when the model was trained.

    Raises `ArtefactError` for a model of another version of Twohop.
    """
    with of_this_version(artefact):
        return PairOptions(**artefact.manifest["recipe"]["pairs"])


def index_weights(scores: Scores, data: HeteroData, k: int) -> Weights:
    """What a generation stores: e^t of every interaction, the k best e^s of every item, and both direct vectors.

    Logits are clipped to ±60, far outside of what matters to ln(1 + e^(t + s)), so that no weight overflows.
    """
    kept = np.flatnonzero(scores.rank <= k)
    events, pairs = scores.events, scores.pairs
    return Weights(
        users=list(data["user"].id),
        items=list(data["item"].id),
        user_direct=scores.p.astype(np.float64),
        item_direct=scores.q.astype(np.float64),
        trigger_user=events.user[scores.trigger],
        trigger_item=events.item[scores.trigger],
        trigger_weight=edge_weights(scores.t),
        similar_source=pairs.source[kept],
        similar_target=pairs.target[kept],
        similar_weight=edge_weights(scores.s[kept]),
        similar_rank=scores.rank[kept],
        repeat_power=scores.repeat_power,
    )


def check_scalar(artefact: Artefact) -> None:
    """Raises `ArtefactError` where a model is vector-based: what it says of an edge is not one number."""
    if (size := artefact.manifest["recipe"]["network"].get("path", 1)) > 1:
        raise ArtefactError(
            f"model {artefact.id[:12]} is vector-based, with {size} numbers an edge, and the graph stores one: "
            "train with network: {path: 1}, or rank by `twohop evaluate --engine network`"
        )


def build_index(artefact: Artefact, data: HeteroData, k: int | None = None) -> Weights:
    """Candidate pairs, their scores, and the top k of each item, ready for `graph.generations.write_generation`.

    Raises `ArtefactError` where the model is vector-based, and as `network_scores` does.
    """
    check_scalar(artefact)
    k = k or int(artefact.manifest["recipe"]["similar"])
    return index_weights(network_scores(artefact, data, k), data, k)


def build_network(artefact: Artefact, data: HeteroData) -> Network:
    """The model in the form in which it is kept in the graph, with the words of this snapshot's profiles.

    All generations of the model share it, so new items get the recipe's k, whatever k one of them was indexed with.
    """
    model, features = restore(artefact)
    recipe = artefact.manifest["recipe"]
    terms = Terms.fit(profile_words(data, browse_paths(data)), pair_options(artefact).hottest)
    return Network(
        artefact=artefact.id,
        source=artefact.manifest["source"]["id"],
        features=features.to_json(),
        similar=recipe["similar"],
        min_buyers=recipe["pairs"]["min_buyers"],
        terms=terms.names,
        idf=tuple(terms.idf.tolist()),
        graphs=export(model),
        trended=pair_options(artefact).trend > 0,
    )
