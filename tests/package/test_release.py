"""What is published: wheel and sdist hold what they should, twice the same, and the checksums are right.

`make release` installs them, too (`release.py`).
"""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from package.release import SUMS, date_entries, write_sums

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
MOMENT = 1_764_028_800
VERSION: str = PROJECT["project"]["version"]


def built(folder: Path) -> Path:
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(
        words, cwd=ROOT, env=os.environ | {"SOURCE_DATE_EPOCH": str(MOMENT)}, check=True, capture_output=True
    )
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"))


def files_of(package: str) -> set[str]:
    """A package's files by their path in the repository, whatever Python has left beside them."""
    paths = [path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(ROOT).as_posix() for path in paths}


def in_sdist(dist: Path) -> Mapping[str, bytes]:
    with tarfile.open(dist / f"xportcn_mcp-{VERSION}.tar.gz") as packed:
        read = {member.name: packed.extractfile(member) for member in packed.getmembers() if member.isfile()}
        return {name.partition("/")[2]: file.read() for name, file in read.items() if file}


def test_the_wheel_holds_the_packages_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(dist / f"xportcn_mcp-{VERSION}-py3-none-any.whl") as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == {name.partition("/")[2] for package in PACKAGES for name in files_of(package)}
    assert {"xportcn_prompts/skill.md", "xportcn_server/py.typed"} <= names


def test_the_sdist_holds_the_packages_the_skill_and_no_tests(dist: Path) -> None:
    names = set(in_sdist(dist))
    assert {name for package in PACKAGES for name in files_of(package)} <= names
    assert "skills/order-on-1688/SKILL.md" in names
    assert not [
        name for name in names if re.search(r"(^|/)(tests?/|test_|__pycache__)|\.(pyc|sqlite3)$", name)
    ]
    assert not {".env", "Makefile"} & names


def test_the_image_can_be_built_from_the_sdist(dist: Path) -> None:
    files = in_sdist(dist)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", files["deploy/Dockerfile"].decode(), re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert len(sources) > 4
    for source in sources:
        assert any(name == source or name.startswith(f"{source}/") for name in files), source


def test_the_pages_of_the_sdist_link_to_files_that_are_in_it(dist: Path) -> None:
    files = in_sdist(dist)
    pages = [name for name in files if re.fullmatch(r"(docs/)?[\w.-]+\.md", name)]
    assert {"README.md", "CHANGELOG.md", "docs/README.md"} <= set(pages)
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", files[page].decode()):
            path = (ROOT / page).parent.joinpath(target).resolve().relative_to(ROOT).as_posix()
            assert any(name == path or name.startswith(f"{path.rstrip('/')}/") for name in files), (
                page,
                target,
            )


def test_the_same_commit_makes_the_same_files(dist: Path, tmp_path: Path) -> None:
    again = built(tmp_path)
    names = sorted(path.name for path in dist.iterdir())
    assert len(names) == 2
    for name in names:
        assert (again / name).read_bytes() == (dist / name).read_bytes()


def test_a_bundle_that_is_packed_again_is_the_same_and_keeps_its_files_and_modes(tmp_path: Path) -> None:
    for copy, order, moment in (("one", "ab", 2020), ("two", "ba", 2021)):
        with zipfile.ZipFile(tmp_path / copy, "w") as packed:
            for name in order:
                info = zipfile.ZipInfo(name, (moment, 1, 1, 0, 0, 0))
                info.external_attr = 0o755 << 16
                packed.writestr(info, name * 9)
        date_entries(tmp_path / copy, MOMENT)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as packed:
        entries = [(each.filename, each.date_time[0], each.external_attr >> 16) for each in packed.infolist()]
        assert entries == [("a", 2025, 0o755), ("b", 2025, 0o755)]
        assert packed.read("b") == b"b" * 9


def test_the_checksums_name_every_file_and_leave_themselves_out(tmp_path: Path) -> None:
    (tmp_path / "b.whl").write_bytes(b"two")
    (tmp_path / "a.mcpb").write_bytes(b"one")
    write_sums(tmp_path)
    write_sums(tmp_path)  # again, with its own file there
    assert (tmp_path / SUMS).read_bytes().decode() == (
        f"{sha256(b'one').hexdigest()}  a.mcpb\n{sha256(b'two').hexdigest()}  b.whl\n"
    )


def test_the_tools_of_a_release_are_pinned_with_hashes() -> None:
    text = (ROOT / "requirements" / "release.txt").read_text("utf-8")
    pinned = re.findall(r"^([a-z0-9-]+)==[^\s;]+(?: ; .+?)? \\\n    --hash=sha256:", text, re.MULTILINE)
    assert {"twine", "cyclonedx-bom"} <= set(pinned)
    assert len(pinned) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    assert "://" not in text
