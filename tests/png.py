"""Makes a picture of a page small: 256 colours are plenty for words on plain ground.

`small(page, taken)` gives a PNG with a palette for one without, less than half as large.
The one thing to understand: the browser that took the picture also reads it; the 256 colours that stand most often
are kept, and each other becomes the nearest of them. Nothing is left to chance.
"""

import base64
import struct
import zlib

from playwright.sync_api import Page

SIGNATURE = b"\x89PNG\r\n\x1a\n"
READ = """async (source) => {
  const picture = new Image();
  picture.src = "data:image/png;base64," + source;
  await picture.decode();
  const {width, height} = picture;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const each of pixels) counts.set(each, (counts.get(each) || 0) + 1);
  const often = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([each]) => each);
  const kept = often.slice(0, 256);
  const far = (a, b) => [0, 8, 16].reduce((sum, at) => sum + ((a >> at & 255) - (b >> at & 255)) ** 2, 0);
  const nearest = (each) =>
    kept.reduce((best, other, at) => far(each, other) < far(each, kept[best]) ? at : best, 0);
  const place = new Map(often.map((each, at) => [each, at < 256 ? at : nearest(each)]));
  const rows = Uint8Array.from(pixels, (each) => place.get(each));
  let text = "";
  for (let at = 0; at < rows.length; at += 32768) text += String.fromCharCode(...rows.subarray(at, at + 32768));
  return {width, height, kept, rows: btoa(text)};
}"""


def small(page: Page, taken: bytes) -> bytes:
    """Give the picture with a palette."""
    read = page.evaluate(READ, base64.b64encode(taken).decode())
    return _written(read["width"], read["height"], read["kept"], base64.b64decode(read["rows"]))


def _written(width: int, height: int, colours: list[int], pixels: bytes) -> bytes:
    palette = b"".join(struct.pack("<I", colour & 0xFFFFFF)[:3] for colour in colours)
    lines = b"".join(b"\0" + pixels[at : at + width] for at in range(0, width * height, width))
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
