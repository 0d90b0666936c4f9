"""Mapping files: what is wrong is told in one line with file and key; and the kinds of files they describe."""

import gzip
from pathlib import Path

import polars as pl
import pytest

import loaders
from graph.errors import SourceError
from loaders.mapping import read_mapping
from tests.loaders.rejected import check_counts, told

HEAD = "source: {id: shop}\n"
EVENTS = "interactions:\n  file: e.csv\n  columns: {user: u, item: i}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Input should be"),
        ("source: [", "line 1: not YAML"),
        (HEAD, "interactions: Field required"),
        (EVENTS, "source: Field required"),
        ("source: {id: Shop 1}\n" + EVENTS, "source.id: String should match"),
        ("source: {id: shop, hold_out: first}\n" + EVENTS, "source.hold_out: String should match"),
        ("source: {id: shop, hold_out: 'days:7'}\n" + EVENTS, "hold_out days:7 wants the column"),
        ("source: {id: shop, hold_out: marked}\n" + EVENTS, "hold_out marked wants the column"),
        (HEAD + EVENTS.replace("user: u", "usr: u"), "interactions.columns.user: Field required (and 1 more)"),
        (HEAD + EVENTS + "  format: xls\n", "interactions.format: Input should be"),
        (HEAD + EVENTS + "  format: split\n", "interactions: format split wants a separator"),
        (HEAD + EVENTS + "  separator: '::'\n", "interactions: a separator of several characters wants format split"),
        (HEAD + EVENTS + "  format: sequences\n  encoding: utf-16\n", "format sequences cannot be of encoding utf-16"),
        (HEAD + EVENTS + "  encoding: base64\n", "interactions.encoding: is no known encoding"),
        (HEAD + EVENTS.replace("user: u", "user: {value: {}}"), "interactions.columns.user.value: Input should be"),
        (HEAD + EVENTS.replace("user: u", "user: __line__"), "interactions.columns.user: a column whose name starts"),
        (HEAD + EVENTS.replace("e.csv", "[]"), "interactions.file: Value should have at least 1 item"),
        (HEAD + EVENTS + "  encoding: utf-9\n", "interactions.encoding: is no known encoding"),
        (HEAD + EVENTS.replace("user: u", "user: {}"), "interactions.columns.user: name either a column or a value"),
        (
            HEAD + EVENTS.replace("item: i", "item: i, time: {column: t, zone: Mars}"),
            "interactions.columns.time.zone: is no time zone",
        ),
        (HEAD + EVENTS + "users: {file: u.csv, columns: {id: u}, profile: [id]}\n", "users.profile: 'id' cannot be"),
        (HEAD + EVENTS + "users: {file: u.csv, columns: {id: u}, profile: [A b]}\n", "users.profile: 'A b' cannot be"),
        (
            HEAD + EVENTS + "exposures: {file: x.csv, columns: {item: i, place: p, week: w}}\n",
            "exposures want source.first_week",
        ),
        (
            HEAD + EVENTS + "items: {file: i.csv, columns: {id: i}, browse: {nodes: n}}\n",
            "items.browse.nodes wants the table browse_nodes",
        ),
        (
            HEAD + EVENTS + "items: {file: i.csv, columns: {id: i}, browse: {path: {column: 3}}}\n",
            "items.browse.path.column: Input should be a valid string",
        ),
    ],
)
def test_a_wrong_mapping_is_one_line_with_file_and_key(tmp_path: Path, text, message):
    path = tmp_path / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        read_mapping(path)
    told_line = str(raised.value)
    assert told_line.startswith(f"mapping file {path}")
    assert message in told_line
    assert "\n" not in told_line


def test_a_mapping_that_is_not_there_or_not_text(tmp_path: Path):
    with pytest.raises(SourceError, match=r"nowhere\.yaml: No such file"):
        read_mapping(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SourceError, match="is not UTF-8 text"):
        read_mapping(tmp_path / "bytes.yaml")


