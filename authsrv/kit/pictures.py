"""Uploaded pictures: told by their content, bounded before they are unpacked, and drawn anew without their metadata.

Pillow is loaded at the first upload: most workers never see one, and each has a budget of memory.
"""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

LARGEST_BYTES = 512 * 1024
# A picture says how large it will be before it is unpacked: at four bytes a pixel this is 16 MiB.
MOST_PIXELS = 2048 * 2048
LOGO_SIDE = 256
_FORMATS = ("PNG", "JPEG", "WEBP")


class BadPicture(Exception):
    """`fault` is `size`, `pixels` or `format`."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class LogoPainter:
    """Draws in a thread of its own, one picture at a time, so that what uploads may cost is bounded."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")

    async def draw(self, content: bytes) -> bytes:
        """A square PNG of the picture, LOGO_SIDE wide. Raises BadPicture."""
        if not content:
            raise BadPicture("format")
        if len(content) > LARGEST_BYTES:
            raise BadPicture("size")
        return await asyncio.get_running_loop().run_in_executor(self._thread, _draw, content)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _draw(content: bytes) -> bytes:
    from PIL import Image, ImageOps  # noqa: PLC0415  # see above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=_FORMATS) as picture:
                _refuse_bomb(picture)
                # A JPEG is unpacked at the size that is needed, not at its own.
                picture.draft("RGB", (LOGO_SIDE * 2, LOGO_SIDE * 2))
                upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except BadPicture:
        raise
    # Whatever a broken or hostile file does to the decoder: it is no picture.
    except Exception:  # noqa: BLE001
        raise BadPicture("format") from None
    fitted = ImageOps.contain(upright, (LOGO_SIDE, LOGO_SIDE))
    # A fresh canvas has pixels and nothing else: no EXIF, no comments, no colour profile, no second frame.
    canvas = Image.new("RGBA", (LOGO_SIDE, LOGO_SIDE))
    canvas.paste(fitted, ((LOGO_SIDE - fitted.width) // 2, (LOGO_SIDE - fitted.height) // 2))
    drawn = BytesIO()
    canvas.save(drawn, "PNG", optimize=True)
    return drawn.getvalue()


def _refuse_bomb(picture: Any) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise BadPicture("pixels")
