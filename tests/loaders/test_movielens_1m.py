"""MovieLens-1M: the layout of the data folder, the official one, and neither."""

import io
import zipfile
from hashlib import md5
from pathlib import Path

import polars as pl
import pytest

import loaders
from graph.errors import SourceError
from loaders import movielens_1m
from tests.loaders.rejected import check_counts, told

USERS = "1::F::1::10::48067\n2::M::56::16::70072\n"
MOVIES = "1::Toy Story (1995)::Animation|Children's\n2::Misérables, Les (1995)::Drama\n3::Untitled::Drama\n"
RATINGS = "1::1::5::978300019\n1::2::3::978300055\n1::3::4::978300055\n2::1::4::978300100\n2::9::4::978300101\n"


def write(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in (("users.dat", USERS), ("movies.dat", MOVIES), ("ratings.dat", RATINGS), ("README", "terms")):
        (folder / name).write_bytes(text.encode("latin-1"))


@pytest.mark.data
def test_the_marked_layout(data_settings, data_folder):
    loaded = loaders.load("movielens-1m", data_settings)
    tables = loaded.tables
    assert loaded.counts == {
        "items": loaders.Count(read=3_883, stored=3_883),
        "users": loaders.Count(read=6_040, stored=6_040),
        "interactions": loaders.Count(read=1_000_209, stored=1_000_209),
    }
    assert loaded.quarantine is None
    assert tables.source.protocol == "marked"
    assert tables.held_out["user"].n_unique() == tables.held_out.height == 6_040
    events = pl.concat([tables.interactions, tables.held_out])
    assert events["position"].null_count() == 0
    assert events["time"].is_not_null().sum() == 490_691
    assert tables.browse_nodes.height == 18
    assert tables.items.filter(pl.col("id") == "1").row(0, named=True)["year"] == 1995
    assert "Misérables, Les (1995)" in tables.items["title"]

    negatives = movielens_1m.negatives(data_folder / "movielens-1m")
    assert negatives.group_by("user").len()["len"].unique().to_list() == [99]
    assert negatives["user"].n_unique() == 6_040
    assert negatives.join(tables.held_out, on=["user", "item"], how="semi").height == 156
    assert negatives.join(tables.interactions, on=["user", "item"], how="semi").height == 0


def test_the_official_layout(own_settings):
    write(own_settings.home / "downloads" / "ml-1m")
    loaded = loaders.load("movielens-1m", own_settings)
    tables = loaded.tables
    assert tables.source.protocol == "last"
    assert tables.held_out.select("user", "item", "value").rows() == [("1", "3", 4.0)]  # of equal times the last row
    assert tables.interactions["item"].to_list() == ["1", "2", "1"]
    assert tables.users.rows() == [("1", "F", "1", "10"), ("2", "M", "56", "16")]
    assert tables.items.select("title", "year").rows() == [
        ("Toy Story (1995)", 1995),
        ("Misérables, Les (1995)", 1995),
        ("Untitled", None),
    ]
    assert tables.in_category.rows()[:2] == [("1", "Animation"), ("1", "Children's")]
    assert told(loaded) == [(5, "movie", "9", "is not in the table it refers to")]
    check_counts(loaded)


def test_negatives_that_are_not_there(tmp_path: Path):
    with pytest.raises(SourceError, match=r"negatives in .* cannot be read"):
        movielens_1m.negatives(tmp_path)


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for name, text in (("users.dat", USERS), ("movies.dat", MOVIES), ("ratings.dat", RATINGS), ("README", "")):
            zipped.writestr(f"ml-1m/{name}", text.encode("latin-1"))
    return packed.getvalue()


def test_the_official_zip_is_fetched_once(own_settings, monkeypatch, web_server):
    content = archive()
    address = web_server({"/ml-1m.zip": content})
    monkeypatch.setattr(movielens_1m, "ADDRESS", f"{address}/ml-1m.zip")
    monkeypatch.setattr(movielens_1m, "MD5", md5(content, usedforsecurity=False).hexdigest())
    assert loaders.load("movielens-1m", own_settings).counts["users"].stored == 2
    downloads = own_settings.home / "downloads"
    assert sorted(path.name for path in downloads.rglob("*")) == [
        "README",
        "ml-1m",
        "movies.dat",
        "ratings.dat",
        "users.dat",
    ]
    monkeypatch.setattr(movielens_1m, "ADDRESS", f"{address}/gone.zip")
    assert loaders.load("movielens-1m", own_settings).counts["users"].stored == 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/other.zip", "is not the published file"),
        ("/missing.zip", "answered 404"),
        ("/damaged.zip", "is damaged"),
        ("/empty.zip", "is damaged"),
    ],
)
def test_a_bad_download_leaves_nothing(own_settings, monkeypatch, web_server, path, reason):
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    files = {"/other.zip": b"other", "/damaged.zip": archive()[:-30], "/empty.zip": empty.getvalue()}
    monkeypatch.setattr(movielens_1m, "ADDRESS", web_server(files) + path)
    if "damaged" in reason:
        monkeypatch.setattr(movielens_1m, "MD5", md5(files[path], usedforsecurity=False).hexdigest())
    with pytest.raises(SourceError, match=reason) as raised:
        loaders.load("movielens-1m", own_settings)
    assert "movielens-1m: not in" in str(raised.value)
    assert "TWOHOP_DATA" in str(raised.value)
    assert list((own_settings.home / "downloads").iterdir()) == []


def test_without_network_it_says_where_it_looked_and_what_to_do(own_settings, monkeypatch, unused_address):
    monkeypatch.setattr(movielens_1m, "ADDRESS", f"{unused_address}/ml-1m.zip")
    with pytest.raises(SourceError) as raised:
        loaders.load("movielens-1m", own_settings)
    told_line = str(raised.value)
    assert "cannot be reached" in told_line
    assert str(own_settings.home / "downloads" / "ml-1m") in told_line
    assert "\n" not in told_line
