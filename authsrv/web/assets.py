"""Static files under names that change with their content, so that browsers may keep them for good (RFC 8246)."""

from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError


class Assets:
    """The files of one folder, in memory: there are few and they are small."""

    def __init__(self, folder: Path) -> None:
        self._names: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            hashed = f"{path.stem}.{sha256(content).hexdigest()[:12]}{path.suffix}"
            self._names[path.name] = hashed
            self._files[hashed] = content, guess_type(path.name)[0] or "application/octet-stream"

    def path(self, name: str) -> str:
        """Where the file is, below the issuer."""
        return f"/static/{self._names[name]}"

    async def serve(self, request: Request) -> Response:
        """Answers `/static/{name}`. Raises not_found, also for the name of an older content."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise DomainError("not_found", 404, "There is nothing at this path.")
        content, media_type = found
        return Response(
            content, media_type=media_type, headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )
