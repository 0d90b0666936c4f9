"""Tables of search queries: each kind of file, however it is packed and encoded, and what is none."""

import io
import zipfile
from pathlib import Path

import pytest

from graph.errors import SourceError
from loaders.queries import QueryTable, read_queries

TABLE = 'query,category,count\ngrill, Garden > Grills ,12\n"tent, 2 people",google:1011,0.5\n,Tents,3\nchair,,4\n'
TABLE_ROWS = [("grill", "Garden > Grills", 12.0), ("tent, 2 people", "google:1011", 0.5)]
JUDGED = (
    '"id","product_uid","product_title","search_term","relevance"\n'
    '2,100001,"Simpson Strong-Tie 12-Gauge ""Angle""","angle bracket",3\n'
    '3,100001,"Simpson, Strong-Tie","l bracket",2.33\n'
    '9,100002,"BEHR Premium","deck over",2.32\n'
)
CLASSES = "query_id\tquery\tquery_class\n0\tsalon chair\tMassage Chairs\n1\tnothing known\t\n2\t漢字 🪑\tChairs\n"


def read(folder: Path, content: str | bytes, name: str = "q.csv") -> QueryTable:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_queries(file)


def refusal(folder: Path, content: str | bytes, name: str = "q.csv") -> str:
    """The one line that it says, without the file's name."""
    with pytest.raises(SourceError) as raised:
        read(folder, content, name)
    line = str(raised.value)
    assert len(line.splitlines()) == 1
    assert line.startswith(f"{folder / name}: ")
    return line.removeprefix(f"{folder / name}: ")


def packed(*names: str, content: str | bytes = TABLE) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


# The kinds


def test_a_query_table(tmp_path: Path) -> None:
    found = read(tmp_path, TABLE)
    assert (found.rows, found.judged) == (TABLE_ROWS, [])
    tabs = "count\tmore\tcategory\tquery\n3\tx\tTents\ttent\n1e3\ty\tChairs\tchair\n"
    assert read(tmp_path, tabs, "q.tsv").rows == [("tent", "Tents", 3.0), ("chair", "Chairs", 1000.0)]


def test_judged_pairs_that_are_relevant(tmp_path: Path) -> None:
    found = read(tmp_path, JUDGED)
    assert found.rows == []
    assert found.judged == [
        ("angle bracket", 'Simpson Strong-Tie 12-Gauge "Angle"', 3.0),
        ("l bracket", "Simpson, Strong-Tie", 2.33),
    ]


def test_queries_with_their_class(tmp_path: Path) -> None:
    found = read(tmp_path, CLASSES)
    assert (found.rows, found.judged) == ([], [("salon chair", "Massage Chairs", 1.0), ("漢字 🪑", "Chairs", 1.0)])


# How they are written


@pytest.mark.parametrize("name", ["q.zip", "Q.ZIP"])
@pytest.mark.parametrize("inside", ["q.csv", "folder/q.csv", "../q.csv"])
def test_a_zip_of_one_file(tmp_path: Path, name: str, inside: str) -> None:
    (tmp_path / "raw").mkdir()
    assert read(tmp_path / "raw", packed(inside), name).rows == TABLE_ROWS
    assert [file.name for file in tmp_path.rglob("*")] == ["raw", name]  # unpacked elsewhere, and cleared


def test_a_zip_with_a_folder_entry(tmp_path: Path) -> None:
    assert read(tmp_path, packed("folder/q.csv", content=JUDGED), "q.zip").judged[0][0] == "angle bracket"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    rows = [("grille à café", "Käse ½", 1.0)]
    text = "query,category,count\ngrille à café,Käse ½,1\n"
    assert read(tmp_path, text.encode(encoding)).rows == rows
    assert read(tmp_path, packed("q.csv", content=text.encode(encoding)), "q.zip").rows == rows


def test_windows_lines_and_lines_within_quotes(tmp_path: Path) -> None:
    assert read(tmp_path, TABLE.replace("\n", "\r\n")).rows == TABLE_ROWS
    assert read(tmp_path, 'query,category,count\n"a\nb",c,1\n').rows == [("a\nb", "c", 1.0)]


# What is none


