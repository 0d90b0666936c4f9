"""Every kind of bad row in every kind of file: it is told with its place, and its neighbours are stored."""

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loaders
from graph.errors import SourceError
from graph.schema import INTERACTION, ITEM, USER
from tests.loaders.rejected import check_counts, quarantined, told

UNKNOWN = "is not in the table it refers to"
NO_TIME = "is no date or time of this format between 1900 and 2200"
EVENTS = {"file": "events.csv", "columns": {"user": "user", "item": "item"}}
SHOP = {
    "users": {"file": "users.csv", "columns": {"id": "id"}, "profile": ["age"]},
    "items": {"file": "items.csv", "columns": {"id": "id", "title": "title", "price": "price"}},
    "interactions": {
        "file": "events.csv",
        "columns": {"user": "user", "item": "item", "time": "time", "quantity": "quantity"},
    },
}
FILES = {
    "users.csv": "id,age\nu1,20\nu2,30\n",
    "items.csv": "id,title,price\ni1,One,1.5\ni2,Two,\n",
    "events.csv": "user,item,time,quantity\nu1,i1,2024-01-01,1\nu2,i2,2024-01-02T10:00:00+02:00,\n",
}


def test_good_rows_are_stored_as_they_are(load_tables):
    loaded = load_tables(SHOP, FILES)
    assert loaded.quarantine is None
    assert loaded.tables.users.rows() == [("u1", "20"), ("u2", "30")]
    assert loaded.tables.items.rows() == [("i1", "One", None, 1.5, True), ("i2", "Two", None, None, True)]
    seconds = [int(datetime.fromisoformat(day).timestamp()) for day in ("2024-01-01T00:00Z", "2024-01-02T08:00Z")]
    assert loaded.tables.interactions.rows() == [
        ("u1", "i1", "purchase", None, seconds[0], None, 1.0, None, None),
        ("u2", "i2", "purchase", None, seconds[1], None, None, None, None),
    ]
    assert dict(loaded.tables.interactions.schema) == INTERACTION
    assert dict(loaded.tables.items.schema) == ITEM
    assert dict(loaded.tables.users.schema) == {**USER, "age": pl.String}
    check_counts(loaded)


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        ("u1,i1,2024-01-05,many", "quantity", "many", "is no number"),
        ("u1,i1,2024-01-05,NaN", "quantity", "NaN", "is no finite number"),
        ("u1,i1,2024-01-05,-inf", "quantity", "-inf", "is no finite number"),
        ("u1,i1,2024-01-05,-1", "quantity", "-1", "is less than 0"),
        ("u1,i1,2023-02-29,1", "time", "2023-02-29", NO_TIME),
        ("u1,i1,yesterday,1", "time", "yesterday", NO_TIME),
        ("u1,i1,3024-01-05,1", "time", "3024-01-05", NO_TIME),
        ("u1,i1,,1", "time", "", "is missing"),
        (",i1,2024-01-05,1", "user", "", "is missing"),
        ("u1,  ,2024-01-05,1", "item", "  ", "is missing"),
        ("u9,i1,2024-01-05,1", "user", "u9", UNKNOWN),
        ("u1,i9,2024-01-05,1", "item", "i9", UNKNOWN),
        ("u1,i1,2024-01-05", None, "u1,i1,2024-01-05", "has 3 fields instead of 4"),
        ("u1,i1,2024-01-05,1,2", None, "u1,i1,2024-01-05,1,2", "has 5 fields instead of 4"),
    ],
)
def test_a_bad_interaction_is_told_and_the_rest_stored(load_tables, row, column, value, reason):
    events = FILES["events.csv"] + row + "\nu1,i2,2024-01-06,3\n"
    loaded = load_tables(SHOP, {**FILES, "events.csv": events})
    assert quarantined(loaded) == [
        {
            "table": "interactions",
            "file": "events.csv",
            "line": 4,
            "column": column,
            "value": value,
            "reason": reason,
        }
    ]
    assert loaded.tables.interactions["item"].to_list() == ["i1", "i2", "i2"]
    check_counts(loaded)


def test_the_same_row_again_is_a_duplicate_and_other_content_is_rejected(load_tables):
    items = "id,title,price\ni1,One,1.5\ni2,Two,\ni1,One,1.50\ni2,Zwei,\n"
    loaded = load_tables(SHOP, {**FILES, "items.csv": items})
    assert told(loaded) == [(5, "id", "i2", "has other content than the same id in items.csv, line 3")]
    assert loaded.tables.items["title"].to_list() == ["One", "Two"]
    assert loaded.counts["items"] == loaders.Count(read=4, stored=2, quarantined=1, duplicates=1)
    check_counts(loaded)


