"""The open table of shopping intents and the crosswalks as they are committed, and what one's own may not do."""

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import loaders
from graph.errors import SourceError
from graph.settings import Settings
from loaders.intents.crosswalk import FEW, Crosswalk, read_crosswalk
from loaders.intents.table import ROWS, Audience, Season, ShoppingIntent, read_table
from loaders.taxonomy import load_taxonomy
from models.intents.texts import lemmas

FOLDER = Path(loaders.__file__).parent / "intents"
TABLE = FOLDER / "open_table"
CROSSWALKS = sorted(file.stem for file in (FOLDER / "crosswalks").iterdir())
PATH = re.compile(r"[^\s>]+( [^\s>]+)*( > [^\s>]+( [^\s>]+)*)*")
RENEW = f"""renew it: .venv/bin/python -c '
import json; from loaders.intents.table import ROWS
print(json.dumps(ROWS.json_schema(), indent=2, ensure_ascii=False))' > {TABLE / "schema.json"}"""


@pytest.fixture(scope="module")
def table() -> list[ShoppingIntent]:
    return read_table()


@pytest.fixture(scope="module")
def departments(table: list[ShoppingIntent]) -> set[str]:
    """The top nodes of Google's taxonomy; a test marked `data` sees that they are."""
    return {path.partition(" > ")[0] for intent in table for path in (*intent.categories, *intent.excludes)}


@pytest.fixture(scope="module", params=CROSSWALKS)
def crosswalk(request: pytest.FixtureRequest) -> Crosswalk:
    found = read_crosswalk(request.param)
    assert found is not None
    return found


class Strict(yaml.SafeLoader):
    """YAML in which no mapping has a key twice, where the usual loaders silently take the last one."""


def _mapping_without_doubles(loader: Strict, node: yaml.MappingNode) -> dict[Hashable, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(set(keys)) == len(keys), f"line {node.start_mark.line + 1}: a key is there twice"
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_doubles)


# The committed table


def test_every_department_has_intents(table: list[ShoppingIntent], departments: set[str]) -> None:
    assert len(table) >= 300
    assert len(departments) == 21
    counts = Counter(intent.department for intent in table)
    assert set(counts) == departments
    assert min(counts.values()) >= 3, counts.most_common()[-3:]


def test_every_intent_keeps_the_rules(table: list[ShoppingIntent]) -> None:
    assert [intent.id for intent in table] == sorted({intent.id for intent in table})
    for intent in table:
        every = intent.needs + intent.forgotten + intent.excludes
        assert len(intent.needs) >= 4, intent.id
        assert intent.forgotten, intent.id
        assert intent.excludes, intent.id
        assert 8 <= len(intent.needs + intent.forgotten) <= 20, intent.id
        assert len(set(every)) == len(every), intent.id
        assert all(PATH.fullmatch(path) for path in every), intent.id
        assert 2 <= len(intent.say) <= 6, intent.id
        assert len({text.lower() for text in (intent.sentence, *intent.say)}) == 1 + len(intent.say), intent.id
        assert intent.sentence == " ".join(intent.sentence.split()), intent.id
        assert len(set(intent.season)) == len(intent.season), intent.id
        assert len(set(intent.audience)) == len(intent.audience), intent.id


def test_no_two_intents_say_the_same_in_other_forms(table: list[ShoppingIntent]) -> None:
    said: dict[frozenset[str], str] = {}
    for intent in table:
        words = lemmas(intent.sentence)
        assert words, intent.id
        assert said.setdefault(words, intent.id) == intent.id, intent.sentence
    for intent in table:
        for text in intent.say:
            assert said.setdefault(lemmas(text), intent.id) == intent.id, text


@pytest.mark.parametrize("file", [*TABLE.glob("*.yaml"), *FOLDER.glob("crosswalks/*.yaml")], ids=lambda file: file.stem)
def test_no_key_is_there_twice(file: Path) -> None:
    assert yaml.load(file.read_text(encoding="utf-8"), Loader=Strict)  # noqa: S506  a safe one


