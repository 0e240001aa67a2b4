import random
import struct
import zlib

import pytest

from scripts.palette import SIGNATURE, size_of, with_palette

WIDTH, HEIGHT = 7, 5
FILTERS = {"none": 0, "sub": 1, "up": 2, "average": 3, "paeth": 4}


def png(rows: list[bytes], kinds: list[int], channels: int) -> bytes:
    """Write a picture with a filter for each row."""
    before, body = bytes(WIDTH * channels), b""
    for row, kind in zip(rows, kinds, strict=True):
        body += bytes([kind]) + bytes(
            (value - guess(row, before, at, kind, channels)) % 256 for at, value in enumerate(row)
        )
        before = row
    header = struct.pack(">IIBBBBB", WIDTH, len(rows), 8, 2 if channels == 3 else 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def guess(row: bytes, above: bytes, at: int, kind: int, channels: int) -> int:
    """PNG specification, "Filter types for filter method 0", as it is written there."""
    a, c = (row[at - channels], above[at - channels]) if at >= channels else (0, 0)
    b = above[at]
    nearest = min((a, b, c), key=lambda one: abs(a + b - c - one))
    return (0, a, b, (a + b) // 2, nearest)[kind]


def shown(small: bytes) -> list[bytes]:
    """Return the rows of a picture with a palette, as RGB."""
    place, parts = len(SIGNATURE), {}
    while place < len(small):
        (length,) = struct.unpack_from(">I", small, place)
        parts[small[place + 4 : place + 8]] = small[place + 8 : place + 8 + length]
        place += length + 12
    raw, palette, depth = zlib.decompress(parts[b"IDAT"]), parts[b"PLTE"], parts[b"IHDR"][8]
    size = 1 + (WIDTH * depth + 7) // 8
    rows = [raw[at + 1 : at + size] for at in range(0, len(raw), size)]
    if depth == 4:
        rows = [bytes(half for one in row for half in (one >> 4, one & 15))[:WIDTH] for row in rows]
    return [b"".join(palette[3 * one : 3 * one + 3] for one in row) for row in rows]


@pytest.mark.parametrize("channels", [3, 4], ids=["RGB", "RGBA"])
@pytest.mark.parametrize("kind", FILTERS.values(), ids=FILTERS)
def test_a_picture_of_few_colours_is_the_same_in_a_palette(kind: int, channels: int) -> None:
    chance = random.Random(kind)
    rows = [bytes(chance.randrange(256) for _ in range(WIDTH * channels)) for _ in range(HEIGHT)]
    small = with_palette(png(rows, [kind] * HEIGHT, channels))
    assert size_of(small) == (WIDTH, HEIGHT)
    assert shown(small) == [bytes(v for at, v in enumerate(row) if channels == 3 or at % 4 != 3) for row in rows]


def test_a_thin_line_keeps_its_colour_beside_many_greys() -> None:
    red, ground = bytes((237, 66, 69)), bytes((255, 255, 255))
    greys = [bytes((value,) * 3) for value in range(40, 240, 4)]
    rows = [ground * WIDTH] * 400 + [grey * 6 + red for grey in greys for _ in range(2)]
    small = shown(with_palette(png(rows, [0] * len(rows), 3), colours=16))
    assert {row[-3:] for row in small} == {red, ground}
    assert len({row[at : at + 3] for row in small for at in range(0, len(row), 3)}) <= 16


def test_of_too_many_colours_each_becomes_its_nearest() -> None:
    rows = [bytes((250, 250, 250)) * 4 + bytes((9, 9, 9)) * 2 + bytes((1, 2, 3))] * HEIGHT
    small = with_palette(png(rows, [0] * HEIGHT, 3), colours=2)
    assert shown(small) == [bytes((250, 250, 250)) * 4 + bytes((9, 9, 9)) * 3] * HEIGHT
