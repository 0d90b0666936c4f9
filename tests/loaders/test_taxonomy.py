"""Taxonomies of no store: Google's and Shopify's files, trees of one's own, and what each refuses in one line."""

import gzip
import json
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from graph.errors import SourceError
from graph.settings import Settings
from loaders.taxonomy import PUBLISHED, Taxonomy, load_taxonomy

# Google's name of node 1 in the 15 locales beside en-US.
ANIMALS = {
    "cs-CZ": "Chovatelství",
    "da-DK": "Dyr og tilbehør til kæledyr",
    "de-DE": "Tiere & Tierbedarf",
    "es-ES": "Productos para mascotas y animales",
    "fr-FR": "Animaux et articles pour animaux de compagnie",
    "it-IT": "Articoli per animali",
    "ja-JP": "ペット・ペット用品",
    "nl-NL": "Dieren",
    "no-NO": "Dyr og kjæledyrutstyr",
    "pl-PL": "Zwierzęta i artykuły dla zwierząt",
    "pt-BR": "Animais e suprimentos para animais de estimação",
    "ru-RU": "Животные и товары для питомцев",
    "sv-SE": "Djur och tillbehör till husdjur",
    "tr-TR": "Hayvanlar ve Evcil Hayvan Ürünleri",
    "zh-CN": "动物/宠物用品",
}
EN_US = """# Google_Product_Taxonomy_Version: 2019-07-10
1 - Animals & Pet Supplies
3237 - Animals & Pet Supplies > Live Animals
2 - Animals & Pet Supplies > Pet Supplies
3 - Animals & Pet Supplies > Pet Supplies > Bird Supplies
166 - Apparel & Accessories
"""
DE_DE = """# Google_Product_Taxonomy_Version: 2015-02-19
166 - Bekleidung & Accessoires
3 - Tiere & Tierbedarf > Tierbedarf > Vogelbedarf
1 - Tiere & Tierbedarf
2 - Tiere & Tierbedarf > Tierbedarf
9999 - Was es nicht mehr gibt
"""
CATEGORIES = """---
- id: ap
  name: Animals & Pet Supplies
  children:
  - ap-1
  - ap-2
  attributes: []
- id: ap-1
  name: Live Animals
  children: []
- id: ap-2
  name: Pet Supplies
"""
LOCALIZED = """---
pt-BR:
  categories:
    ap:
      name: Animais e produtos para animais de estimação
      context: Animals & Pet Supplies
    ap-2:
      name: Produtos para animais de estimação
    ap-1:
      name:
    zz:
      name: não existe
"""
DAMAGED = bytearray(gzip.compress(bytes(range(256)) * 40))
DAMAGED[20:40] = b"\xff" * 20
BROKEN = {
    "no gzip": b"1 - Animals",
    "cut off": gzip.compress(EN_US.encode() * 9)[:-9],
    "bytes changed": bytes(DAMAGED),
    "checksum changed": gzip.compress(EN_US.encode())[:-8] + bytes(8),
}

Files = dict[str, str | bytes]
Load = Callable[..., Taxonomy]


@pytest.fixture
def load(tmp_path: Path, new_settings: Callable[..., Settings]) -> Load:
    """Load a published taxonomy from these files, or the one file of one's own; `.gz` packs texts."""

    def read(source: str, files: Files, tree: str | None = None) -> Taxonomy:
        settings = new_settings(home=tmp_path / "home", data=tmp_path / "data")
        folder = tmp_path / "data" / "taxonomies" / source if source in PUBLISHED else tmp_path
        for name, content in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            raw = content.encode() if isinstance(content, str) else content
            file.write_bytes(gzip.compress(raw) if isinstance(content, str) and file.suffix == ".gz" else raw)
        return load_taxonomy(source if source in PUBLISHED else str(folder / source), settings, tree)

    return read


