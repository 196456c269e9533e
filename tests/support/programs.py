"""Where the installed server programs are, and as whom they may run."""

import os
import shutil
from pathlib import Path

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"


def find_program(name: str) -> str:
    """The path of a program on PATH or among the system's daemons; FileNotFoundError if it is not installed."""
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; `make test` installs what the tests need")
    return found


def find_postgres_program(name: str) -> str:
    """The newest version in Debian's folders, which are not on PATH, else what `find_program` finds."""
    versions = sorted(DEBIAN_POSTGRES.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return str(versions[-1]) if versions else find_program(name)


def unprivileged_user() -> str | None:
    """The user for programs that refuse to run as root; None if we are not root and may stay who we are."""
    return "postgres" if os.geteuid() == 0 else None
