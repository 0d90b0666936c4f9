"""Amazon Reviews 2014, Beauty, 5-core (J. McAuley, UCSD): each user's reviewed items in order of time."""

from graph.errors import SourceError
from graph.settings import Settings
from loaders.mapping import Mapping
from loaders.pipeline import Recipe

ADDRESS = "https://jmcauley.ucsd.edu/data/amazon/"
FILES = ("sequences.txt.gz", "items.jsonl.gz")
MAPPING = Mapping.model_validate(
    {
        "source": {"id": "amazon-beauty", "note": "Amazon Reviews 2014, Beauty, 5-core", "hold_out": "last"},
        "items": {
            "file": "items.jsonl.gz",
            "columns": {"id": "asin", "title": "title", "brand": "brand"},
            "browse": {"path": {"column": "path"}},
        },
        "interactions": {
            "file": "sequences.txt.gz",
            "format": "sequences",
            "columns": {"user": "user", "item": "item", "position": "position", "kind": {"value": "review"}},
        },
    }
)


def prepare(settings: Settings) -> Recipe:
    """Find the files in the folder of raw data. Raises `SourceError` where they are not there."""
    places = [
        parent / "amazon-beauty" for parent in (settings.data, settings.home.expanduser() / "downloads") if parent
    ]
    for folder in places:
        if all((folder / name).is_file() for name in FILES):
            return Recipe(MAPPING, folder)
    looked = " and ".join(str(place) for place in places)
    raise SourceError(
        f"amazon-beauty: {' and '.join(FILES)} are not in {looked}: make them from the reviews and "
        f"metadata of {ADDRESS} as docs/loading.md says and set TWOHOP_DATA to the folder that holds amazon-beauty"
    )
