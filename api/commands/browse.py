"""`twohop browse load|classify|show`: browse trees, of the store and of no store."""

from typing import Annotated

import typer

from api.options import AsJson, Data, Store

app = typer.Typer(no_args_is_help=True, help="Load product taxonomies beside the store's own tree, and look at both.")

TreeSource = Annotated[
    str, typer.Argument(metavar="SOURCE", help="google, shopify, or a file with the columns id, name and parent.")
]
TreeName = Annotated[
    str | None, typer.Option("--tree", metavar="NAME", help="Name of a tree of your own; else its file's.")
]
Trees = Annotated[list[str] | None, typer.Option("--tree", metavar="NAME", help="Only this tree; may be repeated.")]
Node = Annotated[str, typer.Argument(metavar="ID", help="Id of a browse node, such as google:1011.")]


@app.command()
def load(source: TreeSource, tree: TreeName = None, data: Data = None, store: Store = None) -> None:
    """Load a taxonomy with its names in all languages. The same one again changes nothing; a newer one replaces it."""
    from api.display_intents import show_taxonomy
    from graph.driver import connect
    from graph.settings import load_settings
    from graph.trees import write_tree
    from loaders.taxonomy import load_taxonomy

    settings = load_settings(store)
    if data:
        settings = settings.model_copy(update={"data": data})
    taxonomy = load_taxonomy(source, settings, tree)
    with connect(settings) as database:
        write_tree(database, taxonomy.tree, taxonomy.version, taxonomy.nodes)
    show_taxonomy(taxonomy)


@app.command()
def classify(tree: Trees = None, as_json: AsJson = False, store: Store = None) -> None:
    """Tell product categories, assortments and aliases apart: the source's word, labels by hand, else a classifier."""
    from pydantic_core import to_json

    from api.display_intents import show_classes
    from api.intents import classify
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        counts = classify(database, tree or ())
    if as_json:
        typer.echo(to_json(counts).decode())
    else:
        show_classes(counts)


@app.command()
def show(node: Node, as_json: AsJson = False, store: Store = None) -> None:
    """Show a browse node: its class, its place, and the intents that it serves."""
    from pydantic_core import to_json

    from api.display_intents import show_browse_node
    from cypher.browse_node import browse_node
    from graph.driver import connect
    from graph.settings import load_settings

    with connect(load_settings(store), create=False) as database:
        found = browse_node(database, node)
    if as_json:
        typer.echo(to_json(found).decode())
    else:
        show_browse_node(found)