def refusal(load: Load, source: str, files: Files, tree: str | None = None) -> str:
    """The one line that it says."""
    with pytest.raises(SourceError) as raised:
        load(source, files, tree)
    line = str(raised.value)
    assert len(line.splitlines()) == 1
    return line


def by_id(taxonomy: Taxonomy) -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in taxonomy.nodes.to_dicts()}


# Google


@pytest.mark.parametrize("end", [".txt", ".txt.gz"])
def test_google_joins_locales_by_id(load: Load, end: str) -> None:
    files: Files = {f"taxonomy-with-ids.{locale}{end}": text for locale, text in (("en-US", EN_US), ("de-DE", DE_DE))}
    found = load("google", {**files, "README.md": "no taxonomy"})
    assert (found.tree, found.version, found.unnamed) == ("google", "2019-07-10", {"name_de_de": 1})
    assert found.nodes.columns == ["id", "name", "level", "parent", "class", "name_de_de"]
    assert found.nodes.rows() == [
        ("google:1", "Animals & Pet Supplies", 0, None, None, "Tiere & Tierbedarf"),
        ("google:166", "Apparel & Accessories", 0, None, None, "Bekleidung & Accessoires"),
        ("google:2", "Pet Supplies", 1, "google:1", None, "Tierbedarf"),
        ("google:3237", "Live Animals", 1, "google:1", None, None),
        ("google:3", "Bird Supplies", 2, "google:2", None, "Vogelbedarf"),
    ]


def test_google_in_16_languages(load: Load) -> None:
    files: Files = {f"taxonomy-with-ids.{locale}.txt": f"1 - {name}\n" for locale, name in ANIMALS.items()}
    found = load("google", {"taxonomy-with-ids.en-US.txt": EN_US, **files})
    top = by_id(found)["google:1"]
    assert {key: top[f"name_{key.lower().replace('-', '_')}"] for key in ANIMALS} == ANIMALS
    assert set(found.unnamed.values()) == {4}
    assert len(found.unnamed) == 15


