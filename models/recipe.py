"""Recipes: every number of a training in one readable YAML file."""

from importlib.resources import files
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from graph.errors import SourceError, one_line
from models.pairs import PairOptions
from models.pdn import PDNOptions
from models.sampling import SamplingOptions


class HistoryOptions(BaseModel):
    """How the transformer of `PDNOptions.history` is trained on whole histories, before all parts are trained together.

    Attributes:
        epochs: how often each event is a target.
        batch: windows of L events in a step.
        learning_rate, weight_decay: of AdamW; the rate is the peak of the one-cycle schedule.
        negatives: drawn for each step and shared by its targets; 0 compares with all items.
        together: share of the recipe's learning rate that is left to the transformer when all parts are trained.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = 10
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    negatives: int = 512
    together: float = 0.1


class Recipe(BaseModel):
    """Options of all parts of one training; a source without a recipe of its own uses `default.yaml`.

    Attributes:
        epochs: passes over the examples; the best one by validation is kept, without validation the last.
        learning_rate: peak of the one-cycle schedule (AdamW).
        weight_decay: of AdamW.
        validation_users: shoppers whose last moment, or last days where the store was loaded with `days:N`, is left
            out and predicted after each epoch; 0 leaves nothing out.
        similar: k, neighbours an item in the index.
        without: features that no network sees, such as `item.id` or `pair.text`. The manifest of a model names all
            that it has, by group.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pairs: PairOptions = PairOptions()
    network: PDNOptions = PDNOptions()
    sampling: SamplingOptions = SamplingOptions()
    history: HistoryOptions = HistoryOptions()
    epochs: int = 1
    learning_rate: float = 3e-3
    weight_decay: float = 1e-5
    validation_users: int = 500
    similar: int = 100
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _repeats(self) -> Self:
        if self.network.repeat_power != 1 and not self.pairs.repeats:
            raise ValueError("network: {repeat_power} is of repeats: set pairs: {repeats: true} as well")
        return self


def read_recipe(source: str, file: Path | None = None) -> Recipe:
    """The recipe in `file`, or the one kept for this source. Raises `SourceError` with one line."""
    own = files("models.recipes").joinpath(f"{source}.yaml")
    place = file or (own if own.is_file() else files("models.recipes").joinpath("default.yaml"))
    try:
        return Recipe.model_validate(yaml.safe_load(place.read_text(encoding="utf-8")) or {})
    except OSError as error:
        raise SourceError(f"cannot read the recipe {place}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise SourceError(f"{place} is no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise SourceError(f"{place}: {one_line(error)}") from None
