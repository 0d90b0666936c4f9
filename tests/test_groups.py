"""Of several test processes one runs all tests of a file, so that what a file needs is made once."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_xdist_has_read_the_groups(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@test_groups")