def test_the_schema_is_that_of_the_reader() -> None:
    wanted = json.dumps(ROWS.json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert (TABLE / "schema.json").read_text(encoding="utf-8") == wanted, RENEW


def test_the_readme_names_all_keys_and_words() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", (TABLE / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rows) == set(ShoppingIntent.model_fields)
    assert tuple(re.findall(r"`([^`]+)`", rows["season"])) == get_args(Season)
    assert tuple(re.findall(r"`([^`]+)`", rows["audience"])) == get_args(Audience)


# A table of one's own

GOOD: dict[str, Any] = {
    "id": "camping-trip",
    "sentence": "get ready for a camping trip",
    "say": ["go camping for the weekend", "sleep in a tent"],
    "department": "Sporting Goods",
    "needs": [f"Sporting Goods > Camping > Kind {number}" for number in range(7)],
    "forgotten": ["Health & Beauty > First Aid Kits"],
    "excludes": ["Furniture > Outdoor Sofas"],
}
OTHER = GOOD | {"id": "picnic", "sentence": "have a picnic in the park"}


def write(folder: Path, *files: list[dict[str, Any]] | str | bytes) -> Path:
    """The files `0.yaml`, `1.yaml`, … of a table."""
    for number, content in enumerate(files):
        text = yaml.safe_dump(content, allow_unicode=True) if isinstance(content, list) else content
        (folder / f"{number}.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no intent")
    few, most = GOOD["needs"][:4], [f"Kind {number} > 🏕️" for number in range(16)]
    third = OTHER | {"id": "3", "sentence": "third", "needs": few, "forgotten": most, "season": ["summer"]}
    third["audience"] = ["pets", "adults"]
    found = read_table(write(tmp_path, [OTHER, GOOD], [third]))
    assert [intent.id for intent in found] == ["3", "camping-trip", "picnic"]
    assert found[0].categories == (*few, *most)
    assert (found[0].season, found[0].audience, found[1].season) == (("summer",), ("pets", "adults"), ())
    assert found[1].say == ("go camping for the weekend", "sleep in a tent")


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


FIELD = "0.yaml: camping-trip: {}"


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (["- id: [1\n"], "0.yaml, line 2: not YAML: did not find expected ',' or ']'"),
        (["- id: a: b\n"], "0.yaml, line 1: not YAML: mapping values are not allowed in this context"),
        (["- id: a\0"], "0.yaml: not YAML: control characters are not allowed"),
        (["- id: 2024-13-45"], "0.yaml: not YAML: month must be in 1..12"),
        ([b"- id: K\xe4se"], "0.yaml is not UTF-8 text: save it as UTF-8"),
        ([""], "0.yaml: Input should be a valid list"),
        (["id: a"], "0.yaml: Input should be a valid list"),
        (["- a"], "0.yaml: intent 1: Input should be a valid dictionary or instance of ShoppingIntent"),
        ([[GOOD, {}]], "0.yaml: intent 2: id: Field required"),
        ([[GOOD | {"colour": "red"}]], FIELD.format("colour: Extra inputs are not permitted")),
        ([[_without("forgotten")]], FIELD.format("forgotten: Field required")),
        ([[GOOD | {"id": "Camping Trip"}]], "0.yaml: Camping Trip: id: String should match pattern"),
        ([[GOOD | {"sentence": "Go camping."}]], FIELD.format("sentence: String should match pattern")),
        ([[GOOD | {"say": ["once"]}]], FIELD.format("say: Tuple should have at least 2 items")),
        ([[GOOD | {"say": ["once", "two  blanks"]}]], FIELD.format("say: 'two  blanks' is not 3 to 100 characters")),
        ([[GOOD | {"say": ["once", "ONCE"]}]], FIELD.format("says the same twice")),
        ([[GOOD | {"say": ["once", GOOD["sentence"]]}]], FIELD.format("says the same twice")),
        ([[GOOD | {"needs": GOOD["needs"][:3]}]], FIELD.format("needs: Tuple should have at least 4 items")),
        ([[GOOD | {"needs": GOOD["needs"][:6]}]], FIELD.format("needs 7 categories, not 8 to 20")),
        ([[GOOD | {"needs": [f"A > {n}" for n in range(20)]}]], FIELD.format("needs 21 categories, not 8 to 20")),
        ([[GOOD | {"forgotten": GOOD["needs"][:1]}]], FIELD.format("category twice: Sporting Goods > Camping > Kin")),
        ([[GOOD | {"excludes": GOOD["needs"][:1]}]], FIELD.format("category twice: Sporting Goods > Camping > Kin")),
        ([[GOOD | {"excludes": []}]], FIELD.format("excludes: Tuple should have at least 1 item")),
        ([[GOOD | {"excludes": ["A>B"]}]], FIELD.format("excludes.0: String should match pattern")),
        ([[GOOD | {"excludes": ["A > "]}]], FIELD.format("excludes.0: String should match pattern")),
        ([[GOOD | {"season": ["monsoon"]}]], FIELD.format("season.0: Input should be 'spring', 'summer',")),
        ([[GOOD | {"audience": "pets"}]], FIELD.format("audience: Input should be a valid tuple")),
        ([[GOOD, OTHER | {"id": GOOD["id"]}]], "0.yaml: intent camping-trip is there twice"),
        ([[GOOD], [OTHER | {"id": GOOD["id"]}]], "1.yaml: intent camping-trip is there twice"),
        (
            [[GOOD], [OTHER | {"sentence": "get ready for a camping-trip"}]],
            "1.yaml: picnic says the same as camping-trip: get ready for a camping-trip",
        ),
    ],
)
def test_a_table_that_breaks_a_rule_is_one_line(
    tmp_path: Path, files: list[list[dict[str, Any]] | str | bytes], line: str
) -> None:
    with pytest.raises(SourceError) as raised:
        read_table(write(tmp_path, *files))
    assert str(raised.value).startswith(line)
    assert len(str(raised.value).splitlines()) == 1


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=rf"^folder {tmp_path}/none: not there$"):
        read_table(tmp_path / "none")
    for files in ((), ("[]",)):
        with pytest.raises(SourceError, match=rf"^no intent in {tmp_path}: give a folder with YAML files"):
            read_table(write(tmp_path, *files))