def test_google_without_further_locales_with_windows_lines_and_a_mark(load: Load) -> None:
    plain = load("google", {"taxonomy-with-ids.en-US.txt": EN_US})
    assert plain.unnamed == {}
    assert plain.nodes.columns == ["id", "name", "level", "parent", "class"]
    marked = "\ufeff" + EN_US.replace("\n", "\r\n")
    assert load("google", {"taxonomy-with-ids.en-US.txt": marked}).nodes.equals(plain.nodes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 - Animals\nPet Supplies\n", ", line 2: 'Pet Supplies' is not `id - A > B > C`: fetch the file again"),
        ("1 - Animals\n- Pets\n", ", line 2: '- Pets' is not `id - A > B > C`: fetch the file again"),
        ("<html>\n", ", line 1: '<html>' is not `id - A > B > C`: fetch the file again"),
        ("1 - A\n2 - A > \n", ", line 2: '2 - A > ' is not `id - A > B > C`: fetch the file again"),
        ("1 - A\n2 - B > C\n", ", line 2: 'B' above 'B > C' has no line of its own"),
        ("1 - A\n2 - A\n", ", line 2: 'A' is there twice"),
        ("1 - A\n1 - B\n2 - C\n", ": node '1' is there twice; nothing was written"),
        ("# only a version: 2019-07-10\n", ": the tree is empty; nothing was written"),
        ("", ": the tree is empty; nothing was written"),
    ],
)
def test_a_google_file_that_is_no_tree(load: Load, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "data/taxonomies/google/taxonomy-with-ids.en-US.txt"
    assert refusal(load, "google", {file.name: text}) == f"{file}{why}"


def test_a_google_locale_with_a_line_that_is_none(load: Load) -> None:
    files: Files = {"taxonomy-with-ids.en-US.txt": EN_US, "taxonomy-with-ids.de-DE.txt": "1 - Tiere\n\n404\n"}
    assert "de-DE.txt, line 3: '404' is not" in refusal(load, "google", files)


def test_google_without_its_main_locale(load: Load, tmp_path: Path) -> None:
    line = refusal(load, "google", {"taxonomy-with-ids.de-DE.txt": DE_DE})
    assert line.startswith(f"{tmp_path}/data/taxonomies/google: taxonomy-with-ids.en-US.txt is not there: fetch it")


@pytest.mark.parametrize("source", PUBLISHED)
def test_a_published_taxonomy_that_was_never_fetched(load: Load, tmp_path: Path, source: str) -> None:
    line = refusal(load, source, {})
    assert line.startswith(f"taxonomy {source}: no folder {tmp_path}/data/taxonomies/{source} or {tmp_path}/home/")
    assert "fetch it from https://" in line


def test_a_published_taxonomy_in_the_home_folder(tmp_path: Path, new_settings: Callable[..., Settings]) -> None:
    folder = tmp_path / "home/downloads/taxonomies/google"
    folder.mkdir(parents=True)
    (folder / "taxonomy-with-ids.en-US.txt").write_text(EN_US, encoding="utf-8")
    assert len(load_taxonomy("google", new_settings(home=tmp_path / "home")).nodes) == 5


@pytest.mark.parametrize("how", BROKEN)
def test_damaged_archives(load: Load, how: str) -> None:
    files: Files = {"taxonomy-with-ids.en-US.txt": EN_US, "taxonomy-with-ids.de-DE.txt.gz": BROKEN[how]}
    line = refusal(load, "google", files)
    assert "taxonomy-with-ids.de-DE.txt.gz: cannot be read (" in line
    assert line.endswith("): fetch the file again")
    assert "a.yml.gz: cannot be read (" in refusal(load, "shopify", {"categories/a.yml.gz": BROKEN[how]})
    assert "tree.csv.gz: is damaged (" in refusal(load, "tree.csv.gz", {"tree.csv.gz": BROKEN[how]})


def test_a_file_that_is_no_utf_8(load: Load) -> None:
    line = refusal(load, "google", {"taxonomy-with-ids.en-US.txt": "1 - Käse\n".encode("latin-1")})
    assert "en-US.txt: cannot be read ('utf-8' codec can't decode" in line


# Shopify


@pytest.mark.parametrize("end", [".yml", ".yml.gz"])
def test_shopify(load: Load, end: str) -> None:
    files: Files = {
        f"categories/a{end}": CATEGORIES + "  children: [ap-2-1]\n",
        f"categories/b{end}": "- {id: ap-2-1, name: 🐦 Birds}\n- {id: gc, name: Gift Cards}\n",
        f"localizations/pt-BR{end}": LOCALIZED,
        "VERSION": "2026-02\n",
    }
    found = load("shopify", files)
    assert (found.tree, found.version, found.unnamed) == ("shopify", "2026-02", {"name_pt_br": 3})
    assert found.nodes.rows() == [
        ("shopify:ap", "Animals & Pet Supplies", 0, None, None, "Animais e produtos para animais de estimação"),
        ("shopify:gc", "Gift Cards", 0, None, None, None),
        ("shopify:ap-1", "Live Animals", 1, "shopify:ap", None, None),
        ("shopify:ap-2", "Pet Supplies", 1, "shopify:ap", None, "Produtos para animais de estimação"),
        ("shopify:ap-2-1", "🐦 Birds", 2, "shopify:ap-2", None, None),
    ]


def test_shopify_without_version_and_locales(load: Load) -> None:
    found = load("shopify", {"categories/a.yml": CATEGORIES})
    assert (found.version, found.unnamed, len(found.nodes)) == ("", {}, 3)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"README.md": ""}, "/categories: no YAML files there: fetch the taxonomy from https://"),
        ({"categories/a.yml": ""}, ": the tree is empty; nothing was written"),
        ({"categories/a.yml": "- id: [1"}, "/categories/a.yml: not YAML (did not find expected ',' or ']'): fetch"),
        ({"categories/a.yml": "- id: a\0"}, "/categories/a.yml: not YAML (control characters are not allowed): fetch"),
        ({"categories/a.yml": "- id: 2024-13-45"}, "/categories/a.yml: not YAML (month must be in 1..12): fetch"),
        ({"categories/a.yml": "- {id: a}"}, "/categories/a.yml: an entry has no id or no name: fetch"),
        ({"categories/a.yml": "- {name: A}"}, "/categories/a.yml: an entry has no id or no name: fetch"),
        ({"categories/a.yml": "- {id: a, name: [A]}"}, "/categories/a.yml: an entry has no id or no name: fetch"),
        ({"categories/a.yml": "- A"}, "/categories/a.yml: an entry has no id or no name: fetch"),
        ({"categories/a.yml": "{id: a, name: A}"}, "/categories/a.yml: an entry has no id or no name: fetch"),
        ({"categories/a.yml": "7"}, "/categories/a.yml: an entry has no id or no name: fetch"),
        ({"categories/a.yml": "- {id: a, name: null}"}, ": node 'a' has no name; nothing was written"),
        ({"categories/a.yml": "- {id: a, name: ' '}"}, ": node 'a' has no name; nothing was written"),
        ({"categories/a.yml": "- {id: a, name: A}\n- {id: a, name: B}"}, "/categories/a.yml: node 'a' is there twice"),
        ({"categories/a.yml": "- {id: a, name: A, children: [b]}"}, ": node b is a child of a but has no entry"),
        ({"categories/a.yml": "- {id: a, name: A, children: [a]}"}, ": node 'a' is its own parent; nothing was"),
        (
            {"categories/a.yml": "- {id: a, name: A, children: [b]}\n- {id: b, name: B, children: [a]}"},
            ": node 'a' stands in or below a cycle (1 more like it); nothing was written",
        ),
        (
            {"categories/a.yml": "".join(f"- {{id: {key}, name: N, children: [{child}]}}\n" for key, child in
                                         (("a", "c"), ("b", "c"), ("c", "")))},
            "/categories/a.yml: node c is a child of both a and b",
        ),
        (
            {"categories/a.yml": CATEGORIES, "localizations/de.yml": "de: {ap: Tiere}"},
            "/localizations/de.yml: is no {locale: {categories: {id: {name}}}}: fetch the file again",
        ),
        (
            {"categories/a.yml": CATEGORIES, "localizations/de.yml": "- de"},
            "/localizations/de.yml: is no {locale: {categories: {id: {name}}}}: fetch the file again",
        ),
        (
            {"categories/a.yml": CATEGORIES, "localizations/de.yml": "de: {categories: {ap: {context: A}}}"},
            "/localizations/de.yml: is no {locale: {categories: {id: {name}}}}: fetch the file again",
        ),
    ],
)  # fmt: skip
def test_shopify_files_that_are_no_tree(load: Load, tmp_path: Path, files: Files, why: str) -> None:
    assert refusal(load, "shopify", files).startswith(f"{tmp_path}/data/taxonomies/shopify{why}")


