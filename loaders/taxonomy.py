"""Browse trees that belong to no store: Google's and Shopify's product taxonomies, and trees of your own as a table."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from graph.errors import SourceError
from graph.paths import SEPARATOR
from graph.schema import BROWSE_CLASSES, TREE_NODE, locale_property
from graph.settings import Settings
from loaders.browse import rank
from loaders.files import read
from loaders.mapping import FORMATS, TableMap

GOOGLE_ADDRESS = "https://www.google.com/basepages/producttype/taxonomy-with-ids.en-US.txt"
SHOPIFY_ADDRESS = "https://github.com/Shopify/product-taxonomy"
GOOGLE_FILE = re.compile(r"taxonomy-with-ids\.([a-z]{2}-[A-Z]{2})\.txt(\.gz)?")
GOOGLE_LINE = re.compile(r"(\d+) - (.+(?<! >))")
GOOGLE_MAIN = "en-US"
TREE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
OWN_COLUMNS = ("id", "name", "parent", "class")
LOCALE_COLUMN = re.compile(r"name_([A-Za-z]{2}([_-][A-Za-z]{2})?)")


@dataclass(frozen=True)
class Taxonomy:
    """A browse tree that was checked.

    Attributes:
        tree: its name; ids of nodes are `tree:id`.
        version: as its publisher states it; empty where unknown.
        nodes: the columns of `graph.schema.TREE_NODE`, and `name_…` for each further locale.
        unnamed: nodes without a name in each further locale, by its property.
    """

    tree: str
    version: str
    nodes: pl.DataFrame
    unnamed: dict[str, int]


def load_taxonomy(source: str, settings: Settings, tree: str | None = None) -> Taxonomy:
    """Read `google`, `shopify`, or the table in a file of your own.

    Args:
        source: `google` and `shopify` lie in the folder `taxonomies` of the raw data (TWOHOP_DATA). Anything else is
            the path of a CSV, TSV, JSON Lines or Parquet file with the columns id, name and parent (empty: a top node),
            and where it has them class (category, assortment, alias) and names in more languages (name_de, name_pt_BR).
        tree: name of the tree in a file of your own; its file's name if left out.

    Raises `SourceError` with one line: nothing there, an empty tree, an id twice, a node without a name, a parent that
    is not there, a node that is its own parent, a cycle.
    """
    if source in _PUBLISHED:
        return _PUBLISHED[source](_folder(source, settings))
    file = Path(source).expanduser()
    name = tree or file.name.split(".")[0].lower()
    if not TREE_NAME.fullmatch(name) or name in _PUBLISHED:
        raise SourceError(
            f"{name!r} cannot be the name of a tree of your own: give another one of a-z, 0-9 and - by --tree"
        )
    return _own(file, name)


def _folder(source: str, settings: Settings) -> Path:
    places = [
        parent / "taxonomies" / source
        for parent in (settings.data, settings.home.expanduser() / "downloads")
        if parent is not None
    ]
    for folder in places:
        if folder.is_dir():
            return folder
    address = GOOGLE_ADDRESS if source == "google" else SHOPIFY_ADDRESS
    looked = " or ".join(str(place) for place in places)
    raise SourceError(f"taxonomy {source}: no folder {looked}: fetch it from {address} as docs/intents.md says")


# Google: one text file a locale, a line is `id - A > B > C`.


def read_google(folder: Path) -> Taxonomy:
    """All locales of a folder; nodes are those of en-US, other locales' names join by id."""
    found = {match[1]: file for file in sorted(folder.iterdir()) if (match := GOOGLE_FILE.fullmatch(file.name))}
    if GOOGLE_MAIN not in found:
        raise SourceError(f"{folder}: taxonomy-with-ids.{GOOGLE_MAIN}.txt is not there: fetch it from {GOOGLE_ADDRESS}")
    version, lines = _google_lines(found[GOOGLE_MAIN])
    by_path: dict[str, str] = {}
    rows = []
    for number, key, path in lines:
        above, _, name = path.rpartition(SEPARATOR)
        if above and above not in by_path:
            raise SourceError(f"{found[GOOGLE_MAIN]}, line {number}: {above!r} above {path!r} has no line of its own")
        if path in by_path:
            raise SourceError(f"{found[GOOGLE_MAIN]}, line {number}: {path!r} is there twice")
        by_path[path] = key
        rows.append({"id": key, "name": name, "parent": by_path.get(above)})
    names = {
        locale: {key: path.rpartition(SEPARATOR)[2] for _, key, path in _google_lines(file)[1]}
        for locale, file in found.items()
        if locale != GOOGLE_MAIN
    }
    return _taxonomy(
        "google",
        version,
        pl.DataFrame(rows, schema={"id": pl.String, "name": pl.String, "parent": pl.String}),
        names,
        found[GOOGLE_MAIN],
    )


