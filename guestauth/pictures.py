"""Pictures: what kind of picture some bytes are, and how large it is.

What it does: `read` looks at how the bytes begin and gives kind, width and height.

The one thing to understand: the name of a file and what a browser says of it are only claims; the first bytes are
what every browser goes by. A picture that can carry scripts (SVG) is none here.

What must stay true: it unpacks nothing, so no picture can cost more than its bytes; what breaks off or lies about
itself is no picture.

Called by branding. It knows no tenant.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # a JPEG's segments that tell its size (ITU T.81, table B.1)


@dataclass(frozen=True)
class Picture:
    """A picture: its media type, its size in pixels, and whether it goes on moving."""

    media_type: str
    width: int
    height: int
    moves: bool = False

    @property
    def size(self) -> str:
        """Width and height, as people write them."""
        return f"{self.width} × {self.height}"


def read(content: bytes) -> Picture | None:
    """Return what the bytes are; None: no picture of ours, or a broken one."""
    for beginning, reader in READERS.items():
        if content.startswith(beginning):
            try:
                return reader(content)
            except (struct.error, IndexError):  # it breaks off
                return None
    return None


def _png(content: bytes) -> Picture | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return Picture("image/png", width, height, b"acTL" in content.partition(b"IDAT")[0])


def _gif(content: bytes) -> Picture:
    width, height = struct.unpack_from("<HH", content, 6)
    return Picture("image/gif", width, height, b"NETSCAPE2.0" in content)


def _jpeg(content: bytes) -> Picture | None:
    at = 2
    while content[at] == 0xFF:
        if content[at + 1] in FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return Picture("image/jpeg", width, height)
        if content[at + 1] == 0xFF:  # a filling byte
            at += 1
        else:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return None


def _webp(content: bytes) -> Picture | None:
    kind = content[8:16]
    if kind == b"WEBPVP8X":
        width, height = (1 + int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
        return Picture("image/webp", width, height, bool(content[20] & 2)) if len(content) > 29 else None
    if kind == b"WEBPVP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        return Picture("image/webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"WEBPVP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
        return Picture("image/webp", width, height)
    return None


READERS: dict[bytes, Callable[[bytes], Picture | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8\xff": _jpeg,
    b"RIFF": _webp,
    b"GIF87a": _gif,
    b"GIF89a": _gif,
}