@pytest.mark.parametrize(
    ("files", "events", "message"),
    [
        ({}, {"file": "e.csv"}, "e.csv: not there"),
        ({}, {"file": "e-*.csv"}, r"e-\*.csv: not there"),
        ({"e.dat": "u,i\n"}, {"file": "e.dat"}, "its ending names no format"),
        ({"e.csv": "u,x\n1,2\n"}, {"file": "e.csv"}, "has no column 'i' but u, x"),
        ({"e.csv": "u,u,i\n1,2,3\n"}, {"file": "e.csv"}, "has the column 'u' twice"),
        ({"e.csv": ""}, {"file": "e.csv"}, "is empty or has no header line"),
        ({"e.csv": "u,i\n"}, {"file": "e.csv"}, "there is no interaction"),
        ({"e.jsonl": '{"u": 1, "x": 2}\n'}, {"file": "e.jsonl"}, "no row has the key 'i' but some have u"),
        ({"e.csv.gz": b"not gzip"}, {"file": "e.csv.gz"}, "is damaged"),
        ({"e.csv.gz": gzip.compress(b"u,i\n1,2\n" * 99)[:-9]}, {"file": "e.csv.gz"}, "is damaged"),
        ({"e.parquet": b"PAR1 no PAR1"}, {"file": "e.parquet"}, "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_one_line(load_tables, files, events, message):
    with pytest.raises(SourceError, match=message) as raised:
        load_tables({"interactions": {"columns": {"user": "u", "item": "i"}, **events}}, files)
    assert "\n" not in str(raised.value)


def test_a_column_of_lists_is_no_plain_column(load_tables, tmp_path: Path):
    (tmp_path / "raw").mkdir()
    pl.DataFrame({"u": ["1"], "i": [["a"]]}).write_parquet(tmp_path / "raw" / "e.parquet")
    with pytest.raises(SourceError, match="column 'i' holds lists"):
        load_tables({"interactions": {"file": "e.parquet", "columns": {"user": "u", "item": "i"}}}, {})


def test_unknown_source_and_misplaced_mapping(own_settings, tmp_path: Path):
    with pytest.raises(SourceError, match="'netflix' is not known: use one of complete-journey, movielens-1m"):
        loaders.load("netflix", own_settings)
    with pytest.raises(SourceError, match="no mapping file given"):
        loaders.load("tables", own_settings)
    with pytest.raises(SourceError, match="takes no mapping file"):
        loaders.load("movielens-1m", own_settings, mapping=tmp_path)


ROWS = {
    "e.csv": "u,i,n\n1,a,1\n2,b,2\n",
    "e.tsv": "u\ti\tn\n1\ta\t1\n2\tb\t2\n",
    "e.jsonl": '{"u": 1, "i": "a", "n": 1}\n{"u": "2", "i": "b", "n": "2"}\n',
    "e.csv.gz": gzip.compress(b"u,i,n\n1,a,1\n2,b,2\n"),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_same_rows_in_every_format(load_tables, name):
    columns = {"user": "u", "item": "i", "quantity": "n"}
    loaded = load_tables({"interactions": {"file": name, "columns": columns}}, {name: ROWS[name]})
    assert loaded.tables.interactions.select("user", "item", "quantity").rows() == [("1", "a", 1.0), ("2", "b", 2.0)]
    assert loaded.tables.users["id"].to_list() == ["1", "2"]
    assert loaded.tables.items.select("id", "title", "available").rows() == [("a", "a", True), ("b", "b", True)]
    assert loaded.counts["items"] == loaders.Count(stored=2, made=2)
    check_counts(loaded)


def test_lines_cut_at_a_separator_without_header_in_latin_1(load_tables):
    table = {"file": "e.dat", "format": "split", "separator": "::", "encoding": "latin-1", "header": ["u", "i"]}
    raw = '1::Café\n2\n2::b::c\n3::"b\n'.encode("latin-1")
    loaded = load_tables({"interactions": {**table, "columns": {"user": "u", "item": "i"}}}, {"e.dat": raw})
    assert loaded.tables.interactions.select("user", "item").rows() == [("1", "Café"), ("3", '"b')]
    assert told(loaded) == [
        (2, None, "2", "has 1 fields instead of 2"),
        (3, None, "2::b::c", "has 3 fields instead of 2"),
    ]


def test_sequences(load_tables):
    columns = {"user": "user", "item": "item", "position": "position"}
    table = {"file": "s.txt", "format": "sequences", "columns": columns}
    loaded = load_tables({"interactions": table}, {"s.txt": "u1 a b a\nu2\n\nu3 c\n"})
    kept = loaded.tables.interactions.select("user", "item", "position").rows()
    assert kept == [("u1", "a", 0), ("u1", "b", 1), ("u1", "a", 2), ("u3", "c", 0)]
    assert told(loaded) == [(2, None, "u2", "has a user but no item")]


def test_several_files_are_read_in_order_and_named(load_tables):
    files = {"e-2.csv": "u,i\n1,c\n,d\n", "e-1.csv": "i,u\na,1\nb,1\n"}
    loaded = load_tables({"interactions": {"file": "e-*.csv", "columns": {"user": "u", "item": "i"}}}, files)
    assert loaded.tables.interactions.select("item", "position").rows() == [("a", 0), ("b", 1), ("c", 2)]
    assert told(loaded) == [(3, "u", "", "is missing")]


def test_batches_join_without_a_seam(load_tables, monkeypatch):
    monkeypatch.setattr("loaders.files.TEXT_ROWS", 3)
    rows = "".join(f"u{n % 2},i{n},{n if n != 5 else 'x'}\n" for n in range(10))
    events = {"file": "e.csv", "columns": {"user": "u", "item": "i", "quantity": "n"}}
    loaded = load_tables({"interactions": events}, {"e.csv": "u,i,n\n" + rows})
    assert loaded.tables.interactions["item"].to_list() == [f"i{n}" for n in range(10) if n != 5]
    assert told(loaded) == [(7, "n", "x", "is no number")]


def test_unknown_users_and_items_are_made_where_the_mapping_says_so(load_tables):
    mapping = {
        "users": {"file": "u.csv", "columns": {"id": "u"}, "profile": ["age"]},
        "items": {"file": "i.csv", "columns": {"id": "i"}, "profile": {"year": {"column": "y", "type": "whole"}}},
        "interactions": {
            "file": "e.csv",
            "columns": {"user": "u", "item": "i"},
            "unknown_users": "make",
            "unknown_items": "make",
        },
    }
    files = {"u.csv": "u,age\n1,20\n", "i.csv": "i,y\na,1999\nb,\n", "e.csv": "u,i\n1,a\n2,c\n"}
    loaded = load_tables(mapping, files)
    assert loaded.tables.users.rows() == [("1", "20"), ("2", None)]
    assert loaded.tables.items.select("id", "title", "available", "year").rows() == [
        ("a", "a", True, 1999),
        ("b", "b", True, None),
        ("c", "c", True, None),
    ]
    assert loaded.tables.source.user_profile == ("age",)
    assert loaded.tables.source.item_profile == ("year",)
    check_counts(loaded)