# A tree of one's own

CSV = "id,name,parent,class,name_de,name_pt_BR,shelf\n1,Food,,category,Essen,Comida,x\n2, Cheese ,1,,Käse,,\n"
TREE = {
    "tree.csv": CSV,
    "tree.csv.gz": CSV,
    "tree.tsv": CSV.replace(",", "\t"),
    "tree.jsonl": (
        '{"id": 1, "name": "Food", "class": "category", "name_de": "Essen", "name_pt_BR": "Comida"}\n'
        '{"id": "2", "name": "Cheese", "parent": 1, "name_de": "Käse", "name_pt_BR": null}\n'
    ),
}


def check_food(found: Taxonomy) -> None:
    assert (found.tree, found.version, found.unnamed) == ("tree", "", {"name_de": 0, "name_pt_br": 1})
    assert found.nodes.columns == ["id", "name", "level", "parent", "class", "name_de", "name_pt_br"]
    assert found.nodes.rows() == [
        ("tree:1", "Food", 0, None, "category", "Essen", "Comida"),
        ("tree:2", "Cheese", 1, "tree:1", None, "Käse", None),
    ]


@pytest.mark.parametrize("name", TREE)
def test_a_tree_of_ones_own(load: Load, name: str) -> None:
    check_food(load(name, {name: TREE[name]}))