@pytest.mark.parametrize("name", ["q.csv", "q.tsv", "q.zip"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=rf"^query table {tmp_path / name}: not there$"):
        read_queries(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(SourceError, match="not there"):
        read_queries(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "query,category,count\n",
        "query,category,count\n,Tents,1\n ,Tents,1\ntent, ,1\n",
        "query\tquery_class\ntent\t\n",
        "search_term,product_title,relevance\ntent,A tent,1\n",
    ],
)
def test_an_empty_table(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == "the query table is empty: nothing was written"


@pytest.mark.parametrize("count", ["many", "0", "-1", "nan", "inf", "1,5", "1 000", "None"])
def test_a_count_that_is_no_number_above_0(tmp_path: Path, count: str) -> None:
    line = refusal(tmp_path, f'query,category,count\ntent,Tents,2\nchair,Chairs,"{count}"\n')
    assert line == f"count {count!r} of 'chair' is no number above 0"


def test_a_count_that_is_missing(tmp_path: Path) -> None:
    for row in ("chair,Chairs", "chair,Chairs,", "chair,Chairs, "):
        line = refusal(tmp_path, f"query,category,count\n{row}\n")
        assert line in ("count None of 'chair' is no number above 0", "count '' of 'chair' is no number above 0")


def test_a_relevance_that_is_no_number(tmp_path: Path) -> None:
    line = refusal(tmp_path, "search_term,product_title,relevance\ntent,A tent,3\nchair,A chair,good\n")
    assert line == "relevance 'good' of 'chair' is no number above 0"


@pytest.mark.parametrize("header", ["query,category", "Query,Category,Count", "query;category;count", "a", "query"])
def test_other_columns(tmp_path: Path, header: str) -> None:
    line = refusal(tmp_path, f"{header}\n1,2,3\n")
    assert line == f"has the columns {header.replace(',', ', ')}: a query table has query, category, count"


@pytest.mark.parametrize("row", ['"tent,Tents,1', 'ten"t,Tents,1\nchair,Chairs,2'])
def test_a_quotation_mark_that_is_never_closed(tmp_path: Path, row: str) -> None:
    assert refusal(tmp_path, f"query,category,count\n{row}\n").startswith("is no CSV table (")


# With names of their own: that of the archive would hold the time, and xdist wants the same ones in all processes.
@pytest.mark.parametrize(
    "content",
    [TABLE.encode("utf-16"), packed("q.csv"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    ids=["utf-16", "archive", "picture"],
)
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "is no text: save it as UTF-8"


def _damaged() -> dict[str, bytes]:
    stuff = packed("q.csv", content=bytes(range(256)) * 30)
    changed, checksum = bytearray(stuff), bytearray(stuff)
    changed[60:90] = b"\xff" * 30
    checksum[checksum.rfind(b"PK\1\2") + 16] ^= 1
    return {"no zip": b"x", "empty": b"", "cut off": stuff[:-30], "changed": changed, "checksum changed": checksum}


@pytest.mark.parametrize("content", _damaged().values(), ids=_damaged())
def test_a_damaged_zip(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content, "q.zip") == "is no zip file: fetch it again"


def test_a_zip_that_python_cannot_open(tmp_path: Path) -> None:
    encrypted, strange = bytearray(packed("q.csv")), bytearray(packed("q.csv"))
    directory = encrypted.rfind(b"PK\1\2")
    encrypted[6] |= 1
    encrypted[directory + 8] |= 1
    strange[8] = strange[directory + 10] = 97  # a method of packing that nobody has
    assert "password required" in refusal(tmp_path, encrypted, "q.zip")
    assert refusal(tmp_path, strange, "q.zip").endswith("not supported): unpack it yourself")


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv")])
def test_a_zip_of_several_files_or_none(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert refusal(tmp_path, packed(*names), "q.zip") == f"holds {len(names)} files: a query table is one"


# The real ones


@pytest.mark.data
def test_home_depot(data_folder: Path) -> None:
    found = read_queries(data_folder / "queries" / "homedepot_train.csv.zip")
    assert found.rows == []
    assert len(found.judged) == 50_417
    assert found.judged[0] == ("angle bracket", "Simpson Strong-Tie 12-Gauge Angle", 3.0)
    assert len({query for query, _, _ in found.judged}) == 11_060
    assert {weight for _, _, weight in found.judged} == {2.33, 2.5, 2.67, 2.75, 3.0}
    assert ("mr heater", "Dyna-Glo 40,000 BTU 360è_ Tank Top Gas Portable Heater") in {row[:2] for row in found.judged}


@pytest.mark.data
def test_wands(data_folder: Path) -> None:
    found = read_queries(data_folder / "queries" / "wands_query.csv")
    assert found.rows == []
    assert len(found.judged) == 474  # of 480, 6 without a class
    assert found.judged[:2] == [
        ("salon chair", "Massage Chairs", 1.0),
        ("smart coffee table", "Coffee & Cocktail Tables", 1.0),
    ]
    assert ("dinosaur", "Kids Wall Décor", 1.0) in found.judged
