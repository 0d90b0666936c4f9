"""The trained network as ONNX, one graph for each of its functions: what `models.serving` runs without torch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from torch import Tensor, nn

from models.pdn import PDN

OPSET = 20


class _Function(nn.Module):
    """One method of the network as a module, which is what the exporter takes."""

    def __init__(self, network: PDN, name: str) -> None:
        super().__init__()
        self.network, self.name = network, name

    def forward(self, *arguments: Tensor) -> Tensor:
        output: Tensor = getattr(self.network, self.name)(*arguments)
        return output


def export(network: PDN) -> dict[str, bytes]:
    """Graphs by name, with the arguments and results of the methods of `PDN` that they are:

    - triggers: z [B, Fz], x [N, Fx], edge_index [2, T], a [T, Fa] → t [T]; and groups [B, L] where a transformer sees
      the triggers together
    - similarities: x [N, Fx], source [P], target [P], c [P, Fc] → s [P]
    - item_vectors: x [N, Fx] → q [N, k]
    - user_vectors: z [B, Fz] → p [B, k], or history_vectors: x [N, Fx], history [B, L] → p [B, k], as the network has
      it. Without Direct Net there are neither of these nor item_vectors.

    All inputs are int64. Every number of rows is dynamic.
    """
    network = network.cpu().eval()
    # Rows of the example inputs, whose number is dynamic: more than L, else the two are taken for one.
    rows, length = network.options.history + 3, network.options.history
    z, x, a, c = (torch.zeros(rows, len(part.sizes), dtype=torch.long) for part in _parts(network))
    index = torch.zeros(rows, dtype=torch.long)
    wanted: dict[str, dict[str, Tensor]] = {
        "triggers": {"z": z, "x": x, "edge_index": torch.stack([index, index]), "a": a},
        "similarities": {"x": x, "source": index, "target": index, "c": c},
    }
    if network.among_triggers is not None:
        wanted["triggers"] |= {"groups": torch.zeros(rows, rows + 1, dtype=torch.long)}
    if network.options.direct_net:
        wanted |= {"item_vectors": {"x": x}}
        if network.options.reads_history:
            wanted |= {"history_vectors": {"x": x, "history": torch.zeros(rows, length, dtype=torch.long)}}
        else:
            wanted |= {"user_vectors": {"z": z}}
    return {name: _graph(_Function(network, name), inputs) for name, inputs in wanted.items()}


def _parts(network: PDN) -> tuple[nn.Module, ...]:
    return network.user, network.item, network.behaviour, network.pair


def _graph(function: nn.Module, inputs: dict[str, Tensor]) -> bytes:
    dynamic = {"edge_index": (1,), "groups": (0, 1)}
    rows = {name: dict.fromkeys(dynamic.get(name, (0,)), torch.export.Dim.DYNAMIC) for name in inputs}
    with quiet(), torch.no_grad():
        arguments = tuple(value.clone() for value in inputs.values())  # one tensor in two places would be one input
        program = torch.export.export(function.eval(), arguments, dynamic_shapes=(tuple(rows.values()),), strict=False)
        found = torch.onnx.export(
            program, input_names=list(inputs), output_names=["output"], opset_version=OPSET, verbose=False
        )
    assert found is not None  # noqa: S101  it is None only where it writes a file
    return plain(found.model_proto).SerializeToString()


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without what the exporter notes about the code that it saw: names of files, lines and classes."""
    for owner in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph):
        del owner.metadata_props[:]
        owner.doc_string = ""
    del model.metadata_props[:]
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """The exporter tells what it skipped; none of it is for users."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