@pytest.mark.parametrize("ids", [pl.String, pl.Int64, pl.Int32, pl.Categorical])
@pytest.mark.parametrize("parents", [pl.String, pl.Int64, pl.Float64])
def test_a_tree_of_ones_own_in_parquet(
    load: Load, tmp_path: Path, ids: type[pl.DataType], parents: type[pl.DataType]
) -> None:
    frame = pl.read_csv(CSV.encode(), infer_schema=False)
    frame.with_columns(pl.col("id").cast(ids), pl.col("parent").cast(parents)).write_parquet(tmp_path / "tree.parquet")
    check_food(load("tree.parquet", {}))


def test_a_parquet_column_of_lists(load: Load, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"], "name": [["A"]], "parent": [None], "tags": [["no", "matter"]]})
    frame.write_parquet(tmp_path / "tree.parquet")
    line = refusal(load, "tree.parquet", {})
    assert line == f"{tmp_path / 'tree.parquet'}: column 'name' holds no texts: write it as text"


def test_the_name_of_a_tree(load: Load, tmp_path: Path) -> None:
    assert load("Shelf-Plan.v2.csv", {"Shelf-Plan.v2.csv": CSV}).tree == "shelf-plan"
    assert load("My Tree.csv", {"My Tree.csv": CSV}, "mine").nodes["id"].to_list() == ["mine:1", "mine:2"]
    advice = "cannot be the name of a tree of your own: give another one of a-z, 0-9 and - by --tree"
    for file, tree in (("My Tree.csv", None), ("a.csv", "google"), ("shopify.csv", None), ("a.csv", "A"), (".csv", "")):
        assert refusal(load, file, {file: CSV}, tree).endswith(advice)


def test_two_roots_are_a_forest(load: Load) -> None:
    found = load("tree.csv", {"tree.csv": "id,name,parent\nb,B,\nc,C,a\na,A,\nd,D,b\n"})
    assert found.nodes.select("id", "level", "parent").rows() == [
        ("tree:a", 0, None),
        ("tree:b", 0, None),
        ("tree:c", 1, "tree:a"),
        ("tree:d", 1, "tree:b"),
    ]


NAMES = [
    *ANIMALS.values(),
    "Animals & Pet Supplies",
    "🍕 Pizza 👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "مستلزمات الحيوانات",
    "ציוד לחיות",
    "ปลา",
    "한국어",
    unicodedata.normalize("NFD", "Käse für Ö"),
    "a \"b\", c; \\d 'e'",
    "A > B",
    "line\u2028end",
]


@pytest.mark.parametrize("name", ["tree.csv", "tree.jsonl", "tree.csv.gz"])
def test_names_survive(load: Load, name: str) -> None:
    frame = pl.DataFrame({"id": NAMES, "name": NAMES, "parent": [None, *NAMES[:-1]], "name_de": NAMES[::-1]})
    found = load(name, {name: frame.write_ndjson() if name.endswith("jsonl") else frame.write_csv()})
    assert found.nodes["name"].to_list() == NAMES
    assert found.nodes["id"].to_list() == [f"tree:{one}" for one in NAMES]
    assert found.nodes["parent"].to_list() == [None, *(f"tree:{one}" for one in NAMES[:-1])]
    assert found.nodes["name_de"].to_list() == NAMES[::-1]


def test_names_survive_in_google_and_shopify(load: Load) -> None:
    names = [name for name in NAMES if " > " not in name]
    lines = "".join(f"{number} - {name}\n" for number, name in enumerate(names))
    found = load("google", {"taxonomy-with-ids.en-US.txt": lines})
    assert {row["name"] for row in found.nodes.to_dicts()} == set(names)
    entries = "".join(
        f"- {{id: {place}, name: {json.dumps(name, ensure_ascii=False)}}}\n" for place, name in enumerate(names)
    )
    assert set(load("shopify", {"categories/a.yml": entries}).nodes["name"]) == set(names)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ": the tree is empty; nothing was written"),
        ("id,name,parent\n", ": the tree is empty; nothing was written"),
        ("id,name\n1,A\n", ": column 'parent' is missing: a tree has the columns id, name and parent"),
        ("name,parent\nA,\n", ": column 'id' is missing: a tree has the columns id, name and parent"),
        ("ID;NAME;PARENT\n", ": column 'id' is missing: a tree has the columns id, name and parent"),
        ("id,name,parent\n,A,\n", ": node None has no id; nothing was written"),
        ("id,name,parent\n1,A,\n1,B,\n", ": node '1' is there twice; nothing was written"),
        ("id,name,parent\n1,A,\n1,A,\n2,B,\n2,B,1\n2,B,\n", ": node '1' is there twice (1 more like it); nothing"),
        ("id,name,parent\n1,A,\n2,,1\n3, ,1\n", ": node '2' has no name (1 more like it); nothing was written"),
        ("id,name,parent\n1,A,\n2,B,2\n", ": node '2' is its own parent; nothing was written"),
        ("id,name,parent\n1,A,\n2,B,9\n", ": node '2' has a parent that is not there; nothing was written"),
        (
            "id,name,parent\n0,Top,\n1,A,3\n2,B,1\n3,C,2\n4,D,3\n",
            ": node '1' stands in or below a cycle (3 more like it); nothing was written",
        ),
        ("id,name,parent,class\n1,A,,shelf\n", ": node 1: class 'shelf' is none of category, assortment, alias"),
        ("id,name,parent\n1,A,\n2,B\n", ", line 3: has 2 fields instead of 3; nothing was written"),
        ('id,name,parent\n1,A,\n2,"B,\n', ", line 3: is no CSV: unexpected end of data; nothing was written"),
    ],
)
def test_a_csv_file_that_is_no_tree(load: Load, tmp_path: Path, text: str, why: str) -> None:
    assert refusal(load, "tree.csv", {"tree.csv": text}).startswith(f"{tmp_path / 'tree.csv'}{why}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ": the tree is empty; nothing was written"),
        ('{"id": "1", "name": "A"}\n', ": column 'parent' is missing: a tree has the columns id, name and parent"),
        ('{"id": "1", "name": "A", "parent": "1"}\n', ": node '1' is its own parent; nothing was written"),
        ('{"id": "1", "name": "A", "parent": null}\n{"id"\n', ", line 2: is no JSON: EOF while parsing an object"),
        ('["1", "A", null]\n', ", line 1: is no JSON object; nothing was written"),
        ('{"id": ["1"], "name": "A", "parent": null}\n', ", line 1: is a list or an object; nothing was written"),
    ],
)
def test_a_json_lines_file_that_is_no_tree(load: Load, tmp_path: Path, text: str, why: str) -> None:
    assert refusal(load, "tree.jsonl", {"tree.jsonl": text}).startswith(f"{tmp_path / 'tree.jsonl'}{why}")


