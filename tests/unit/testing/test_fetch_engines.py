"""Engines are fetched pinned, checked, whole, and once."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from scripts.fetch_engines import FetchError, Package, extract, fetch


def archive(path: Path, *members: tuple[str, bytes, int]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content, mode in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    return path


class Npm:
    """Stands for npm: writes one tarball where it is told to, and counts its calls."""

    def __init__(self, tarball: bytes, *, code: int = 0) -> None:
        self.tarball, self.code, self.calls = tarball, code, 0

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        if not self.code:
            Path(command[command.index("--pack-destination") + 1], "engine-1.tgz").write_bytes(self.tarball)
        return subprocess.CompletedProcess(command, self.code, "", "npm error 404 no such package")


def test_it_is_fetched_once_and_again_when_the_pin_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run does nothing; another pinned version replaces the first one whole."""
    for version in (b"one", b"two"):
        tarball = archive(tmp_path / "x.tgz", (f"package/{version.decode()}", version, 0o755)).read_bytes()
        npm, package = Npm(tarball), Package("it", "it@1", hashlib.sha256(tarball).hexdigest())
        monkeypatch.setattr(subprocess, "run", npm.run)
        assert [fetch(package, tmp_path / "engines") for _ in range(2)] == [True, False]
        assert npm.calls == 1
        programs = list((tmp_path / "engines" / "it" / "package").iterdir())
        assert [program.read_bytes() for program in programs] == [version]
        assert programs[0].stat().st_mode & 0o777 == 0o755


def test_another_package_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tarball whose hash is not the pinned one leaves nothing behind, and the error gives both hashes."""
    monkeypatch.setattr(subprocess, "run", Npm(b"forged").run)
    with pytest.raises(FetchError, match=f"{hashlib.sha256(b'forged').hexdigest()}, expected {'0' * 64}"):
        fetch(Package("it", "it@1", "0" * 64), tmp_path / "engines")
    assert list((tmp_path / "engines").iterdir()) == []


def test_a_failure_of_npm_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What npm said is in the error."""
    monkeypatch.setattr(subprocess, "run", Npm(b"", code=1).run)
    with pytest.raises(FetchError, match=r"npm pack it@1 failed \(exit 1\):\nnpm error 404"):
        fetch(Package("it", "it@1", "0" * 64), tmp_path / "engines")


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "package/../../escaped"])
def test_a_path_out_of_the_package_is_refused(tmp_path: Path, name: str) -> None:
    """No member is written outside the target."""
    source = archive(tmp_path / "x.tgz", (name, b"x", 0o644))
    with pytest.raises(FetchError, match="not a plain file"):
        extract(source, tmp_path / "target")
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A link could lead a later member out of the target."""
    link = tarfile.TarInfo("package/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/"
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as tar:
        tar.addfile(link)
    with pytest.raises(FetchError, match="not a plain file"):
        extract(tmp_path / "x.tgz", tmp_path / "target")
