"""Each equation of the paper against a naive loop, in values and gradients."""

import math

import pytest
import torch
from torch_geometric.data import HeteroData

from models.layers import EdgeNet, FieldEmbedding
from models.pdn import PDN, PDNOptions, path_loss
from models.sums import row_sums

SIZES = {"user": [5, 3], "item": [7, 4, 3], "behaviour": [4, 6], "pair": [5, 5, 3], "bias": [3, 4]}


def random_codes(rows: int, sizes: list[int], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randint(size, (rows,), generator=generator) for size in sizes], dim=1)


@pytest.fixture
def batch() -> HeteroData:
    """Two shoppers, four items, three triggers, three candidates, four paths; one candidate without any path."""
    batch = HeteroData()
    batch["user"].z = random_codes(2, SIZES["user"], 1)
    batch["item"].x = random_codes(4, SIZES["item"], 2)
    batch["user", "trigger", "item"].edge_index = torch.tensor([[0, 0, 1], [0, 1, 1]])
    batch["user", "trigger", "item"].a = random_codes(3, SIZES["behaviour"], 3)
    batch["user", "trigger", "item"].groups = torch.tensor([[0, 1], [2, 3]])
    batch["user", "candidate", "item"].edge_index = torch.tensor([[0, 1, 1], [2, 3, 0]])
    batch["user", "candidate", "item"].y = torch.tensor([1.0, 0.0, 1.0])
    batch["user", "candidate", "item"].bias = random_codes(3, SIZES["bias"], 4)
    batch.path_trigger = torch.tensor([0, 1, 2])
    batch.path_candidate = torch.tensor([0, 0, 1])
    batch.path_itself = torch.tensor([False, True, False])
    batch.c = random_codes(3, SIZES["pair"], 5)
    return batch


@pytest.fixture
def model() -> PDN:
    torch.manual_seed(0)
    return PDN(SIZES, PDNOptions(embedding=4, hidden=6, direct=3)).double()


def naive_forward(model: PDN, batch: HeteroData) -> torch.Tensor:
    """Eq. 8 to 12, one path at a time, with the concatenations spelled out."""

    def embed(embedding: FieldEmbedding, codes: torch.Tensor) -> torch.Tensor:
        rows, begin = [], 0
        for size, code in zip(embedding.sizes, codes.tolist(), strict=True):
            rows.append(embedding.table[begin + code])
            begin += size
        return torch.cat(rows)

    def mlp(net: EdgeNet, vector: torch.Tensor) -> torch.Tensor:
        hidden = net.first.weight @ vector + net.first.bias
        hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
        return net.rest(hidden[None]).squeeze() + net.start

    z, x = batch["user"].z, batch["item"].x
    trigger, candidate = batch["user", "trigger", "item"], batch["user", "candidate", "item"]
    total = []
    for number in range(candidate.edge_index.size(1)):
        u, i = candidate.edge_index[:, number].tolist()
        d = model.user_tower(embed(model.user, z[u])[None]) @ model.item_tower(embed(model.item, x[i])[None]).T
        y = torch.log(1 + torch.exp(d.squeeze()))
        for path in range(len(batch.path_trigger)):
            if batch.path_candidate[path] != number:
                continue
            edge = int(batch.path_trigger[path])
            j = int(trigger.edge_index[1, edge])
            e_z, e_j, e_i = embed(model.user, z[u]), embed(model.item, x[j]), embed(model.item, x[i])
            t = mlp(model.trig_net, torch.cat([e_z, embed(model.behaviour, trigger.a[edge]), e_j]))
            s = mlp(model.sim_net, torch.cat([e_j, embed(model.pair, batch.c[path]), e_i]))
            power = model.options.repeat_power if batch.path_itself[path] else 1.0
            y = y + torch.log(1 + torch.exp(t) ** power * torch.exp(s))
        bias = model.bias_net(embed(model.bias, candidate.bias[number])[None]).squeeze()
        total.append(y + torch.log(1 + torch.exp(bias)))
    return torch.stack(total)


def test_forward_is_equation_12(model: PDN, batch: HeteroData) -> None:
    torch.testing.assert_close(model(batch), naive_forward(model, batch), rtol=1e-9, atol=1e-9)


