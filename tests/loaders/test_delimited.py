"""CSV in chunks: the same records at any chunk size, each with its line, however the quotation marks stand."""

import io

from hypothesis import given
from hypothesis import strategies as st

from loaders.delimited import read_chunks, read_records

TEXTS = st.lists(st.sampled_from(["a", "bb", ",", ",", '"', "\n", "\r\n", "a,b,c\n"]), max_size=30).map("".join)


@given(TEXTS, st.integers(1, 5))
def test_chunks_hold_what_reading_record_by_record_gives(text, size):
    lines = list(io.StringIO(text, newline=""))
    records = list(read_records(lines, ",", 3))
    chunks = list(read_chunks(lines, ",", 3, 1, size))
    good = [(line, row) for chunk in chunks for line, row in zip(chunk.lines, chunk.rows, strict=True)]
    assert good == [(record.line, record.fields) for record in records if record.problem is None]
    broken = [record for chunk in chunks for record in chunk.broken]
    assert broken == [record for record in records if record.problem is not None]


@given(TEXTS)
def test_every_line_is_in_one_record_or_blank(text):
    lines = list(io.StringIO(text, newline=""))
    covered = [line for record in read_records(lines, ",", 3) for line in range(record.line, record.end)]
    assert len(covered) == len(set(covered))
    left_out = [lines[number - 1].strip("\r\n") for number in set(range(1, len(lines) + 1)) - set(covered)]
    assert set(left_out) <= {""}


def test_a_field_may_run_over_lines():
    lines = ["a,b\n", '1,"x\n', 'y"\n', "2,z\n"]
    assert [(record.line, record.fields) for record in read_records(lines, ",")] == [
        (1, ["a", "b"]),
        (2, ["1", "x\ny"]),
        (4, ["2", "z"]),
    ]
