"""What the Bias Net takes out, and what it learns: `python -m benchmarks.debiasing`.

Generated clicks: shoppers with tastes look at pages on which some items stand at the top far more often than they
deserve. How likely a place is looked at is known, and so is what each shopper wants: is the ranking that is served
(eq. 14 of PDN) the order of what they want? PDN is trained with the Bias Net and without, and once more without on
pages in random order, where there is nothing to take out.

Complete Journey: what each display and mailer placement adds, of the store's latest model, else of one trained for
this alone by the store's recipe. Writes `benchmarks/results/debiasing.json`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import torch
from scipy.stats import kendalltau
from torch_geometric.data import HeteroData

from api.training import choose_recipe
from benchmarks.quality import read
from benchmarks.runs import command, keep, kept, results, running, sized
from graph.errors import TwohopError
from graph.schema import EXPOSURE, WEEK, Source
from models import artefacts
from models.artefacts import Artefact
from models.exposures import Exposures
from models.features import HOUR
from models.index import network_scores
from models.interactions import Floats, Interactions, Ints
from models.recipe import Recipe
from models.training import restore, train

RESULTS = results("debiasing")
STORE = "complete-journey"
SEEDS, CLICKING = sized((5, 4_000), (1, 400))  # shops, and shoppers of each
EXAMINED = np.array([1.0, 0.8, 0.7, 0.65, 0.6])  # chance that a slot at the top of the page is looked at
BELOW = 0.1  # the same for all that stands below the slots
WANTED = 0.1  # relevance of the best item to who has a taste for it
EVERYWHERE = 0.2  # chance that any place is looked at, in the additive world
BLIND = 0.03  # chance of a click on the first slot there, whatever stands in it
PUSHED = 0.8  # correlation of an item's place with how little it is wanted
WORLDS = ("position-based", "additive")
NOON = 12 * HOUR
SHOPPERS = 200  # whose rankings are compared
COUNTED = ("together", "forward", "backward", "forward_share", "backward_share", "cosine", "confidence")
COUNTS = ["item.buyers", *(f"pair.{name}" for name in COUNTED)]  # of clicks, so they have the bias
RECIPE = {
    "pairs": {"candidates": 40, "window": 5},
    "network": {"embedding": 8, "hidden": 16, "direct": 8},
    "sampling": {"triggers": 5, "negatives": 20, "popular": 0.0, "batch": 128},
    "epochs": 3,
    "learning_rate": 0.02,
    "validation_users": 0,  # the epoch is not to be chosen by clicks that have the bias
}


@dataclass(frozen=True)
class Clicks:
    """A shop whose truth is known.

    Attributes:
        data: a snapshot as `graph.snapshot` gives it; exposures: as the file of a store has them.
        relevance: [U, N] chance that a shopper who looks at an item clicks on it.
        clicks: [V] rows of user, item, week and place, by user and week.
        pages: [weeks, places, N] place of each item on the page, 0 first.
    """

    data: HeteroData
    exposures: pl.DataFrame
    relevance: Floats
    clicks: Ints
    pages: Ints


def generate(
    seed: int,
    world: str = "position-based",
    pushed: float = PUSHED,
    users: int = CLICKING,
    items: int = 20,
    weeks: int = 40,
    places: int = 6,
) -> Clicks:
    """Clicks of shoppers who see one page of all items each week, at one of the places.

    With γ = relevance, θ = chance to be looked at and β = chance of a click whatever stands there,

        position-based: P(click) = θ_position γ_ui
        additive:       P(click) = 1 − (1 − θ γ_ui) (1 − β_position)

    The first is that of Craswell et al. (WSDM 2008, https://doi.org/10.1145/1341531.1341545) and Joachims et al.
    (WSDM 2017, https://doi.org/10.1145/3018661.3018699). The second is what eq. 12 and 13 of PDN say, with
    ŷ = −ln(1 − θ γ) − ln(1 − β).
    """
    rng = np.random.default_rng(seed)
    quality = rng.permutation(np.linspace(0.05, 1, items))
    taste, kind = rng.integers(2, size=users), rng.integers(2, size=items)
    relevance = WANTED * quality * np.where(taste[:, None] == kind, 1.0, 0.4)
    unwanted = (quality.mean() - quality) / quality.std()
    order = pushed * unwanted + np.sqrt(1 - pushed**2) * rng.standard_normal((weeks, places, items))
    pages = (-order).argsort(axis=-1).argsort(axis=-1)
    slots, rest = len(EXAMINED), np.zeros(items - len(EXAMINED))
    examined, blind = np.append(EXAMINED, rest + BELOW), np.append(BLIND * EXAMINED, rest)
    rows = []
    for week in range(weeks):
        place = rng.integers(places, size=users)
        position = pages[week, place]
        if world == "position-based":
            chance = examined[position] * relevance
        else:
            chance = 1 - (1 - EVERYWHERE * relevance) * (1 - blind[position])
        user, item = np.nonzero(rng.random((users, items)) < chance)
        rows.append(np.stack([user, item, np.full(len(user), week), place[user]], axis=1))
    clicks = np.concatenate(rows)
    clicks = clicks[np.argsort(clicks[:, 0], kind="stable")]
    shown = np.argwhere(pages < slots)
    exposures = pl.DataFrame(
        {
            "item": [f"i{item:03}" for item in shown[:, 2]],
            "place": [f"p{place}" for place in shown[:, 1]],
            "week": shown[:, 0] + 1,
            "display": [f"slot {position + 1}" for position in pages[pages < slots]],
            "mailer": [None] * len(shown),
        },
        schema=EXPOSURE,
    )
    return Clicks(_snapshot(clicks, taste, kind, places), exposures, relevance, clicks, pages)


def _snapshot(clicks: Ints, taste: Ints, kind: Ints, places: int) -> HeteroData:
    """The clicks as a graph: shoppers with their taste, items with their kind as a brand."""
    data, items = HeteroData(), len(kind)
    data["user"].num_nodes, data["user"].id = len(taste), [f"u{user:05}" for user in range(len(taste))]
    data["user"].profile = {"taste": [str(one) for one in taste]}
    data["item"].num_nodes, data["item"].id = items, [f"i{item:03}" for item in range(items)]
    data["item"].title, data["item"].brand = [""] * items, [f"kind {one}" for one in kind]
    data["item"].price, data["item"].available = torch.full((items,), torch.nan), torch.ones(items, dtype=torch.bool)
    data["item"].profile = {}
    data["browse_node"].num_nodes = 0
    data["browse_node"].id, data["browse_node"].name, data["browse_node"].level = [], [], []
    for hop in (("item", "in_category", "browse_node"), ("browse_node", "child_of", "browse_node")):
        data[hop].edge_index = torch.zeros(2, 0, dtype=torch.long)
    user, item, week, place = torch.from_numpy(clicks).T
    edges, edge = torch.unique(user * items + item, return_inverse=True)
    interacted = data["user", "interacted", "item"]
    interacted.edge_index, interacted.event_edge = torch.stack([edges // items, edges % items]), edge
    interacted.event_time, interacted.event_session = week * WEEK + NOON, week
    interacted.event_position, interacted.event_place = torch.arange(len(user)), place
    interacted.event_value, interacted.event_quantity = torch.full((len(user),), torch.nan), torch.ones(len(user))
    data.places = [f"p{number}" for number in range(places)]
    data.source = Source("generated-clicks", user_profile=("taste",), first_week=0)
    return data


def fit(shop: Clicks, seed: int, bias_net: bool = True, without: Sequence[str] = COUNTS) -> tuple[Artefact, float]:
    """PDN trained on the clicks, and Kendall's τ of what it serves with what shoppers want: a mean over shoppers."""
    recipe = Recipe.model_validate(RECIPE | {"without": ["user.id", *without]})  # five clicks say little of one shopper
    recipe = recipe.model_copy(
        update={
            "network": replace(recipe.network, bias_net=bias_net),
            "sampling": replace(recipe.sampling, seed=seed),
        }
    )
    with TemporaryDirectory() as home:
        file = Path(home) / "exposures.parquet"
        shop.exposures.write_parquet(file)
        artefact = train(shop.data, file, Path(home), recipe)
    return artefact, agreement(network_scores(artefact, shop.data).of_users(np.arange(SHOPPERS)), shop)


def agreement(scores: Floats, shop: Clicks) -> float:
    """Mean over the first shoppers of Kendall's τ-b of their scores [B, N] with what they want, −1 to 1."""
    wanted = shop.relevance[: len(scores)]
    return float(np.mean([kendalltau(*both).statistic for both in zip(scores, wanted, strict=True)]))


def popularity(shop: Clicks) -> float:
    """Agreement of the number of clicks with what shoppers want."""
    return agreement(np.tile(np.bincount(shop.clicks[:, 1]), (SHOPPERS, 1)), shop)


def placements(artefact: Artefact, group: str) -> dict[str | None, float]:
    """softplus(y_bias) of each placement of the group, `display` or `mailer`, with none of the other, at noon.

    None stands for nowhere.
    """
    model, features = restore(artefact)
    [field] = [one for one in features.bias.fields if one.name == group]
    names: list[str | None] = [None, *field.values]
    columns = {"display": [None] * len(names), "mailer": [None] * len(names), "hour": np.full(len(names), 12.0)}
    codes = torch.from_numpy(features.bias.encode(columns | {group: names}, len(names)))
    with torch.no_grad():
        found = model.bias_part(codes.to(next(model.parameters()).device))
    return dict(zip(names, found.tolist(), strict=True))


def measure_clicks(seeds: int) -> dict[str, Any]:
    """By world: τ for each seed, and what the Bias Net learnt of the slots in the last one."""
    found = {}
    for world in WORLDS:
        rows = []
        for seed in range(seeds):
            shop = generate(seed, world)
            artefact, debiased = fit(shop, seed)
            row = {
                "popularity": popularity(shop),
                "without": fit(shop, seed, bias_net=False)[1],
                "counts": fit(shop, seed, without=())[1],
                "with": debiased,
                "random pages": fit(generate(seed, world, pushed=0), seed, bias_net=False)[1],
            }
            rows.append(row)
            print(f"{world}, seed {seed}: {row}", flush=True)
        slots = placements(artefact, "display")
        found[world] = {"clicks": len(shop.clicks), "tau": rows, "slots": [slots.pop(None), *slots.values()]}
    return found


def measure_placements(data: HeteroData, exposures_file: Path, artefact: Artefact) -> dict[str, Any]:
    """softplus(y_bias) of each placement, and how many of the first purchases in training were made under it."""
    exposures = Exposures.read(exposures_file, list(data["item"].id), list(data.places), data.source.first_week)
    if exposures is None:
        raise TwohopError(f"no exposures in {exposures_file}: run `twohop load {STORE}` first")
    every = Interactions.of(data)
    events = every.where(every.first)
    codes = exposures.codes(events.item, events.place, events.time)
    found: dict[str, Any] = {"artefact": artefact.id, "seed": artefact.manifest["recipe"]["sampling"]["seed"]}
    for column, group in enumerate(("display", "mailer")):
        effects = placements(artefact, group)
        counts = np.bincount(codes[:, column], minlength=len(effects)).tolist()
        found[group] = [
            {"placement": name, "bias": bias, "purchases": count}
            for (name, bias), count in zip(effects.items(), counts, strict=True)
        ]
    return found


def trained(data: HeteroData, exposures_file: Path, folder: Path) -> Artefact:
    """The store's latest model that has a Bias Net, else one trained for this alone."""
    try:
        artefact = artefacts.load(folder)
        if artefact.manifest["features"]["bias"] and artefact.manifest["recipe"]["network"]["bias_net"]:
            return artefact
    except TwohopError as error:
        print(f"{error}; training one for this alone", flush=True)
    with TemporaryDirectory() as home:
        return train(data, exposures_file, Path(home), choose_recipe(data.source.id, None))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command(__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the generated clicks")
    asked = parser.parse_args(arguments)
    keep(RESULTS, kept(RESULTS, {}) | {"generated": measure_clicks(asked.seeds)})
    if sized(False, True):
        return
    try:
        with running(STORE):
            settings, data = read(STORE)
            artefact = trained(data, settings.exposures_file, settings.artefacts_folder)
            found = measure_placements(data, settings.exposures_file, artefact)
    except TwohopError as error:
        sys.exit(f"benchmarks.debiasing: {error}")
    keep(RESULTS, kept(RESULTS, {}) | {"placements": found})
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