def test_bytes_that_are_no_utf_8(load: Load, tmp_path: Path) -> None:
    line = refusal(load, "tree.csv", {"tree.csv": "id,name,parent\n1,A,\n2,Käse,1\n".encode("latin-1")})
    assert line == f"{tmp_path / 'tree.csv'}, line 3: is not valid utf-8 text; nothing was written"


def test_a_file_that_is_not_there(load: Load, tmp_path: Path) -> None:
    line = refusal(load, "tree.csv", {})
    named = "name google or shopify, or a file with the columns id, name and parent"
    assert line == f"tree {tmp_path / 'tree.csv'}: no such file: {named}"
    (tmp_path / "folder").mkdir()
    assert refusal(load, "folder", {}).endswith(f"folder: no such file: {named}")
    assert refusal(load, "tree.xls", {"tree.xls": "x"}).startswith(f"tree {tmp_path}/tree.xls: its ending names no")
    assert ": cannot be read (" in refusal(load, "tree.parquet", {"tree.parquet": b"PAR1 no PAR1"})


def test_100_000_nodes(load: Load) -> None:
    rows = "".join(f"{n},Näme {n} 🧀,{(n - 1) // 7 if n else ''},Ñ {n}\n" for n in range(100_000))
    start = time.monotonic()
    found = load("tree.csv", {"tree.csv": "id,name,parent,name_es\n" + rows})
    assert time.monotonic() - start < 30  # seconds; about 1 on an idle machine
    assert len(found.nodes) == 100_000
    assert found.nodes["level"].max() == 6
    assert found.nodes["level"].is_sorted()
    assert found.nodes["id"].n_unique() == 100_000
    assert found.unnamed == {"name_es": 0}
    last = found.nodes.filter(pl.col("id") == "tree:99999").row(0)
    assert last == ("tree:99999", "Näme 99999 🧀", 6, "tree:14285", None, "Ñ 99999")


