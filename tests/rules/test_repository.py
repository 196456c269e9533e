"""What is in the repository, and what must never be."""

import re
import subprocess
from pathlib import Path

from authsrv.kit.machine_secrets import is_well_formed

REPOSITORY = Path(__file__).resolve().parents[2]
SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]"),
    "a private JWK": re.compile(r'"d"\s*:\s*"[A-Za-z0-9_-]{40,}"'),
    "a key of a cloud": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    "a key of Stripe": re.compile(r"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{30,}\.[A-Za-z0-9_-]{30,}\.[A-Za-z0-9_-]{30,}"),
}
OURS = re.compile(r"\b((?:cs|ak|at|rt|ac|whsec)_)[A-Za-z0-9_-]{49,}")
# Where packages come from is for each machine to say; a lock that names a host ties every clone to it.
REGISTRY = re.compile(r"https?://[^\s\"')]*(?:pypi|pythonhosted|artifactory|nexus|/simple\b)|--(?:extra-)?index-url\b")


def texts() -> dict[Path, str]:
    """Every text file that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    read = {}
    for name in listed:
        path = REPOSITORY / name
        if name and path.is_file():
            octets = path.read_bytes()
            if b"\0" not in octets:
                read[path] = octets.decode("utf-8")
    return read


TEXTS = texts()


def test_nothing_in_the_repository_looks_like_a_secret() -> None:
    found = [(str(path), kind) for path, text in TEXTS.items() for kind, look in SECRETS.items() if look.search(text)]
    for path, text in TEXTS.items():
        found += [(str(path), "ours") for match in OURS.finditer(text) if is_well_formed(match[1], match[0])]
    assert found == []


def test_nothing_in_the_repository_names_a_package_registry() -> None:
    here = Path(__file__)
    assert [str(path) for path, text in TEXTS.items() if path != here and REGISTRY.search(text)] == []


def test_no_database_and_no_key_file_is_committed() -> None:
    names = [path.relative_to(REPOSITORY) for path in TEXTS]
    assert [
        str(name) for name in names if name.suffix in {".db", ".pem", ".key", ".env"} or name.parts[0] == "var"
    ] == []


def test_every_dependency_is_locked_by_its_hash() -> None:
    for path, text in TEXTS.items():
        if path.name.startswith("requirements") and path.suffix == ".lock":
            pinned = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^\]]+\])?==", text, re.MULTILINE)
            starts = re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)
            assert pinned, path
            assert len(pinned) == len(starts), path
            assert text.count("--hash=sha256:") >= len(pinned)