def test_an_id_too_long_or_with_a_control_character_is_rejected(load_tables):
    users = f"id,age\nu1,20\nu2,30\n{'x' * 4001},1\nu\x07,1\n{'x' * 4000},1\n"
    loaded = load_tables(SHOP, {**FILES, "users.csv": users})
    assert [(line, reason) for line, _, _, reason in told(loaded)] == [
        (4, "is longer than 4000 bytes"),
        (5, "has a control character"),
    ]
    assert loaded.tables.users.height == 3


def test_bytes_that_are_no_utf8_reject_their_row_only(load_tables):
    items = b"id,title,price\ni1,One,1\ni3,Caf\xe9,2\ni2,\xe2\x82\xac,3\n"
    loaded = load_tables(SHOP, {**FILES, "items.csv": items})
    assert told(loaded) == [(3, "title", "Caf\\xe9", "is not valid utf-8 text")]
    assert loaded.tables.items["title"].to_list() == ["One", "€"]


def test_lines_are_counted_as_an_editor_does(load_tables):
    """Quoted line ends, blank lines and Windows line ends all count."""
    items = b'\xef\xbb\xbfid,title,price\r\ni1,"One\r\nmore",1\r\n\r\ni2,Two,x\r\ni2,"a ""b""",2\r\n'
    loaded = load_tables(SHOP, {**FILES, "items.csv": items})
    assert told(loaded) == [(5, "price", "x", "is no number")]
    assert loaded.tables.items["title"].to_list() == ["One\r\nmore", 'a "b"']


@pytest.mark.parametrize("stray", ['i9,"stray,1', 'i9,"stray"x,1', '"i9'])
def test_a_stray_quotation_mark_costs_its_own_line_only(load_tables, stray):
    items = f'id,title,price\ni1,One,1\n{stray}\ni2,"Two",2\ni3,Three,3\n'
    loaded = load_tables(SHOP, {**FILES, "items.csv": items})
    assert [(line, column, value) for line, column, value, _ in told(loaded)] == [(3, None, stray)]
    assert loaded.tables.items["id"].to_list() == ["i1", "i2", "i3"]


def test_bad_lines_of_json(load_tables):
    good = {"user": "u1", "item": "i1", "n": 1}
    lines = [
        json.dumps(good).encode(),
        b'{"user": "u1", "item": "i1"',
        b"[1, 2]",
        b'{"user": "u1", "item": "\\ud800", "n": 1}',
        b'{"user": "u1", "item": "\xff", "n": 1}',
        b'{"user": "u1", "item": ["i1"], "n": 1}',
        b'{"user": "u1", "item": "i1", "n": NaN}',
        b'{"user": "u1", "item": "i1", "n": true}',
        b'{"user": null, "item": "i1", "n": 1}',
        b'{"item": "i1", "n": 1}',
        b'{"user": 7, "item": 8.0, "n": 1e3}',
        b"",
        b'{"user": "u2", "item": "i2"}',
    ]
    events = {"file": "e.jsonl", "columns": {"user": "user", "item": "item", "quantity": "n"}}
    loaded = load_tables({"interactions": events}, {"e.jsonl": b"\n".join(lines) + b"\n"})
    assert [(line, column, reason.split(":")[0]) for line, column, _, reason in told(loaded)] == [
        (2, None, "is no JSON"),
        (3, None, "is no JSON object"),
        (4, None, "is no JSON"),
        (5, None, "is no JSON"),
        (6, "item", "is a list or an object"),
        (7, "n", "is no finite number"),
        (8, "n", "is no number"),
        (9, "user", "is missing"),
        (10, "user", "is missing"),
    ]
    kept = loaded.tables.interactions.select("user", "item", "quantity").rows()
    assert kept == [("u1", "i1", 1.0), ("7", "8", 1000.0), ("u2", "i2", None)]
    check_counts(loaded)


