"""What PDN's paths give with weights set by hand: the floor that training has to rise above."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from models.baselines.contract import Options, Recommender
from models.baselines.ease import EASE, EASEOptions
from models.baselines.histories import recency
from models.candidates import profile_vectors, transitions
from models.interactions import Floats, Interactions, Ints
from models.pairs import PairOptions
from models.profiles import browse_paths

if TYPE_CHECKING:
    from optuna import Trial
    from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class FloorOptions(Options):
    """The weights.

    Attributes:
        half: h, steps back after which a trigger counts half.
        window: moments within which one item after another counts as a transition.
        backward: weight of the transitions from the candidate to the trigger.
        own: weight of the user's own items, for protocols with repeats.
        ease, text: weights of EASE and of the TF-IDF similarity of title, brand and browse path in the mix; 0 leaves
            a part out.
        regularization: λ of EASE.
    """

    half: float = 3.0
    window: int = 10
    backward: float = 0.0
    own: float = 0.0
    ease: float = 0.0
    text: float = 0.0
    regularization: float = 500.0


class Floor(Recommender[FloorOptions]):
    """Two hops with hand-set weights.

        hops_ui = Σ_j 0.5^(steps back of j / h) · (F_ji + b F_ij) / √(c_j c_i)
        score_u = hops_u / max hops_u + e · ease_u / max ease_u + x · text_u / max text_u + o · own_u

    F_ji sums 1 / gap over the users who met j and, within the window, i after it; c counts buyers. Each part is
    divided by its largest value for the user, so that the weights of the mix mean the same for everybody. Text
    needs a snapshot and is left out without one.
    """

    name = "floor"
    options_class = FloorOptions

    @staticmethod
    def space(trial: "Trial") -> FloorOptions:
        return FloorOptions(
            half=trial.suggest_float("half", 0.5, 50.0, log=True),
            window=trial.suggest_int("window", 1, 20, log=True),
            backward=trial.suggest_float("backward", 0.0, 1.0),
            own=trial.suggest_categorical("own", [0.0, 1.0]),
            ease=trial.suggest_float("ease", 0.0, 1.5),
            text=trial.suggest_float("text", 0.0, 1.0),
            regularization=trial.suggest_float("regularization", 10.0, 2000.0, log=True),
        )

    def learn(self, events: Interactions, data: "HeteroData | None") -> None:
        options = self.options
        self.trigger = recency(events, options.half)
        forward = transitions(events, options.window)
        moves = forward + options.backward * forward.T
        root = sparse.diags_array(1 / np.sqrt(np.maximum(events.buyers, 1)).astype(np.float32))
        self.similarity = (root @ moves @ root).tocsr()
        self.ease = EASE(EASEOptions(options.regularization)).fit(events) if options.ease else None
        self.text = None
        if data is not None and options.text:
            self.text = profile_vectors(data, browse_paths(data), PairOptions().hottest)

    def score(self, users: Ints) -> Floats:
        trigger, options = self.trigger[users], self.options
        scores = _scaled((trigger @ self.similarity).toarray())
        if self.ease is not None:
            scores += options.ease * _scaled(self.ease.score(users))
        if self.text is not None:
            scores += options.text * _scaled((trigger @ self.text @ self.text.T).toarray())
        if options.own:
            scores += options.own * trigger.toarray()
        return scores.astype(np.float32)


def _scaled(part: Floats) -> Floats:
    """Rows [B, N] divided by their largest value, where that is above 0."""
    most = part.max(axis=1, initial=0, keepdims=True)
    return part / np.where(most > 0, most, 1)
