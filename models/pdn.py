"""Path-based Deep Network (Li et al., SIGIR 2021, https://doi.org/10.1145/3404835.3462878).

    ŷ_ui = softplus(d_ui) + Σ_j ln(1 + e^t_uj e^s_ji) + softplus(y_bias)     eq. 12
    p_ui = 1 − e^(−ŷ_ui)                                                     eq. 13

`TrigNet` gives t_uj (eq. 8), `SimNet` gives s_ji (eq. 9), `DirectNet` gives d_ui (eq. 11), `BiasNet` gives
y_bias, which is dropped when serving (eq. 14). A path exists where the index has the pair j → i.

With `PDNOptions.history` p_u is no MLP over the shopper's profile but what a causal transformer says of the latest
items in their order (SASRec; Kang and McAuley, ICDM 2018, https://doi.org/10.1109/ICDM.2018.00035). d_ui stays a
product of two vectors, and ŷ a sum of paths.

With `PDNOptions.trig_net` a transformer over all of a shopper's triggers stands in TrigNet ("other more powerful neural
networks, such as … transformer-based models", section 4.3). t_uj stays one number an edge, but depends on the others.

All this is the scalar-based PDN, the one that is served. With `PDNOptions.path` it is vector-based (section 4.1):
TrigNet and SimNet give K numbers an edge, and their inner product is merged,

    PATH_uji = ln(1 + Σ_k e^t_ujk e^s_jik)

which is eq. 10 for K = 1. The paper names vectors and the inner product, but writes no formula for the two.

Where repeats are learnt (`PairOptions.repeats`) a trigger leads to itself too, and there t_uj counts `repeat_power` β
times: PATH_ujj = ln(1 + e^(β t_uj) e^s_jj).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import MLP
from torch_geometric.utils import scatter

from models.layers import EdgeNet, FieldEmbedding
from models.transformer import CausalTransformer, SetTransformer

GREATEST_POWER = 4  # above it a path, e^(4 · 60 + 60) at most, might not be a finite number


@dataclass(frozen=True)
class PDNOptions:
    """Sizes of the network.

    Attributes:
        embedding: d, size of each feature's embedding.
        hidden: width of the hidden layers of TrigNet and SimNet.
        direct: k, size of p_u and q_i.
        direct_net, bias_net: switch a part off, as in table 2 of the paper.
        history: L, latest items of which a transformer makes p_u; 0: p_u is an MLP over the shopper's profile.
        trig_net: "mlp" weighs each trigger by itself (eq. 8), "transformer" among the shopper's other triggers.
        path: K, numbers that TrigNet and SimNet give for an edge; only with 1 the graph can store and serve them.
        repeat_power: β, how many times t_uj counts on the path of a trigger to itself. How much and how lately an item
            was had says more of that item than of others.
        layers, heads, dropout: of both transformers.
        without_direct: share of the examples that are trained on their paths alone. A strong Direct Net leaves the
            paths nothing to learn, and it is paths that find what is served and say why.
    """

    embedding: int = 8
    hidden: int = 32
    direct: int = 16
    direct_net: bool = True
    bias_net: bool = True
    history: int = 0
    trig_net: Literal["mlp", "transformer"] = "mlp"
    path: int = 1
    repeat_power: float = 1.0
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    without_direct: float = 0.0

    def __post_init__(self) -> None:
        if self.history < 0 or not 0 <= self.without_direct <= 1:
            raise ValueError("history is a number of items, 0 or more, and without_direct a share, from 0 to 1")
        if self.path < 1:
            raise ValueError(f"path is {self.path}: TrigNet and SimNet give at least 1 number for an edge")
        if not 1 <= self.repeat_power <= GREATEST_POWER:
            raise ValueError(f"repeat_power is {self.repeat_power:g}: it is a number from 1 to {GREATEST_POWER}")
        if self.reads_history and self.direct % self.heads:
            raise ValueError(f"direct is {self.direct}: with a history it must be a multiple of heads, {self.heads}")
        if self.trig_net == "transformer" and self.hidden % self.heads:
            raise ValueError(
                f"hidden is {self.hidden}: with a transformer in TrigNet it must be a multiple of heads, {self.heads}"
            )

    @property
    def reads_history(self) -> bool:
        return self.direct_net and self.history > 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class HistoryNet(nn.Module):
    """p_u of the latest L items, and q_i as the sum of an item's embeddings: in and out by the same vectors."""

    def __init__(self, item: Sequence[int], options: PDNOptions) -> None:
        super().__init__()
        width = options.direct
        self.item = FieldEmbedding(item, width)
        # Sums start with a length of about 1.
        nn.init.normal_(self.item.table, std=(width * max(1, len(item))) ** -0.5)
        # A direction that all items share: along it p_u says how likely any item is, so that p is a probability.
        self.shared = nn.Parameter(torch.randn(width) * width**-0.5)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.transformer = CausalTransformer(
            width, options.history, options.layers, options.heads, options.dropout, F.gelu, norm_first=True
        )

    def items(self, x: Tensor) -> Tensor:
        """q_i [N, k] from item codes [N, Fx]."""
        return self.item.total(x) + self.shared

    def forward(self, items: Tensor, history: Tensor, last: bool = False) -> Tensor:
        """[B, L, k] what each position says of the next item, or [B, 1, k] what the last one says.

        history [B, L] has rows of `items` [N, k], padded on the left with N.
        """
        rows = torch.cat([items, self.nothing[None]]).index_select(0, history.flatten())
        embedded = rows.view(*history.shape, -1)
        said: Tensor = self.transformer(embedded, history >= items.shape[0], last)
        return said


