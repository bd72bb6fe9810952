"""What some bytes are: a picture of a kind and a size, or none."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestauth import demo, pictures
from guestauth.pictures import Picture

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 120, 48) + b"\x08\x06\0\0\0crc!"
GIF = b"GIF89a" + struct.pack("<HH", 120, 48) + b"\x80\0\0"
APPLICATION = b"\xff\xe0\0\x10JFIF\0" + bytes(9)
FRAME = b"\0\x11\x08" + struct.pack(">HH", 48, 120) + b"\x03"
JPEG = b"\xff\xd8" + APPLICATION + b"\xff\xff\xc2" + FRAME
WEBP = {
    "lossy": b"VP8 \0\0\0\0" + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 120, 48),
    "lossless": b"VP8L\0\0\0\0\x2f" + struct.pack("<I", 119 | 47 << 14),
    "extended": b"VP8X\x0a\0\0\0\x10\0\0\0" + (119).to_bytes(3, "little") + (47).to_bytes(3, "little"),
}
WEBPS = {name: b"RIFF\0\0\0\0WEBP" + chunk for name, chunk in WEBP.items()}
KINDS = {"png": PNG, "gif": GIF, "jpeg": JPEG, **{f"webp {name}": content for name, content in WEBPS.items()}}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_and_size_are_read_from_the_first_bytes(kind: str) -> None:
    assert pictures.read(KINDS[kind] + b"more") == Picture(f"image/{kind.split()[0]}", 120, 48)


def test_logo_of_the_demo_is_a_picture() -> None:
    assert pictures.read(demo.LOGO) == Picture("image/png", 64, 64)


@pytest.mark.parametrize(
    "content",
    [
        PNG + b"\0\0\0\x08acTL" + bytes(12) + b"\0\0\0\0IDAT",
        GIF + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
        WEBPS["extended"].replace(b"\x0a\0\0\0\x10", b"\x0a\0\0\0\x02"),
    ],
)
def test_picture_that_moves_says_so(content: bytes) -> None:
    found = pictures.read(content)
    assert found and found.moves


def test_words_within_the_picture_do_not_make_it_move() -> None:
    assert pictures.read(PNG + b"\0\0\0\0IDAT acTL") == Picture("image/png", 120, 48)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM",
        b"%PDF-1.4",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"RIFF",
        b"GIF",
        b"\xff\xd8\xff",
        PNG.replace(b"IHDR", b"IDAT"),
        JPEG.replace(b"\xff\xff\xc2", b"\x00\x00\xc2"),
        b" " + PNG,
    ],
)
def test_anything_else_is_none(content: bytes) -> None:
    assert pictures.read(content) is None


@pytest.mark.parametrize("kind", KINDS)
def test_picture_that_breaks_off_is_none(kind: str) -> None:
    whole = KINDS[kind]
    read = [pictures.read(whole[:length]) for length in range(len(whole))]
    assert read.count(None) >= 10 and {found for found in read if found} <= {pictures.read(whole)}


@given(st.sampled_from([each[:16] for each in KINDS.values()]), st.binary(max_size=200))
def test_no_bytes_are_too_odd_to_be_read(beginning: bytes, rest: bytes) -> None:
    found = pictures.read(beginning + rest)
    assert found is None or found.width >= 0
