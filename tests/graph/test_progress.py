"""Lines of progress where nobody watches a bar, as in a log."""

import pytest

from graph.progress import step


def test_a_step_is_two_lines_in_a_log_however_long_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    name = "Tuning /a/folder/with/a/name/of/its/own/that/is/long on 1,234 pairs of words and what they mean here"
    with step(name, total=3) as shown:
        shown.advance(3)
    begun, done = capfd.readouterr().err.splitlines()
    assert begun == f"{name} …"
    assert done.startswith(f"{name}: done in ")
