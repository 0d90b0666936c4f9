"""The encoder of shopping intents on held-out intents, by what it is tuned on: `python -m benchmarks.encoder`.

Tunes on pairs of the open table, of the query table, and of both; each is measured both ways on intents that it never
saw, beside the same encoder untuned and BM25. Wants the store complete-journey with Google's and Shopify's taxonomies,
mined, and a query table (docs/intents.md). The encoders of the stores stay as they are.
Writes `benchmarks/results/encoder.json`.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from api.intent_training import train_intents
from benchmarks.runs import command
from graph.driver import connect
from graph.errors import TwohopError
from graph.settings import load_settings
from models.intents.training import TrainingOptions

RESULTS = Path(__file__).parent / "results" / "encoder.json"
SOURCES = ("table", "queries", "both")


def main(arguments: Sequence[str] | None = None) -> None:
    command(__doc__).parse_args(arguments)
    found = {}
    try:
        settings = load_settings("complete-journey")
        with connect(settings) as database, TemporaryDirectory() as home:
            aside = settings.model_copy(update={"home": Path(home)})
            for source in SOURCES:
                found[source] = asdict(train_intents(aside, database, TrainingOptions(), source, final=False))
                del found[source]["model"]
    except TwohopError as error:
        sys.exit(f"benchmarks.encoder: {error}")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
