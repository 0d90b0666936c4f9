"""Small runs of benchmarks: all of them are known, and none touches the figures that are kept."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks import columns, small
from benchmarks.runs import FOLDER, SMALL
from graph.projection.projection import Projection

FOLDER_OF_ALL = Path(small.__file__).parent
ALONE = """
from benchmarks.runs import alone
if __name__ == "__main__":
    alone(exec, "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
"""
WHERE = """
import importlib, json, sys
for name in sys.argv[1:]:
    module = importlib.import_module(f"benchmarks.{name}")
    print(*(getattr(module, file) for file in ("RESULTS", "TRIALS", "SAME") if hasattr(module, file)), sep="\\n")
"""


def test_each_benchmark_runs_small_or_says_why_not() -> None:
    runnable = {file.stem for file in FOLDER_OF_ALL.glob("*.py") if "__main__" in file.read_text("utf-8")}
    assert runnable - {"report", "small"} == set(small.RUN) | set(small.LEFT_OUT)


@pytest.mark.parametrize("is_small", [True, False])
def test_small_figures_have_a_folder_of_their_own(is_small: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != SMALL} | (
        {SMALL: "1"} if is_small else {}
    )
    asked = [sys.executable, "-c", WHERE, *small.RUN]
    shown = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True, cwd=FOLDER_OF_ALL.parent)
    folders = {str(Path(file).parent) for file in shown.stdout.split()}
    assert folders == {str(FOLDER / "small" if is_small else FOLDER)}


@pytest.mark.parametrize("name", [*small.RUN, *small.LEFT_OUT, "report", "small"])
def test_help_is_shown_and_nothing_measured(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        importlib.import_module(f"benchmarks.{name}").main(["--help"])
    assert "usage: " in capsys.readouterr().out


def test_an_unknown_benchmark_is_one_line() -> None:
    with pytest.raises(SystemExit, match=r"benchmarks\.small: no benchmark nothing: choose from index, "):
        small.main(["nothing"])


def test_drawn_columns_are_a_projection(tmp_path: Path) -> None:
    columns.draw(tmp_path, 50, 5, 10)
    found = Projection.open(tmp_path).recommend(columns.user(3), 4, m=5, k=10, shortlist=10)
    assert len({item.id for item in found}) == 4
    assert sorted((item.score for item in found), reverse=True) == [item.score for item in found]


def test_work_of_its_own_process_ends_when_the_benchmark_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"  # a file, which the new process imports as it would a benchmark
    script.write_text(ALONE, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(FOLDER_OF_ALL.parent)}
    with subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True) as benchmark:
        assert benchmark.stdout is not None
        work = psutil.Process(int(benchmark.stdout.readline()))
        assert work.ppid() == benchmark.pid
        benchmark.kill()
        psutil.wait_procs([work], timeout=20)
        assert not work.is_running() or work.status() == psutil.STATUS_ZOMBIE
