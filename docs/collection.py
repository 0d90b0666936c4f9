"""Write the queries of `cypher/` into what Neo4j Browser takes in: `make collection`.

`docs/browser/favourites.zip` holds them as saved scripts; in `docs/browser/guide.html` the boxes are filled with them.
"""

import html
import re
import sys
import zipfile
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from api.browser import asked_of, script

FOLDER = Path(__file__).parent / "browser"
FAVOURITES = FOLDER / "favourites.zip"
GUIDE = FOLDER / "guide.html"
# What the scripts are about, with ids of The Complete Journey: they stay parameters, so that they are set once for all.
PARAMETERS = {
    "user": "'1'",
    "item": "'1082185'",
    "items": "['1082185', '981760']",
    "intent": "'grill-party'",
    "node": "'RESTAURANT'",
    "category": "'GROCERY/SOFT DRINKS'",
    "tree": "'complete-journey'",
}
BY_PROGRAMS = {"vector", "direct", "triggers", "variants"}  # nobody types the vectors and weights of a network
BOX = re.compile(r'(<pre [^>]*data-(query="(\w+)"|parameters)>).*?(</pre>)', re.DOTALL)
EPOCH = (1980, 1, 1, 0, 0, 0)  # so that the same scripts give the same file


def stems() -> list[str]:
    """Names of the queries that a person can run by hand."""
    names = [file.name.removesuffix(".cypher") for file in files("cypher").iterdir() if file.name.endswith(".cypher")]
    return sorted(name for name in names if not BY_PROGRAMS & asked_of(name).keys())


def parameters() -> str:
    """Browser's command that sets all parameters of the scripts at once."""
    return f":params {{{', '.join(f'{name}: {value}' for name, value in PARAMETERS.items())}}}"


def favourites() -> dict[str, str]:
    """Saved scripts by their places in the archive. Browser takes folders from these, titles from first lines."""
    found = {"Twohop/00 parameters.cypher": f"// 0 Parameters: run this first, with ids of your own\n{parameters()}\n"}
    for name in stems():
        text = script(name, PARAMETERS)
        found[f"{_folder(name, text)}/{name}.cypher"] = f"// {name.replace('_', ' ')}: {_title(text)}\n{text}\n"
    return dict(sorted(found.items()))


def _folder(name: str, text: str) -> str:
    if name.endswith("picture"):
        return "Twohop"
    if re.search(r":(PURSUES|SERVES|NEEDS|COMPLEMENTS|DROPPED)\b", text):
        return "Twohop intents"
    return "Twohop recommendations" if re.search(r":(INTERACTED|SIMILAR)\b", text) else "Twohop store"


def _title(text: str) -> str:
    """The first clause of the comment on top."""
    comment = " ".join(line.removeprefix("//").strip() for line in text.splitlines() if line.startswith("//"))
    clause = re.split(r"[.:;,]", comment)[0].strip()
    return clause[:1].lower() + clause[1:]


def archive() -> bytes:
    """The saved scripts as a zip file."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for place, text in favourites().items():
            target.writestr(zipfile.ZipInfo(place, EPOCH), text, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def guide(text: str) -> str:
    """The guide with its boxes filled."""

    def fill(box: re.Match[str]) -> str:
        return f"{box[1]}{html.escape(script(box[3], PARAMETERS) if box[3] else parameters(), quote=False)}{box[4]}"

    return BOX.sub(fill, text)


def main() -> None:
    FAVOURITES.write_bytes(archive())
    GUIDE.write_text(guide(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{FAVOURITES}\n{GUIDE}\n")


if __name__ == "__main__":
    main()