class PDN(nn.Module):
    """The network. `forward` takes a batch made by `models.sampling` and gives ŷ of each candidate.

    A batch is a `HeteroData` with
        ('user').z [B, Fz] codes of each example's shopper, and .history [B, L] rows of x where the network reads them;
        ('item').x [I, Fx] codes of the items in the batch;
        ('user', 'trigger', 'item').edge_index [2, T], .a [T, Fa] codes of a_uj, and .groups [B, L] the triggers of each
            shopper, padded with T;
        ('user', 'candidate', 'item').edge_index [2, C], .y [C] labels, .bias [C, Fb] codes;
        .path_trigger, .path_candidate [P] rows of the two, .c [P, Fc] codes of c_ji: one row a two-hop path; and where
            repeats are learnt .path_itself [P], whether both are one item.
    """

    def __init__(self, sizes: dict[str, Sequence[int]], options: PDNOptions) -> None:
        super().__init__()
        self.options, d, hidden = options, options.embedding, options.hidden
        self.user, self.item = FieldEmbedding(sizes["user"], d), FieldEmbedding(sizes["item"], d)
        self.behaviour, self.pair = FieldEmbedding(sizes["behaviour"], d), FieldEmbedding(sizes["pair"], d)
        self.trig_net = EdgeNet(self.user.width, self.behaviour.width, self.item.width, hidden, -1.0, options.path)
        self.among_triggers: SetTransformer | None = None
        if options.trig_net == "transformer":
            self.among_triggers = SetTransformer(hidden, options.layers, options.heads, options.dropout)
        start = -2.0 - math.log(options.path)  # a path starts as weak however many numbers it has
        self.sim_net = EdgeNet(self.item.width, self.pair.width, self.item.width, hidden, start, options.path)
        if options.reads_history:
            self.history_net = HistoryNet(sizes["item"], options)
        else:
            self.user_tower = MLP([self.user.width, hidden, options.direct], act="leaky_relu", norm=None)
            self.item_tower = MLP([self.item.width, hidden, options.direct], act="leaky_relu", norm=None)
            # A candidate starts far from certain: without this the direct and the bias part of every negative, 0.69
            # each at softplus(0), are what training learns to shrink first, and the paths are shrunk along with them.
            nn.init.ones_(self.user_tower.lins[-1].bias)
            nn.init.constant_(self.item_tower.lins[-1].bias, -4.0 / options.direct)
        self.bias = FieldEmbedding(sizes["bias"], d) if options.bias_net and sizes["bias"] else None
        self.bias_net = MLP([self.bias.width, 1], norm=None) if self.bias else None
        if self.bias_net is not None:
            nn.init.constant_(self.bias_net.lins[-1].bias, -4.0)

    @torch.no_grad()
    def expect(self, batch: HeteroData) -> None:
        """Start with paths so weak that about one item is expected at a time: Σ_i of the paths is 1 over this batch.

        Where each negative stands for many items, the sum is far too large at first, and training would only shrink it.
        """
        candidate = batch["user", "candidate", "item"]
        y = self._paths(batch)
        total = (y * (1 - candidate.y) * candidate.weight).sum() / len(batch["user"].z)
        self.sim_net.rest.lins[-1].bias -= torch.log(total.clamp_min(1e-6))

    def triggers(self, z: Tensor, x: Tensor, edge_index: Tensor, a: Tensor, groups: Tensor | None = None) -> Tensor:
        """t_uj of each trigger edge [T] (eq. 8) from user codes [B, Fz], item codes [N, Fx], codes a_uj [T, Fa].

        A transformer needs all edges of each user, and in `groups` [B, L] which those are, padded with T.
        """
        left, _, right = self.trig_net.blocks()
        users, items = self.user(z) @ left.T, self.item(x) @ right.T
        first = self.trig_net.first_layer(users, items, edge_index[0], edge_index[1], self.behaviour, a)
        states = self.trig_net.states(first)
        return self.trig_net.logits(states if self.among_triggers is None else self.among_triggers(states, groups))

    def similarities(self, x: Tensor, source: Tensor, target: Tensor, c: Tensor) -> Tensor:
        """s_ji of each pair [P] (eq. 9) from item codes [N, Fx], indices [P] and codes c_ji [P, Fc]."""
        return self.projected_similarities(*self.projections(x), source, target, c)

    def projections(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What SimNet's first layer makes of each item [N, hidden] as trigger and as candidate: once for all pairs."""
        left, _, right = self.sim_net.blocks()
        embedded = self.item(x)
        return embedded @ left.T, embedded @ right.T

    def projected_similarities(
        self, from_item: Tensor, to_item: Tensor, source: Tensor, target: Tensor, c: Tensor
    ) -> Tensor:
        """`similarities` from `projections` [N, hidden] of the items."""
        first = self.sim_net.first_layer(from_item, to_item, source, target, self.pair, c)
        return self.sim_net.logits(self.sim_net.states(first))

    def user_vectors(self, z: Tensor) -> Tensor:
        """p_u [B, k] from user codes (eq. 11)."""
        return self.user_tower(self.user(z))

    def history_vectors(self, x: Tensor, history: Tensor) -> Tensor:
        """p_u [B, k] from the latest items: item codes [N, Fx], rows of them [B, L], padded on the left with N."""
        return self._read(self.history_net.items(x), history)

    def _read(self, items: Tensor, history: Tensor) -> Tensor:
        return self.history_net(items, history, last=True).squeeze(1)

    def item_vectors(self, x: Tensor) -> Tensor:
        """q_i [N, k] (eq. 11)."""
        return self.history_net.items(x) if self.options.reads_history else self.item_tower(self.item(x))

    def forward(self, batch: HeteroData) -> Tensor:
        """ŷ_ui of each candidate [C] (eq. 12)."""
        y = self._paths(batch)
        if self.options.direct_net:
            y = y + self._direct(batch)
        if self.bias_net is not None:
            y = y + self.bias_part(batch["user", "candidate", "item"].bias)
        return y

    def bias_part(self, codes: Tensor) -> Tensor:
        """softplus(y_bias) of eq. 12 [C] from codes [C, Fb] of where each candidate was exposed, and when."""
        return F.softplus(self.bias_net(self.bias(codes)).squeeze(-1))

    def _paths(self, batch: HeteroData) -> Tensor:
        x, trigger = batch["item"].x, batch["user", "trigger", "item"]
        candidate = batch["user", "candidate", "item"]
        t = self.triggers(batch["user"].z, x, trigger.edge_index, trigger.a, trigger.get("groups"))
        source = trigger.edge_index[1][batch.path_trigger]
        target = candidate.edge_index[1][batch.path_candidate]
        t = t.index_select(0, batch.path_trigger)
        if self.options.repeat_power != 1:
            itself = batch.path_itself if t.ndim == 1 else batch.path_itself[:, None]
            t = torch.where(itself, self.options.repeat_power * t, t)
        both = t + self.similarities(x, source, target, batch.c)
        path = F.softplus(both if self.options.path == 1 else both.logsumexp(-1))
        return scatter(path, batch.path_candidate, dim=0, dim_size=candidate.edge_index.size(1), reduce="sum")

    def _direct(self, batch: HeteroData) -> Tensor:
        """The direct part of each candidate [C]; in training 0 for a share of the examples (`without_direct`)."""
        z, q = batch["user"].z, self.item_vectors(batch["item"].x)
        user, item = batch["user", "candidate", "item"].edge_index
        # Drawn on the CPU, whatever the device: nothing has to wait for a GPU to say how many stay.
        keep = torch.ones(len(z), dtype=torch.bool)
        if self.training and self.options.without_direct:
            keep = torch.rand(len(z)) >= self.options.without_direct
        if not keep.any():
            return q.new_zeros(len(user))
        at, place = keep.nonzero().squeeze(-1).to(z.device), (keep.cumsum(0) - 1).clamp_min(0).to(z.device)
        p = self._read(q, batch["user"].history[at]) if self.options.reads_history else self.user_vectors(z[at])
        d = (p.index_select(0, place[user]) * q.index_select(0, item)).sum(-1)
        return F.softplus(d) * keep.to(z.device)[user]


def path_loss(y: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
    """Binary cross-entropy on p = 1 − e^(−ŷ) (section 4.6), stably: the mean, or with weights per positive.

    log p = log(−expm1(−ŷ)) and log(1 − p) = −ŷ; ŷ [C] > 0, label [C] in {0, 1}, weight [C] of each candidate.
    """
    tiny = torch.finfo(y.dtype).tiny
    log_p = torch.log((-torch.expm1(-y)).clamp_min(tiny))
    loss = -(label * log_p - (1 - label) * y)
    return loss.mean() if weight is None else (loss * weight).sum() / label.sum().clamp_min(1)
