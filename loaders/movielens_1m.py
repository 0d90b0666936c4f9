"""MovieLens-1M (GroupLens): 1,000,209 ratings of 3,706 movies by 6,040 users.

Two layouts are read: the official one (`ratings.dat`), and one whose `ratings.csv.gz` adds each rating's place in its
user's order and the held-out row of the Neural Collaborative Filtering split (He et al., 2017).
"""

import gzip
from collections.abc import Mapping as Named
from pathlib import Path

import polars as pl

from graph.errors import SourceError
from graph.settings import Settings
from loaders.download import fetch_zip
from loaders.mapping import Mapping
from loaders.pipeline import Recipe

ADDRESS = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
MD5 = "c4d9eecfca2ab87c1945afe126590906"  # GroupLens publishes no other checksum
DAT = {"format": "split", "separator": "::", "encoding": "latin-1"}
USERS = {
    "file": "users.dat",
    "header": ["user", "gender", "age", "occupation", "zip"],
    "columns": {"id": "user"},
    "profile": ["gender", "age", "occupation"],
    **DAT,
}
ITEMS = {
    "file": "movies.dat",
    "header": ["movie", "title", "genres"],
    "columns": {"id": "movie", "title": "title"},
    "profile": {"year": {"column": "year", "type": "whole"}},
    "browse": {"labels": {"column": "genres", "separator": "|"}},
    **DAT,
}
MARKED = {
    "file": "ratings.csv.gz",
    "columns": {
        "user": "user_id",
        "item": "movie_id",
        "kind": {"value": "rating"},
        "position": "position",
        "time": {"column": "timestamp", "format": "seconds"},
        "value": "rating",
        "held_out": "ncf_test",
    },
}
OFFICIAL = {
    "file": "ratings.dat",
    "header": ["user", "movie", "rating", "time"],
    "columns": {
        "user": "user",
        "item": "movie",
        "kind": {"value": "rating"},
        "time": {"column": "time", "format": "seconds"},
        "value": "rating",
    },
    **DAT,
}
COMMON = ("movies.dat", "users.dat")


def prepare(settings: Settings) -> Recipe:
    """Find the files, or fetch the official ones. Raises `SourceError` where neither works."""
    downloads = settings.home.expanduser() / "downloads"
    places = [parent / name for parent in (settings.data, downloads) if parent for name in ("movielens-1m", "ml-1m")]
    for folder in places:
        if all((folder / name).is_file() for name in COMMON):
            if (folder / "ratings.csv.gz").is_file():
                return _recipe(folder, MARKED, "marked")
            if (folder / "ratings.dat").is_file():
                return _recipe(folder, OFFICIAL, "last")
    folder = downloads / "ml-1m"
    try:
        fetch_zip(ADDRESS, MD5, folder, [f"ml-1m/{name}" for name in (*COMMON, "ratings.dat", "README")])
    except SourceError as error:
        looked = ", ".join(str(place) for place in places)
        raise SourceError(
            f"movielens-1m: not in {looked}, and {error}: unpack {ADDRESS} to {folder} or set TWOHOP_DATA"
        ) from None
    return _recipe(folder, OFFICIAL, "last")


def _recipe(folder: Path, interactions: Named[str, object], hold_out: str) -> Recipe:
    mapping = {
        "source": {"id": "movielens-1m", "note": "MovieLens-1M, GroupLens", "hold_out": hold_out},
        "users": USERS,
        "items": ITEMS,
        "interactions": interactions,
    }
    return Recipe(Mapping.model_validate(mapping), folder, {"items": _add_year})


def _add_year(movies: pl.DataFrame) -> pl.DataFrame:
    """`year`: what stands in brackets at a title's end."""
    return movies.with_columns(pl.col("title").str.extract(r"\((\d{4})\)\s*$").alias("year"))


def negatives(folder: Path) -> pl.DataFrame:
    """The 99 negatives of each user in the Neural Collaborative Filtering split, in the file's order.

    Args:
        folder: holds `ratings.csv.gz` and `ml-1m.test.negative.gz`.

    Returns:
        `user` and `item`, ids as in the graph, 99 rows a user. 156 of them are the user's own held-out movie: the
        file has it so, and published results were made with it.

    Raises `SourceError` where a file is not there or damaged.
    """
    try:
        ids = pl.read_csv(folder / "ratings.csv.gz", columns=["user_id", "movie_id", "ncf_user", "ncf_item"])
        with gzip.open(folder / "ml-1m.test.negative.gz", "rt", encoding="ascii") as lines:
            rows = [line.rstrip("\n").split("\t") for line in lines]
        listed = pl.DataFrame(
            {
                "ncf_user": [int(row[0][1:].split(",")[0]) for row in rows],
                "ncf_item": [list(map(int, row[1:])) for row in rows],
            }
        ).explode("ncf_item")
    except (OSError, EOFError, ValueError, pl.exceptions.PolarsError) as error:
        raise SourceError(
            f"movielens-1m: the negatives in {folder} cannot be read ({error}): fetch them again"
        ) from None
    users = ids.select("ncf_user", pl.col("user_id").cast(pl.String).alias("user")).unique()
    items = ids.select("ncf_item", pl.col("movie_id").cast(pl.String).alias("item")).unique()
    return (
        listed.join(users, on="ncf_user", how="left", maintain_order="left")
        .join(items, on="ncf_item", how="left", maintain_order="left")
        .select("user", "item")
    )
