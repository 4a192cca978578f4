"""Notes that other programs read: XMP with the IPTC's word for where the picture comes from, and a comment.

XMP goes where its specification (part 3, "Storage in files", 2020) puts it: an iTXt chunk in PNG, an APP1
segment in JPEG, an `XMP ` chunk in WebP, a `uuid` box in MP4 and MOV. The vocabulary is the IPTC's "Digital
Source Type".
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from xml.sax.saxutils import escape

from faceswap.errors import InputError, writing

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
VOCABULARY = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".mp4", ".m4v", ".mov"}

_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_PNG, _PNG_KEY = b"\x89PNG\r\n\x1a\n", b"XML:com.adobe.xmp"
_PNG_COMMENT = b"Comment\0"
_JPEG_KEY = b"http://ns.adobe.com/xap/1.0/\0"
_XMP = (b"iTXt", _PNG_KEY), (b"\xff\xe1", _JPEG_KEY), (b"XMP ", b""), (b"uuid", _BOX)
_COMMENT = (b"tEXt", _PNG_COMMENT), (b"\xff\xfe", b"")
_HAS_XMP, _HAS_ALPHA = 0x04, 0x10  # flags of WebP's VP8X chunk
_MOST = 1 << 20  # bytes: a longer packet is not read
_TYPE = re.compile(rb"DigitalSourceType\s*(?:=\s*[\"']|>\s*)([^\"'<\s]+)")


REPLACED = "a face was replaced"


def comment(version: str, deed: str = REPLACED) -> str:
    """The line that players and image viewers show."""
    return f"AI-modified: {deed} with faceswap {version}"


def container_notes(version: str) -> dict[str, str]:
    """What a video container's own metadata has to say, by libav's names; the title is left alone."""
    return {"comment": comment(version), "description": comment(version)}


def packet(version: str, deed: str = REPLACED) -> bytes:
    """The XMP packet, UTF-8."""
    text = escape(comment(version, deed))
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="{VOCABULARY}"
    xmp:CreatorTool="faceswap {escape(version)}"
    Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()


def write_notes(path: Path, version: str, deed: str = REPLACED) -> None:
    """Put XMP, and a comment in images, into a file that this program has just written.

    Videos get their comment when they are joined. A file that is none of `XMP_SUFFIXES` stays as it is.

    Args:
        path: Changed in place: not to be the name of a finished output.
        version: Of this program.
        deed: What was done, for people.

    Raises:
        InputError: The file is not what its suffix says.
        OutputError: It cannot be written.
    """
    xmp, text = packet(version, deed), comment(version, deed).encode("latin-1")
    with writing(path):
        if path.suffix.lower() in (".mp4", ".m4v", ".mov"):
            with path.open("ab") as file:
                file.write(struct.pack(">I4s", 24 + len(xmp), b"uuid") + _BOX + xmp)
            return
        inserted = {".png": _in_png, ".jpg": _in_jpeg, ".jpeg": _in_jpeg, ".webp": _in_webp}
        if path.suffix.lower() in inserted:
            path.write_bytes(inserted[path.suffix.lower()](path.read_bytes(), xmp, text))


def read_source_type(path: Path) -> str | None:
    """The IPTC's digital source type in a file's XMP; None where there is none.

    Raises:
        InputError: The file cannot be read.
    """
    match = _TYPE.search(_found(path, _XMP) or b"")
    return match[1].decode("utf-8", "replace") if match else None


def read_comment(path: Path) -> str | None:
    """The comment in an image, PNG or JPEG; None where there is none.

    Raises:
        InputError: The file cannot be read.
    """
    content = _found(path, _COMMENT)
    return content.removeprefix(_PNG_COMMENT).decode("latin-1") if content else None


class _Piece(NamedTuple):
    """A chunk, segment or box: its name, where its content begins, and how long that is."""

    name: bytes
    begin: int
    size: int


def _in_png(data: bytes, xmp: bytes, text: bytes) -> bytes:
    """After the header: `iTXt` neither compressed nor in a named language, and a `tEXt` comment."""
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        raise InputError("the image to mark is not a PNG file")
    chunks = [(b"iTXt", _PNG_KEY + bytes(5) + xmp), (b"tEXt", _PNG_COMMENT + text)]
    new = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return data[:33] + new + data[33:]


def _in_jpeg(data: bytes, xmp: bytes, text: bytes) -> bytes:
    """After the JFIF header: an APP1 segment and a comment."""
    if not data.startswith(b"\xff\xd8\xff"):
        raise InputError("the image to mark is not a JPEG file")
    begin = 2
    if data[2:4] == b"\xff\xe0":
        begin += 2 + int.from_bytes(data[4:6], "big")
    new = b"".join(
        mark + struct.pack(">H", 2 + len(body)) + body
        for mark, body in ((b"\xff\xe1", _JPEG_KEY + xmp), (b"\xff\xfe", text))
    )
    return data[:begin] + new + data[begin:]


def _in_webp(data: bytes, xmp: bytes, text: bytes) -> bytes:
    """At the end; a file of the simple form gets the header of the extended one. WebP knows no comments."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise InputError("the image to mark is not a WebP file")
    body = data[12:]
    if body[:4] == b"VP8X":
        head = bytearray(body[:18])
        head[8] |= _HAS_XMP
        body = bytes(head) + body[18:]
    else:
        body = _extended_header(body) + body
    body += b"XMP " + struct.pack("<I", len(xmp)) + xmp + bytes(len(xmp) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _extended_header(body: bytes) -> bytes:
    """The VP8X chunk for an image that has none: its size and whether it is transparent (RFC 9649)."""
    if body[:4] == b"VP8L":
        bits = int.from_bytes(body[9:13], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        words = struct.unpack("<HH", body[14:18])
        width, height, alpha = (words[0] & 0x3FFF) - 1, (words[1] & 0x3FFF) - 1, 0
    flags = _HAS_XMP | (_HAS_ALPHA if alpha else 0)
    size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return b"VP8X" + struct.pack("<II", 10, flags) + size


def _found(path: Path, wanted: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The first piece of a file that has one of the names wanted, and begins as wanted of that name."""
    try:
        with path.open("rb") as file:
            for piece in _pieces(file, file.read(12)):
                file.seek(piece.begin)
                content = file.read(min(piece.size, _MOST))
                if any(piece.name == name and content.startswith(key) for name, key in wanted):
                    return content
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the path") from error
    return None


def _pieces(file: BinaryIO, head: bytes) -> Iterator[_Piece]:
    """The pieces that may hold notes, in their order; ends where the file makes no sense any more."""
    end = os.fstat(file.fileno()).st_size
    if head.startswith(_PNG):
        return _chunks(file, end)
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return _riff_chunks(file, end)
    if head[4:8] == b"ftyp":
        return _boxes(file, end)
    return _segments(file, end) if head.startswith(b"\xff\xd8") else iter(())


def _chunks(file: BinaryIO, end: int) -> Iterator[_Piece]:
    place = len(_PNG)
    while place + 12 <= end:
        file.seek(place)
        size, name = struct.unpack(">I4s", file.read(8))
        yield _Piece(name, place + 8, size)
        place += 12 + size


def _riff_chunks(file: BinaryIO, end: int) -> Iterator[_Piece]:
    place = 12
    while place + 8 <= end:
        file.seek(place)
        name, size = struct.unpack("<4sI", file.read(8))
        yield _Piece(name, place + 8, size)
        place += 8 + size + size % 2


def _segments(file: BinaryIO, end: int) -> Iterator[_Piece]:
    place = 2
    while place + 4 <= end:
        file.seek(place)
        mark, size = struct.unpack(">2sH", file.read(4))
        if mark[0] != 0xFF or mark == b"\xff\xda" or size < 2:
            return
        yield _Piece(mark, place + 4, size - 2)
        place += 2 + size


def _boxes(file: BinaryIO, end: int) -> Iterator[_Piece]:
    place = 0
    while place + 8 <= end:
        file.seek(place)
        size, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = int.from_bytes(file.read(8), "big"), 16
        size = size or end - place
        if size < head:
            return
        if name == b"uuid":
            yield _Piece(name, place + head, size - head)
        place += size
