"""What was measured as pages: `python -m benchmarks.report` writes those of `PAGES` into `docs/`.

And the pictures of docs/performance.md, and the table of README.md between its two marks. From the files in
`benchmarks/results`; no figure is typed by hand.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.pages.intents import intents
from benchmarks.pages.performance import IMAGES, draw, performance
from benchmarks.pages.quality import quality, readme
from benchmarks.pages.scale import draw_scale
from benchmarks.runs import command

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = {"intents-results": intents, "quality": quality, "performance": performance}


def main(arguments: Sequence[str] | None = None) -> None:
    command(__doc__).parse_args(arguments)
    for name, page in PAGES.items():
        file = DOCS / f"{name}.md"
        file.write_text("\n\n".join(page()) + "\n", encoding="utf-8")
        print(file)
    print(draw())
    print(draw_scale(IMAGES))
    file = ROOT / "README.md"
    file.write_text(readme(file.read_text(encoding="utf-8")), encoding="utf-8")
    print(file)


if __name__ == "__main__":
    main()
