"""Index generation on Apache Spark: the same edges as `models.index` makes, where one machine ends.

Spark joins what users had and what profiles say to candidate pairs with their statistics; its workers choose among them
(`models.choice`, as on one machine) and run SimNet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch_geometric.data import HeteroData

from models.artefacts import Artefact
from models.candidates import Candidates, block_size
from models.choice import Choice
from models.features import Encoder, Features
from models.index import check_scalar, check_source, index_weights, pair_options
from models.interactions import Interactions
from models.pdn import PDN
from models.scoring import pair_logits, ranks, score
from models.serving import edge_weights
from models.training import restore

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from graph.weights import Weights

STATISTICS = ("together", "forward", "backward", "text")
EDGES = "source string, target string, weight double, rank long"


def spread_index(
    spark: "SparkSession", artefact: Artefact, data: HeteroData, k: int | None = None
) -> "tuple[Weights, DataFrame]":
    """What `build_index` gives, but for `SIMILAR` edges, and these as rows of Spark (`graph.spread.SpreadEdges`).

    Raises `ArtefactError` as `build_index` does.
    """
    check_scalar(artefact)
    check_source(artefact, data)
    k = k or int(artefact.manifest["recipe"]["similar"])
    events = Interactions.of(data)
    found = Candidates(events, data, pair_options(artefact))
    model, features = restore(artefact)
    model = model.cpu().eval()
    encoder = Encoder(data, features)
    scores = score(model, encoder, events, [found.choice.nothing()])
    with torch.no_grad():
        from_item, to_item = model.projections(torch.from_numpy(encoder.item_codes(events.buyers)))
    weigher = Weigher(found.choice, model, features, from_item, to_item, list(data["item"].id), k)
    return index_weights(scores, data, k), _edges(spark, statistics(spark, found), weigher)


@dataclass(frozen=True)
class Weigher:
    """What a worker needs to make edges of statistics: sent to each once.

    Attributes:
        from_item, to_item: [N, hidden] what SimNet's first layer makes of the items; ids: N of them.
    """

    choice: Choice
    model: PDN
    features: Features
    from_item: torch.Tensor
    to_item: torch.Tensor
    ids: list[str]
    k: int

    def edges(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The `EDGES` of the triggers in `rows`, which have all rows of each, sorted by trigger and candidate."""
        items = len(self.choice.eligible)
        triggers, row = np.unique(rows.j.to_numpy(), return_inverse=True)
        column = rows.i.to_numpy()
        matrices = []
        for name in STATISTICS:
            value = rows[name].to_numpy(dtype=np.float32)
            there = np.flatnonzero(value)
            start = np.searchsorted(row[there], np.arange(len(triggers) + 1))
            matrices.append(sparse.csr_array((value[there], column[there], start), shape=(len(triggers), items)))
        pairs = self.choice.pairs(triggers, *matrices, np.empty(len(triggers) * items, dtype=np.float32))
        with torch.no_grad():
            s = pair_logits(self.model, Encoder(None, self.features), self.from_item, self.to_item, pairs)
        rank = ranks(pairs, s)
        kept = np.flatnonzero(rank <= self.k)
        source, target = ([self.ids[item] for item in column[kept]] for column in (pairs.source, pairs.target))
        return pd.DataFrame({"source": source, "target": target, "weight": edge_weights(s[kept]), "rank": rank[kept]})

    def edges_of_batches(self, batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """`edges` of sorted rows that come in batches, which may end in the midst of a trigger."""
        torch.set_num_threads(1)  # each worker has one core
        most = block_size(len(self.choice.eligible))
        waiting: list[pd.DataFrame] = []
        for batch in batches:
            if waiting and batch.j.iloc[0] == batch.j.iloc[-1] == waiting[-1].j.iloc[-1]:
                waiting.append(batch)  # all of one trigger that goes on
                continue
            rows = pd.concat([*waiting, batch])
            last = rows.j.iloc[-1]
            end = int(np.searchsorted(rows.j.to_numpy(), last))
            yield from self._parts(rows.iloc[:end], most)
            waiting = [rows.iloc[end:]]
        if waiting:
            yield from self._parts(pd.concat(waiting), most)

    def _parts(self, rows: pd.DataFrame, most: int) -> Iterator[pd.DataFrame]:
        number = np.cumsum(np.diff(rows.j.to_numpy(), prepend=-1) != 0) - 1
        for begin in range(0, int(number.max(initial=-1)) + 1, most):
            yield self.edges(rows.iloc[slice(*np.searchsorted(number, [begin, begin + most]))])


def statistics(spark: "SparkSession", found: Candidates) -> "DataFrame":
    """Rows j, i (places among the eligible items) and `STATISTICS` of all pairs that have any, each pair once.

    Sums are made in double precision and rounded at the end, so that they are those of `Candidates.blocks` to the last
    digit, in whatever order Spark adds. Every item is there with itself.
    """
    from pyspark.sql import functions as F  # noqa: PLC0415  an extra, and slow

    events, options, nothing = found.events, found.options, F.lit(0.0)
    place = np.full(events.items, -1)
    place[found.choice.eligible] = np.arange(len(found))
    kept = np.flatnonzero(found.kept & (place[events.item] >= 0))
    met = spark.createDataFrame(
        pd.DataFrame({"user": events.user[kept], "item": place[events.item[kept]], "moment": events.moment[kept]})
    )
    one, other = (met.select("user", F.col("item").alias(name), F.col("moment").alias(f"{name}_at")) for name in "ji")
    gap = F.col("i_at") - F.col("j_at")

    def moved(gap: "Column") -> "Column":
        within = (F.col("j") != F.col("i")) & (gap >= 0) & (gap <= options.window)
        return F.when(within, 1.0 / F.greatest(gap, F.lit(1))).otherwise(0.0)

    meetings = one.join(other, "user").select("j", "i", F.lit(1.0), moved(gap), moved(-gap), nothing)
    text = found.text.tocoo()
    words = spark.createDataFrame(
        pd.DataFrame(
            {
                "term": text.col.astype(np.int64),
                "item": text.row.astype(np.int64),
                "value": text.data.astype(np.float64),
            }
        )
    )
    left, right = (words.select("term", F.col("item").alias(name), F.col("value").alias(f"of_{name}")) for name in "ji")
    alike = left.join(right, "term").select("j", "i", nothing, nothing, nothing, F.col("of_j") * F.col("of_i"))
    every = spark.range(len(found)).select(F.col("id").alias("j"), F.col("id").alias("i"), *[nothing] * 4)
    whole = meetings.union(alike).union(every).toDF("j", "i", *STATISTICS)
    return whole.groupBy("j", "i").agg(*(F.sum(name).cast("float").alias(name) for name in STATISTICS))


def _edges(spark: "SparkSession", rows: "DataFrame", weigher: Weigher) -> "DataFrame":
    shared = spark.sparkContext.broadcast(weigher)

    def weigh(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return shared.value.edges_of_batches(batches)

    return rows.repartition("j").sortWithinPartitions("j", "i").mapInPandas(weigh, EDGES)