def test_a_trigger_counts_more_for_itself(batch: HeteroData) -> None:
    torch.manual_seed(0)
    model = PDN(SIZES, PDNOptions(embedding=4, hidden=6, direct=3, repeat_power=2.5)).double()
    torch.testing.assert_close(model(batch), naive_forward(model, batch), rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match=r"repeat_power is 0\.5: it is a number from 1 to 4"):
        PDNOptions(repeat_power=0.5)


def test_gradients_are_those_of_the_naive_loop(model: PDN, batch: HeteroData) -> None:
    names, tensors = zip(*model.named_parameters(), strict=True)
    ours = torch.autograd.grad(model(batch).sum(), tensors)
    naive = torch.autograd.grad(naive_forward(model, batch).sum(), tensors)
    for name, one, other in zip(names, ours, naive, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9, msg=name)


def test_without_direct_and_bias_only_paths_remain(batch: HeteroData) -> None:
    torch.manual_seed(0)
    model = PDN(SIZES, PDNOptions(embedding=4, hidden=6, direct_net=False, bias_net=False)).double()
    y = model(batch)
    assert y[2] == 0  # the candidate that no path reaches
    assert (y[:2] > 0).all()


def test_what_the_history_says_is_the_direct_vector(batch: HeteroData) -> None:
    torch.manual_seed(0)
    model = PDN(SIZES, PDNOptions(embedding=4, hidden=6, direct=8, bias_net=False, history=3)).double().eval()
    x, padding = batch["item"].x, len(batch["item"].x)
    batch["user"].history = torch.tensor([[padding, 0, 1], [padding, padding, 2]])[: len(batch["user"].z)]
    user, item = batch["user", "candidate", "item"].edge_index
    p, q = model.history_vectors(x, batch["user"].history), model.item_vectors(x)
    whole, direct = model(batch), torch.nn.functional.softplus((p[user] * q[item]).sum(-1))
    model.history_net.shared.data.zero_()
    model.history_net.item.table.data.zero_()  # then q and d are 0
    torch.testing.assert_close(whole - direct, model(batch) - math.log(2))
    turned = model.history_vectors(x, batch["user"].history.flip(0)).flip(0)
    torch.testing.assert_close(turned, model.history_vectors(x, batch["user"].history))


def test_the_last_position_alone_says_what_it_says_among_all(batch: HeteroData) -> None:
    torch.manual_seed(0)
    net = PDN(SIZES, PDNOptions(direct=8, history=4, layers=3)).double().eval().history_net
    items = net.items(batch["item"].x)
    history = torch.tensor([[4, 4, 0, 1], [3, 2, 0, 1], [4, 4, 4, 4]])  # 4 is padding; the last has nothing else
    torch.testing.assert_close(net(items, history, last=True), net(items, history)[:, -1:])


def test_paths_of_vectors_merge_their_inner_product(batch: HeteroData) -> None:
    torch.manual_seed(0)
    options = PDNOptions(embedding=4, hidden=6, direct_net=False, bias_net=False, path=5)
    model = PDN(SIZES, options).double()
    trigger, candidate, x = batch["user", "trigger", "item"], batch["user", "candidate", "item"], batch["item"].x
    t = model.triggers(batch["user"].z, x, trigger.edge_index, trigger.a)
    source, target = trigger.edge_index[1, batch.path_trigger], candidate.edge_index[1, batch.path_candidate]
    s = model.similarities(x, source, target, batch.c)
    assert (t.shape, s.shape) == ((3, 5), (3, 5))
    y = torch.zeros(3, dtype=torch.double)
    for path, number in enumerate(batch.path_candidate.tolist()):
        y[number] += torch.log(1 + torch.exp(t[batch.path_trigger[path]]) @ torch.exp(s[path]))
    torch.testing.assert_close(model(batch), y)


@pytest.fixture
def contextual() -> PDN:
    torch.manual_seed(0)
    return PDN(SIZES, PDNOptions(embedding=4, hidden=6, direct=3, trig_net="transformer")).double().eval()


