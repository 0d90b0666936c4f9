"""Libraries of the optional extras `baselines` and `report`: the main job runs without them."""

from importlib import import_module
from typing import Any

from graph.errors import SettingsError


def extra(module: str, name: str = "baselines") -> Any:
    """Import a module of the extra `name`.

    Raises `SettingsError` where it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise SettingsError(f"{package} is not installed: pip install '.[{name}]'") from error