# Crosswalks


def test_a_crosswalk_names_what_the_table_names(crosswalk: Crosswalk, table: list[ShoppingIntent]) -> None:
    known = {intent.id for intent in table}
    assert set(chain.from_iterable(entry.intents for entry in crosswalk.categories)) <= known
    for entry in crosswalk.categories:
        assert {*entry.optional_for, *entry.not_for} <= known
        assert not {*entry.optional_for} & {*entry.not_for}


def test_a_crosswalk_keeps_the_rules(crosswalk: Crosswalk, departments: set[str]) -> None:
    assert crosswalk.categories
    nodes = [entry.node for entry in crosswalk.categories]
    assert len(set(nodes)) == len(nodes)
    for entry in crosswalk.categories:
        assert entry.google or entry.intents, entry.node
        assert len(set(entry.intents)) == len(entry.intents) <= FEW, entry.node
        assert len(set(entry.google)) == len(entry.google), entry.node
        assert all(PATH.fullmatch(path) for path in entry.google), entry.node
        assert {path.partition(" > ")[0] for path in entry.google} <= departments, entry.node
        assert not entry.node.startswith(f"{crosswalk.tree}:"), entry.node


def test_a_tree_without_a_crosswalk() -> None:
    assert read_crosswalk("my-own-tree") is None
    assert CROSSWALKS == ["amazon-beauty", "complete-journey", "shopify"]


def test_a_crosswalk_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("tree: mine\ncategories:\n- {node: a, google: [A > B], intents: [x, y]}\n- node: b/🧀\n")
    found = read_crosswalk("mine", file)
    assert found
    assert [(entry.node, entry.google, entry.intents) for entry in found.categories] == [
        ("a", ("A > B",), ("x", "y")),
        ("b/🧀", (), ()),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "c.yaml: Input should be a valid dictionary"),
        ("- a", "c.yaml: Input should be a valid dictionary"),
        ("tree: [\n", "c.yaml, line 2: not YAML: did not find expected node content"),
        ("tree: mine\n", "c.yaml: categories: Field required"),
        ("tree: mine\ncategories: []\nversion: 1\n", "c.yaml: version: Extra inputs are not permitted"),
        ("tree: other\ncategories: []\n", "c.yaml: is the crosswalk of other, not of mine"),
        ("tree: mine\ncategories: [{google: [A]}]\n", "c.yaml: categories.0.node: Field required"),
        ("tree: mine\ncategories: [{node: ''}]\n", "c.yaml: categories.0.node: String should have at least 1 char"),
        ("tree: mine\ncategories: [{node: a, goggle: [A]}]\n", "c.yaml: categories.0.goggle: Extra inputs are not"),
        ("tree: mine\ncategories: [{node: a, intents: [a, b, c, d]}]\n", "c.yaml: categories.0.intents: Tuple should"),
        ("tree: mine\ncategories: [{node: a}, {node: a}]\n", "c.yaml: node 'a' is there twice"),
    ],
)
def test_a_wrong_crosswalk_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(SourceError) as raised:
        read_crosswalk("mine", tmp_path / "c.yaml")
    assert str(raised.value).startswith(line)
    assert len(str(raised.value).splitlines()) == 1


def test_a_crosswalk_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^cannot read .*/none\.yaml: No such file or directory$"):
        read_crosswalk("mine", tmp_path / "none.yaml")


# Against the real trees


@pytest.fixture(scope="module")
def google(new_settings: Callable[..., Settings], data_folder: Path) -> dict[str, int]:
    """Level of each path."""
    levels: dict[str, int] = {}
    paths: dict[str, str] = {}
    for row in load_taxonomy("google", new_settings(data=data_folder)).nodes.iter_rows(named=True):
        paths[row["id"]] = f"{paths[row['parent']]} > {row['name']}" if row["parent"] else row["name"]
        levels[paths[row["id"]]] = row["level"]
    return levels


@pytest.mark.data
def test_all_paths_of_the_table_are_google_s(
    google: dict[str, int], table: list[ShoppingIntent], departments: set[str]
) -> None:
    assert departments == {path for path, level in google.items() if level == 0}
    for intent in table:
        assert not {*intent.categories, *intent.excludes} - set(google), intent.id


@pytest.mark.data
def test_all_paths_of_a_crosswalk_are_google_s(google: dict[str, int], crosswalk: Crosswalk) -> None:
    for entry in crosswalk.categories:
        assert not set(entry.google) - set(google), entry.node


@pytest.mark.data
def test_all_nodes_of_a_crosswalk_are_in_its_tree(
    new_settings: Callable[..., Settings], data_folder: Path, crosswalk: Crosswalk
) -> None:
    settings = new_settings(data=data_folder)
    if crosswalk.tree == "shopify":
        known = {key.removeprefix("shopify:") for key in load_taxonomy("shopify", settings).nodes["id"]}
    else:
        known = set(loaders.load(crosswalk.tree, settings).tables.browse_nodes["id"])
    assert not {entry.node for entry in crosswalk.categories} - known