def weights_of(model: PDN, batch: HeteroData, rows: list[int], groups: list[list[int]]) -> torch.Tensor:
    trigger = batch["user", "trigger", "item"]
    index, codes = trigger.edge_index[:, rows], trigger.a[rows]
    return model.triggers(batch["user"].z, batch["item"].x, index, codes, torch.tensor(groups))


def test_a_transformer_weighs_a_trigger_among_the_same_shoppers_others(contextual: PDN, batch: HeteroData) -> None:
    """Whoever else is in the batch, and in whatever order they come."""
    t = weights_of(contextual, batch, [0, 1, 2], [[0, 1], [2, 3]])
    alone = weights_of(contextual, batch, [0], [[0], [1]])
    torch.testing.assert_close(weights_of(contextual, batch, [0, 1], [[0, 1], [2, 2]]), t[:2])
    torch.testing.assert_close(weights_of(contextual, batch, [2], [[1], [0]]), t[2:])
    torch.testing.assert_close(weights_of(contextual, batch, [2, 1, 0], [[1, 2], [0, 3]]), t.flip(0))
    assert (alone - t[:1]).abs().item() > 1e-6


def test_a_transformer_in_trig_net_leaves_the_rest_of_equation_12(contextual: PDN, batch: HeteroData) -> None:
    trigger, candidate = batch["user", "trigger", "item"], batch["user", "candidate", "item"]
    z, x = batch["user"].z, batch["item"].x
    t = contextual.triggers(z, x, trigger.edge_index, trigger.a, trigger.groups)
    source, target = trigger.edge_index[1, batch.path_trigger], candidate.edge_index[1, batch.path_candidate]
    s = contextual.similarities(x, source, target, batch.c)
    user, item = candidate.edge_index
    y = torch.nn.functional.softplus((contextual.user_vectors(z)[user] * contextual.item_vectors(x)[item]).sum(-1))
    y = y + contextual.bias_part(candidate.bias)
    for path, number in enumerate(batch.path_candidate.tolist()):
        y[number] = y[number] + torch.log(1 + torch.exp(t[batch.path_trigger[path]]) * torch.exp(s[path]))
    torch.testing.assert_close(contextual(batch), y)


def test_a_shopper_without_triggers_disturbs_no_gradient(contextual: PDN, batch: HeteroData) -> None:
    weights_of(contextual, batch, [0, 1], [[0, 1], [2, 2]]).sum().backward()
    found = [one.grad for one in contextual.among_triggers.parameters() if one.grad is not None]
    assert found
    assert all(torch.isfinite(one).all() for one in found)


def test_padding_says_nothing(batch: HeteroData) -> None:
    """A short history says the same however many places are empty before it, but for where its items stand."""
    torch.manual_seed(0)
    x = batch["item"].x
    model = PDN(SIZES, PDNOptions(direct=8, history=5)).eval()
    history = torch.tensor([[len(x)] * 3 + [0, 1]])
    before = model.history_vectors(x, history)
    model.history_net.nothing.data += 7
    torch.testing.assert_close(model.history_vectors(x, history), before)


def test_examples_that_go_without_the_direct_part_are_paths_alone(batch: HeteroData) -> None:
    torch.manual_seed(0)
    options = PDNOptions(embedding=4, hidden=6, bias_net=False, without_direct=1.0)
    model = PDN(SIZES, options).double()
    alone = model(batch)
    assert alone[2] == 0  # the candidate that no path reaches
    assert (model.eval()(batch) > alone).all()


def test_paths_start_with_one_item_expected(batch: HeteroData) -> None:
    torch.manual_seed(0)
    model = PDN(SIZES, PDNOptions(embedding=4, hidden=6, direct_net=False, bias_net=False)).double()
    candidate = batch["user", "candidate", "item"]
    candidate.weight = torch.full((len(candidate.y),), 1000.0, dtype=torch.double)
    candidate.y = torch.zeros(len(candidate.y), dtype=torch.double)
    model.expect(batch)
    total = (model(batch) * candidate.weight).sum() / len(batch["user"].z)
    assert total.item() == pytest.approx(1, rel=0.2)


