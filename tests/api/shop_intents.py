"""Three intents of the small shop, linked as `twohop intents link` links them: by the graph's own writers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.intents import rank_users
from graph.constraints import create_constraints
from graph.driver import Database
from graph.intents import Intent, Links, write_intent_embeddings, write_intents, write_links, write_state
from graph.trees import read_tree, write_node_embeddings
from models.intents.clusters import RankerOptions
from models.intents.encoder import untuned
from models.intents.links import intent_vectors, node_vectors
from models.intents.onnx_export import write_light
from tests.api.conftest import GROUPS, Line

TREE = "small-shop"
INTENTS = [
    Intent(
        id="grill-party",
        sentence="prepare for a grill party",
        source="table",
        term="cookout",
        department="Grill",
        says=("host a barbecue in the garden", "cookout with friends"),
        season=("summer",),
    ),
    Intent(
        id="holiday-baking",
        sentence="bake cookies for the holidays",
        source="table",
        term="baking",
        department="Baking",
        says=("make gingerbread",),
    ),
    Intent(id="set-up-an-office", sentence="set up an office", source="mined", term="Office Work", department="Office"),
]
SERVES = {"Grill": "grill-party", "Garden": "grill-party", "Baking": "holiday-baking", "Office": "set-up-an-office"}
REMOVE = """
MATCH (u:User) REMOVE u.pursues_state
WITH DISTINCT 1 AS done
OPTIONAL MATCH (n:Intent) DETACH DELETE n
WITH DISTINCT 1 AS done
OPTIONAL MATCH (s:Serving {id: 'intents'}) DELETE s
WITH DISTINCT 1 AS done
MATCH (n:BrowseNode) REMOVE n.embedding, n.embedding_baseline, n.embedding_model
WITH n MATCH (n)-[r:COMPLEMENTS]->() DELETE r
"""


@contextmanager
def linked_intents(line: Line, database: Database) -> Iterator[Database]:
    """The small shop with its intents and their encoder; afterwards without the intents."""
    encoder = untuned()
    write_light(Path(str(line.environment["TWOHOP_HOME"])) / "_encoders", encoder)
    for source in ("table", "mined"):
        write_intents(database, source, [one for one in INTENTS if one.source == source])
    ids = [one.id for one in INTENTS]
    write_intent_embeddings(database, ids, encoder.identity, intent_vectors(INTENTS, encoder))
    vectors = node_vectors(read_tree(database, TREE), encoder)
    nodes = list(read_tree(database, TREE).nodes)
    assert sorted(nodes) == sorted(GROUPS)
    write_node_embeddings(database, nodes, encoder.identity, vectors, vectors)
    write_links(database, TREE, _links())
    write_state(database, model=encoder.identity, links=1, tree=TREE, covered_days=0)
    rank_users(database, RankerOptions())
    create_constraints(database)  # waits for the indexes
    try:
        yield database
    finally:
        database.write(REMOVE)


def _links() -> Links:
    serves = [
        {"node": node, "intent": intent, "confidence": 0.9, "rank": 1, "source": "hand", "support": 0.0}
        for node, intent in SERVES.items()
    ]
    needs = [
        {"intent": intent, "node": node, "score": 1.0 - place / 10, "rank": place + 1, "source": "table"}
        for intent in set(SERVES.values())
        for place, node in enumerate(node for node, served in SERVES.items() if served == intent)
    ]
    complements = [
        {"start": start, "end": end, "intent": "grill-party", "score": 0.8, "rank": 1}
        for start, end in (("Grill", "Garden"), ("Garden", "Grill"))
    ]
    return Links(serves, needs, complements)
