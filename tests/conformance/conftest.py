"""The runs of the official suite, shared by the tests of it and of the page about it."""

from collections.abc import Iterator

import pytest

from conformance.suite import Runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("conformance"))
    try:
        yield runs
    finally:
        runs.end()