def test_projecting_tables_is_projecting_embeddings() -> None:
    torch.manual_seed(0)
    embedding, weight = FieldEmbedding([4, 9, 2], 5).double(), torch.randn(6, 15, dtype=torch.double)
    codes = random_codes(20, [4, 9, 2], 1)
    summed = row_sums(embedding.projected(weight), codes + embedding.offsets)
    torch.testing.assert_close(summed, embedding(codes) @ weight.T)


def test_edge_net_blocks_are_the_concatenation() -> None:
    torch.manual_seed(0)
    net, field = EdgeNet(3, 8, 5, hidden=6, start=-1.0).double(), FieldEmbedding([4, 9], 4).double()
    left, right = torch.randn(2, 3, dtype=torch.double), torch.randn(3, 5, dtype=torch.double)
    source, target, codes = random_codes(7, [2], 1)[:, 0], random_codes(7, [3], 2)[:, 0], random_codes(7, [4, 9], 3)
    of_left, _, of_right = net.blocks()
    first = net.first_layer(left @ of_left.T, right @ of_right.T, source, target, field, codes)
    torch.testing.assert_close(net.logits(net.states(first)), net(left[source], field(codes), right[target]))


def test_gradients_of_sums_of_rows_match_finite_differences() -> None:
    """Rows that stand in many sums, in one twice, and in none."""
    table = torch.randn(6, 3, dtype=torch.double, requires_grad=True)
    rows = torch.tensor([[0, 1, 1], [4, 0, 2], [0, 0, 0], [2, 4, 1]])
    torch.testing.assert_close(row_sums(table, rows), table[rows].sum(1))
    assert torch.autograd.gradcheck(lambda value: row_sums(value, rows) ** 2, (table,))
    nothing = row_sums(table, rows[:0])
    assert nothing.shape == (0, 3)


def test_loss_is_cross_entropy_on_p() -> None:
    y = torch.tensor([0.1, 0.7, 3.0], dtype=torch.double)
    label = torch.tensor([1.0, 0.0, 1.0], dtype=torch.double)
    p = 1 - torch.exp(-y)
    naive = -(label * torch.log(p) + (1 - label) * torch.log(1 - p)).mean()
    torch.testing.assert_close(path_loss(y, label), naive)


def test_loss_and_gradient_are_finite_at_the_ends() -> None:
    y = torch.tensor([1e-12, 1e-12, 200.0, 200.0], requires_grad=True)
    loss = path_loss(y, torch.tensor([1.0, 0.0, 1.0, 0.0]))
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(y.grad).all()
    assert y.grad[0] < 0 < y.grad[3]


def test_weights_count_a_negative_as_often_as_it_stands_for_others() -> None:
    y, label = torch.tensor([0.1, 0.7, 0.7, 3.0]), torch.tensor([1.0, 0.0, 0.0, 1.0])
    twice = path_loss(y, label) * 4 / 2
    torch.testing.assert_close(path_loss(y[[0, 1, 3]], label[[0, 1, 3]], torch.tensor([1.0, 2.0, 1.0])), twice)


def test_a_sure_positive_costs_nothing() -> None:
    """The sigmoid cross-entropy of log p would still cost ln 2."""
    assert path_loss(torch.tensor([40.0]), torch.tensor([1.0])).item() < 1e-6


def test_loss_gradient_matches_finite_differences() -> None:
    y = torch.rand(6, dtype=torch.double).add(0.05).requires_grad_()
    label = torch.tensor([1, 0, 1, 0, 1, 0], dtype=torch.double)
    assert torch.autograd.gradcheck(lambda value: path_loss(value, label), (y,))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"history": -1}, "history is a number of items"),
        ({"without_direct": 1.5}, "without_direct a share"),
        ({"path": 0}, "path is 0: TrigNet and SimNet give at least 1"),
        ({"trig_net": "transformer", "hidden": 5}, "hidden is 5: with a transformer in TrigNet it must be a multiple"),
        ({"history": 5, "direct": 9}, "direct is 9: with a history it must be a multiple of heads, 2"),
    ],
)
def test_options_that_cannot_be(wrong: dict[str, float], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        PDNOptions(**wrong)