# The real ones


@pytest.mark.data
def test_the_real_google(data_settings: Settings) -> None:
    found = load_taxonomy("google", data_settings)
    nodes = by_id(found)
    assert (found.tree, found.version, len(nodes)) == ("google", "2019-07-10", 5_582)
    counts = found.nodes.group_by("level").len().sort("level")["len"].to_list()
    assert counts == [21, 192, 1_349, 2_198, 1_377, 397, 48]
    assert {key: nodes["google:1"][f"name_{key.lower().replace('-', '_')}"] for key in ANIMALS} == ANIMALS
    assert nodes["google:1"]["name"] == "Animals & Pet Supplies"
    assert nodes["google:3237"] | {"name": "Live Animals", "parent": "google:1"} == nodes["google:3237"]
    assert (nodes["google:536"]["name_ru_ru"], nodes["google:536"]["level"]) == ("Дом и сад", 0)
    assert len(found.unnamed) == 15
    assert found.unnamed | {"name_ja_jp": 155} == dict.fromkeys(found.unnamed, 155)
    assert found.unnamed["name_ja_jp"] == 158
    assert nodes["google:1922"] | {"name": "Headdresses", "name_ja_jp": None} == nodes["google:1922"]


@pytest.mark.data
def test_the_real_shopify(data_settings: Settings) -> None:
    found = load_taxonomy("shopify", data_settings)
    nodes = by_id(found)
    assert (found.tree, len(nodes)) == ("shopify", 10_595)
    counts = found.nodes.group_by("level").len().sort("level")["len"].to_list()
    assert counts == [26, 211, 1_467, 3_724, 3_431, 1_300, 386, 50]
    assert found.unnamed == {f"name_{locale}": 0 for locale in ("de", "es", "fr", "ja", "pt_br", "zh_cn")}
    assert nodes["shopify:ap"]["name"] == "Animals & Pet Supplies"
    assert nodes["shopify:ap"]["name_pt_br"] == "Animais e produtos para animais de estimação"
    clay = nodes["shopify:ae-2-1-2-12-1-1-1"]
    assert (clay["name"], clay["name_de"], clay["level"]) == ("Air-Dry Clay", "Lufttrockener Ton", 7)
