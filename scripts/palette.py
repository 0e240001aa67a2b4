"""Makes a PNG small: 256 colours instead of millions, each pixel the nearest of the commonest ones. Pure.

Format: PNG specification, "Filtering" and "Chunk layout"; only what Chromium writes (8 bits, RGB or RGBA).
"""

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}
MOST_COLOURS = 256
Colour = bytes


def with_palette(png: bytes) -> bytes:
    """Return the same picture in at most 256 colours."""
    width, height, rows = _decode(png)
    pixels = [[row[at : at + 3] for at in range(0, width * 3, 3)] for row in rows]
    counted = Counter(pixel for row in pixels for pixel in row)
    palette = [colour for colour, _ in counted.most_common(MOST_COLOURS)]
    index = {colour: place for place, colour in enumerate(palette)}
    for colour in counted:
        index.setdefault(colour, _nearest(colour, palette))
    body = b"".join(b"\0" + bytes(index[pixel] for pixel in row) for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(body, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _nearest(colour: Colour, palette: list[Colour]) -> int:
    red, green, blue = colour
    distances = [(red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2 for r, g, b in palette]
    return distances.index(min(distances))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _decode(png: bytes) -> tuple[int, int, list[bytes]]:
    """Return width, height and the rows as RGB."""
    place, header, packed = len(SIGNATURE), b"", b""
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        header, packed = (content, packed) if kind == b"IHDR" else (header, packed + content * (kind == b"IDAT"))
        place += length + 12
    width, height, _depth, colour_type = struct.unpack_from(">IIBB", header)
    channels = CHANNELS[colour_type]
    raw, size = zlib.decompress(packed), width * channels
    rows: list[bytes] = []
    before = bytes(size)
    for start in range(0, height * (size + 1), size + 1):
        before = _unfilter(raw[start], raw[start + 1 : start + 1 + size], before, channels)
        rows.append(before)
    return width, height, [row if channels == 3 else _without_alpha(row) for row in rows]


def _without_alpha(row: bytes) -> bytes:
    return bytes(value for at, value in enumerate(row) if at % 4 != 3)


def _unfilter(kind: int, line: bytes, above: bytes, channels: int) -> bytes:
    row = bytearray(line)
    for at, up in enumerate(above):
        left = row[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner) if kind == 4 else 0)[kind]
        row[at] = (row[at] + guess) & 0xFF
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    near = abs(guess - left), abs(guess - up), abs(guess - corner)
    return left if near[0] <= near[1] and near[0] <= near[2] else up if near[1] <= near[2] else corner