def test_bad_rows_of_parquet_are_told_by_row_number(load_tables, tmp_path: Path):
    frame = pl.DataFrame(
        {
            "user": [1.0, float("nan"), 3.0, 4.5],
            "item": [b"a", b"b", b"\xff", b"d"],
            "time": [datetime.fromisoformat(f"{year}-01-01") for year in (2024, 2025, 2026, 1800)],
            "value": [1.0, 2.0, 3.0, float("inf")],
        }
    )
    (tmp_path / "raw").mkdir()
    frame.write_parquet(tmp_path / "raw" / "e.parquet")
    columns = {"user": "user", "item": "item", "time": "time", "value": "value"}
    loaded = load_tables({"interactions": {"file": "e.parquet", "columns": columns}}, {})
    assert told(loaded) == [
        (2, "user", "NaN", "is missing"),
        (3, "item", "\\xff", "is not valid utf-8 text"),
        (4, "time", "1800-01-01 00:00:00.000000", NO_TIME),
    ]
    assert loaded.tables.interactions.select("user", "item").rows() == [("1", "a")]


def test_an_hour_that_the_clock_skips_is_no_time(load_tables):
    time = {"column": "time", "zone": "Europe/Berlin", "format": "%Y-%m-%d %H:%M"}
    events = {"file": "e.csv", "columns": {"user": "u", "item": "i", "time": time}}
    raw = "u,i,time\n1,1,2024-03-31 02:30\n1,1,2024-03-31 03:30\n1,1,2024-10-27 02:30\n"
    loaded = load_tables({"interactions": events}, {"e.csv": raw})
    assert told(loaded) == [(2, "time", "2024-03-31 02:30", NO_TIME)]
    expected = [datetime.fromisoformat(t).timestamp() for t in ("2024-03-31T01:30Z", "2024-10-27T00:30Z")]
    assert loaded.tables.interactions["time"].to_list() == expected


def test_milliseconds_taken_for_seconds_are_told(load_tables):
    events = {"file": "e.csv", "columns": {"user": "u", "item": "i", "time": {"column": "t", "format": "seconds"}}}
    loaded = load_tables({"interactions": events}, {"e.csv": "u,i,t\n1,1,1704067200\n1,1,1704067200000\n"})
    assert told(loaded) == [(3, "t", "1704067200000", NO_TIME)]


def test_where_no_row_is_good_the_load_fails_and_leaves_the_quarantine(load_tables, own_settings):
    with pytest.raises(SourceError, match="none of the 1 rows of interactions is good"):
        load_tables(SHOP, {**FILES, "events.csv": "user,item,time,quantity\nu9,i1,2024-01-01,1\n"})
    assert (own_settings.quarantine_folder / "shop.jsonl").read_text(encoding="utf-8").count("\n") == 1


def test_a_clean_load_takes_away_the_quarantine_of_an_earlier_one(load_tables, own_settings):
    load_tables(SHOP, {**FILES, "users.csv": FILES["users.csv"] + "u1,99\n"})
    assert [path.name for path in own_settings.quarantine_folder.iterdir()] == ["shop.jsonl"]
    load_tables(SHOP, FILES)
    assert list(own_settings.quarantine_folder.iterdir()) == []


def test_a_quarantine_that_cannot_be_written_is_one_line(load_tables, own_settings):
    own_settings.store_folder.mkdir(parents=True)
    own_settings.quarantine_folder.write_text("in the way")
    with pytest.raises(SourceError, match=r"cannot write .*shop\.jsonl: "):
        load_tables(SHOP, {**FILES, "users.csv": FILES["users.csv"] + "u1,99\n"})


IDS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=5)
GOOD = st.tuples(IDS, IDS, st.floats(0, 1e9).map(repr))
BAD = st.sampled_from(
    ["a,b,x", "a,b,nan", ",b,1", "a,,1", "a,b", "a,b,1,2", "a,b,-3", '"a"z,b,1', "a\x01,b,1"]
)  # one line each


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(GOOD, BAD), min_size=1, max_size=40).filter(lambda rows: any(map(is_good, rows))))
def test_all_good_rows_and_only_they_are_stored(load_tables, rows):
    """Good rows between bad ones, whatever characters they hold: all are stored in their order, all others told."""
    lines = [",".join(quote(field) for field in row) if is_good(row) else row for row in rows]
    events = {**EVENTS, "columns": {**EVENTS["columns"], "quantity": "n"}}
    loaded = load_tables({"interactions": events}, {"events.csv": "\n".join(["user,item,n", *lines]) + "\n"})
    good = [(user, item, float(n)) for user, item, n in filter(is_good, rows)]
    assert loaded.tables.interactions.select("user", "item", "quantity").rows() == good
    assert [line for line, *_ in told(loaded)] == [at for at, row in enumerate(rows, 2) if not is_good(row)]
    check_counts(loaded)


def is_good(row: object) -> bool:
    return isinstance(row, tuple)


def quote(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set('",') else field
