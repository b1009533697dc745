"""Styles and scripts: read once, and served under a name that changes with what is in them."""

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Response

_FOLDER: Final = Path(__file__).parent / "static"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FILES: Final = {file.name: file.read_bytes() for file in sorted(_FOLDER.iterdir()) if file.suffix in _MEDIA_TYPES}
_VERSION: Final = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:12]
PREFIX: Final = f"/static/{_VERSION}"
"""Where they are; scripts import each other below it."""


def add(routes: APIRouter) -> None:
    """The route `/static/{version}/{name}`."""

    @routes.get("/static/{version}/{name}")
    async def static(version: str, name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        # Of another version (an old page, a replica that is newer) it is not to be kept.
        kept = "public, max-age=31536000, immutable" if version == _VERSION else "no-cache"
        media_type = _MEDIA_TYPES[Path(name).suffix]
        return Response(_FILES[name], media_type=media_type, headers={"Cache-Control": kept})