def _google_lines(file: Path) -> tuple[str, list[tuple[int, str, str]]]:
    version, lines = "", []
    for number, line in enumerate(_text(file).split("\n"), start=1):
        if line.startswith("#"):
            version = line.rpartition(":")[2].strip()
        elif line.strip():
            match = GOOGLE_LINE.fullmatch(line.strip())
            if not match:
                raise SourceError(f"{file}, line {number}: {line[:80]!r} is not `id - A > B > C`: fetch the file again")
            lines.append((number, match[1], match[2]))
    return version, lines


# Shopify: categories/*.yml with each node's children, localizations/*.yml with names by id.


def read_shopify(folder: Path) -> Taxonomy:
    rows: dict[str, dict[str, Any]] = {}
    parents: dict[str, str] = {}
    for file in _yaml_files(folder / "categories"):
        for key, name, children in _shopify_entries(file):
            if key in rows:
                raise SourceError(f"{file}: node {key!r} is there twice; nothing was written")
            rows[key] = {"id": key, "name": name}
            for child in children:
                if parents.setdefault(child, key) != key:
                    raise SourceError(f"{file}: node {child} is a child of both {parents[child]} and {key}")
    lost = sorted(set(parents) - set(rows))
    if lost:
        raise SourceError(f"{folder}: node {lost[0]} is a child of {parents[lost[0]]} but has no entry of its own")
    nodes = pl.DataFrame(
        [{**row, "parent": parents.get(key)} for key, row in rows.items()],
        schema={"id": pl.String, "name": pl.String, "parent": pl.String},
    )
    names: dict[str, dict[str, str]] = {}
    place = folder / "localizations"
    for file in _yaml_files(place) if place.is_dir() else ():
        try:
            names |= {
                str(locale): {key: str(entry["name"]) for key, entry in given["categories"].items() if entry["name"]}
                for locale, given in (_yaml(file) or {}).items()
            }
        except (AttributeError, KeyError, TypeError):
            shape = "{locale: {categories: {id: {name}}}}"
            raise SourceError(f"{file}: is no {shape}: fetch the file again") from None
    return _taxonomy("shopify", _shopify_version(folder), nodes, names, folder)


def _shopify_entries(file: Path) -> list[tuple[str, str | None, list[str]]]:
    """(id, name, children) of each node in one file."""
    try:
        found = [
            (str(node["id"]), node["name"], [str(child) for child in node.get("children") or ()])
            for node in _yaml(file) or ()
        ]
    except (AttributeError, KeyError, TypeError):
        found = None
    if found is None or any(not isinstance(name, str | None) for _, name, _ in found):
        raise SourceError(f"{file}: an entry has no id or no name: fetch the file again")
    return found


def _shopify_version(folder: Path) -> str:
    file = folder / "VERSION"
    return _text(file).strip() if file.is_file() else ""


def _yaml_files(folder: Path) -> Iterator[Path]:
    found = sorted(file for pattern in ("*.yml", "*.yml.gz") for file in folder.glob(pattern))
    if not found:
        raise SourceError(f"{folder}: no YAML files there: fetch the taxonomy from {SHOPIFY_ADDRESS}")
    yield from found


