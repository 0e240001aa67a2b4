"""Makes a PNG small: a few colours instead of millions, each pixel the nearest of those. Pure.

The colours of large areas are kept as they are. Of all others, those are taken that differ from each other, vivid ones
first: else the many greys at the edges of letters would leave no room for a thin coloured line.

Format: PNG specification, "Filtering" and "Chunk layout"; only what Chromium writes (8 bits, RGB or RGBA).
"""

import struct
import zlib
from collections import Counter
from itertools import accumulate

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 6: 4}
MOST_COLOURS = 256
FEW_COLOURS = 16
"""Two pixels fit into a byte then."""
LARGE_SHARE = 0.01
VIVID, VIVID_WEIGHT = 80, 5
"""How far apart the parts of a colour are that is no shade of grey, and how much more such a pixel counts."""
APART = 30**2
"""How much other colours differ, as the square of their distance."""
Colour = bytes


def with_palette(png: bytes, *, colours: int = MOST_COLOURS) -> bytes:
    """Return the same picture in at most so many colours."""
    width, height, rows = _decode(png)
    lines = Counter(rows)  # a picture of text has many equal rows: each is looked at once
    counted: Counter[Colour] = Counter()
    for line, times in lines.items():
        for pixel, here in Counter(_pixels(line)).items():
            counted[pixel] += here * times
    palette = _choose(counted, colours)
    index = {colour: place for place, colour in enumerate(palette)}
    for colour in counted:
        index.setdefault(colour, _nearest(colour, palette))
    depth = 4 if colours <= FEW_COLOURS else 8
    mapped = {line: b"\0" + _packed(bytes(map(index.__getitem__, _pixels(line))), depth) for line in lines}
    header = struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0)
    packer = zlib.compressobj(9, memLevel=9)
    body = packer.compress(b"".join(map(mapped.__getitem__, rows))) + packer.flush()
    chunks = ((b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", body), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def size_of(png: bytes) -> tuple[int, int]:
    """Return a picture's width and height."""
    width, height = struct.unpack_from(">II", png, len(SIGNATURE) + 8)
    return width, height


def _choose(counted: Counter[Colour], colours: int) -> list[Colour]:
    if len(counted) <= colours or colours == MOST_COLOURS:
        return [colour for colour, _ in counted.most_common(colours)]
    chosen: list[Colour] = []
    large = counted.total() * LARGE_SHARE
    weighed = sorted(counted.items(), key=lambda item: -item[1] * (VIVID_WEIGHT if _is_vivid(item[0]) else 1))
    for colour, times in weighed:
        if times > large or all(_distance(colour, other) >= APART for other in chosen):
            chosen.append(colour)
            if len(chosen) == colours:
                break
    return chosen


def _is_vivid(colour: Colour) -> bool:
    return max(colour) - min(colour) >= VIVID


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _packed(places: bytes, depth: int) -> bytes:
    if depth == 8:
        return places
    even, odd = places[::2], places[1::2].ljust((len(places) + 1) // 2, b"\0")
    return bytes(high << 4 | low for high, low in zip(even, odd, strict=True))


def _pixels(row: bytes) -> list[Colour]:
    return [row[at : at + 3] for at in range(0, len(row), 3)]


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
    if kind == 0:
        return line
    if kind == 1:
        return _add_left(line, channels)
    if kind == 2:
        return _add(line, above)
    row, left = bytearray(line), bytes(channels)
    for at in range(0, len(line), channels):
        for channel in range(at, at + channels):
            before, up = left[channel - at], above[channel]
            corner = above[channel - channels] if at else 0
            guess = (before + up) // 2 if kind == 3 else _paeth(before, up, corner)
            row[channel] = (row[channel] + guess) & 0xFF
        left = bytes(row[at : at + channels])
    return bytes(row)


def _add_left(line: bytes, channels: int) -> bytes:
    row = bytearray(len(line))
    for channel in range(channels):
        row[channel::channels] = bytes(value & 0xFF for value in accumulate(line[channel::channels]))
    return bytes(row)


def _add(line: bytes, above: bytes) -> bytes:
    """Add two rows byte by byte: as two numbers, in whose every other byte the carries go."""
    size = len(line)
    even = int.from_bytes(b"\x00\xff" * ((size + 1) // 2), "big")
    first, second = int.from_bytes(line, "big"), int.from_bytes(above, "big")
    odd = even << 8
    total = (((first & even) + (second & even)) & even) | (((first & odd) + (second & odd)) & odd)
    return (total & ((1 << 8 * size) - 1)).to_bytes(size, "big")


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    near = abs(guess - left), abs(guess - up), abs(guess - corner)
    return left if near[0] <= near[1] and near[0] <= near[2] else up if near[1] <= near[2] else corner