def _yaml(file: Path) -> Any:
    try:
        return yaml.load(_text(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  safe, and in C
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        raise SourceError(f"{file}: not YAML ({why}): fetch the file again") from None


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
        return (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8-sig")
    except FileNotFoundError:
        raise SourceError(f"file {file}: not there") from None
    except (zlib.error, EOFError, UnicodeDecodeError, OSError) as error:
        raise SourceError(f"{file}: cannot be read ({error}): fetch the file again") from None


# A tree of your own.


def _own(file: Path, tree: str) -> Taxonomy:
    if not file.is_file():
        published = " or ".join(_PUBLISHED)
        raise SourceError(
            f"tree {file}: no such file: name {published}, or a file with the columns id, name and parent"
        )
    if Path(file.name.removesuffix(".gz")).suffix.lower() not in FORMATS:
        raise SourceError(f"tree {file}: its ending names no format: use {', '.join(FORMATS)}")
    if not file.stat().st_size:
        raise SourceError(f"{file}: the tree is empty; nothing was written")
    batches = list(read(file, TableMap(file=[str(file)])))
    for batch in batches:
        if len(batch.broken):
            row = batch.broken.row(0, named=True)
            raise SourceError(f"{file}, line {row['line']}: {row['reason']}; nothing was written")
    nodes = pl.concat([batch.rows for batch in batches]) if batches else pl.DataFrame()
    missing = {"id", "name", "parent"} - set(nodes.columns)
    if missing:
        raise SourceError(
            f"{file}: column {sorted(missing)[0]!r} is missing: a tree has the columns id, name and parent"
        )
    wanted = [name for name in nodes.columns if name in OWN_COLUMNS or LOCALE_COLUMN.fullmatch(name)]
    nodes = nodes.select(_texts(nodes[name], file) for name in wanted)
    names = {
        match[1]: dict(nodes.filter(pl.col(column).is_not_null()).select("id", column).iter_rows())
        for column in nodes.columns
        if (match := LOCALE_COLUMN.fullmatch(column))
    }
    return _taxonomy(
        tree, "", nodes.select("id", "name", "parent", *(["class"] if "class" in nodes.columns else [])), names, file
    )


def _texts(column: pl.Series, file: Path) -> pl.Series:
    """Stripped, and null where blank. Parquet's whole numbers are as a CSV file would hold them."""
    if column.dtype.is_float() and (column.drop_nulls() % 1 == 0).all():
        column = column.cast(pl.Int64)
    try:
        return column.cast(pl.String).str.strip_chars().replace("", None)
    except pl.exceptions.PolarsError:
        raise SourceError(f"{file}: column {column.name!r} holds no texts: write it as text") from None


# What all have in common.


def _taxonomy(tree: str, version: str, nodes: pl.DataFrame, names: dict[str, dict[str, str]], place: Path) -> Taxonomy:
    ranked = check_tree(nodes, str(place))
    if "class" not in ranked.columns:
        ranked = ranked.with_columns(pl.lit(None, pl.String).alias("class"))
    wrong = ranked.filter(pl.col("class").is_not_null() & ~pl.col("class").is_in(list(BROWSE_CLASSES)))
    if len(wrong):
        row = wrong.row(0, named=True)
        raise SourceError(f"{place}: node {row['id']}: class {row['class']!r} is none of {', '.join(BROWSE_CLASSES)}")
    columns = {
        locale_property(locale): pl.col("id").replace_strict(found or {"": ""}, default=None, return_dtype=pl.String)
        for locale, found in sorted(names.items())
    }
    full = ranked.select(*TREE_NODE, **columns)
    unnamed = {name: full[name].null_count() for name in columns}
    prefixed = full.with_columns(
        pl.format(f"{tree}:{{}}", "id").alias("id"), pl.format(f"{tree}:{{}}", "parent").alias("parent")
    )
    return Taxonomy(tree, version, prefixed.sort("level", "id"), unnamed)


def check_tree(nodes: pl.DataFrame, place: str) -> pl.DataFrame:
    """`nodes` (id, name, parent) with their `level`, 0 at the top. Several top nodes are a forest, and fine.

    Raises `SourceError` that names the first node that is wrong.
    """

    def refuse(rows: pl.DataFrame, why: str) -> None:
        if len(rows):
            key, more = rows["id"][0], f" ({len(rows) - 1} more like it)" if len(rows) > 1 else ""
            raise SourceError(f"{place}: node {key!r} {why}{more}; nothing was written")

    if not len(nodes):
        raise SourceError(f"{place}: the tree is empty; nothing was written")
    refuse(nodes.filter(pl.col("id").is_null()), "has no id")
    refuse(nodes.filter(pl.col("id").is_duplicated()).unique("id", maintain_order=True), "is there twice")
    refuse(nodes.filter(pl.col("name").fill_null("").str.strip_chars() == ""), "has no name")
    refuse(nodes.filter(pl.col("parent") == pl.col("id")), "is its own parent")
    parent = pl.col("parent")
    refuse(nodes.filter(parent.is_not_null() & ~parent.is_in(nodes["id"].implode())), "has a parent that is not there")
    ranked = rank(nodes)
    refuse(ranked.filter(pl.col("level").is_null()), "stands in or below a cycle")
    return ranked


_PUBLISHED: dict[str, Callable[[Path], Taxonomy]] = {"google": read_google, "shopify": read_shopify}
PUBLISHED = tuple(_PUBLISHED)
