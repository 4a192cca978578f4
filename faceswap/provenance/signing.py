"""Marking a finished file and signing it: notes first, the C2PA manifest last, then its final name.

C2PA technical specification 2.x; the library embeds the manifest in the formats it knows. For others it
lies beside the output, under the same name with `.c2pa`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from c2pa import Builder, C2paError, C2paSignerInfo, Context, Signer

from faceswap.errors import SigningError, writing
from faceswap.provenance.certificates import credentials
from faceswap.provenance.metadata import REPLACED, SOURCE_TYPE, comment, write_notes

ASSERTION = "org.faceswap.conversion"  # the label of what only this program states
SIDECAR = ".c2pa"
FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".gif": "image/gif",
}
OTHER = "application/octet-stream"  # hashed as a whole
OFFLINE: dict[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},  # a manifest shows nobody's face
}


@dataclass(frozen=True)
class Provenance:
    """What an output says of itself.

    Attributes:
        source: The clip or the image that was changed.
        models: Name and fingerprint (hexadecimal digits) of each model that drew faces.
        version: Of this program.
        run: The run's number, 0 to 2**32 - 1, as in the pixel mark.
        consent: Who agreed, in the user's words; empty where nothing was said.
        consent_date: When, as YYYY-MM-DD or empty.
        settings: The options that shaped the picture.
        certificate: PEM file of a chain of the user's own; None for this machine's.
        key: PEM file of its private key; None if it is in `certificate` too.
        deed: What was done, for people.
    """

    source: Path
    models: tuple[tuple[str, str], ...]
    version: str
    run: int
    consent: str = ""
    consent_date: str = ""
    settings: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    certificate: Path | None = None
    key: Path | None = None
    deed: str = REPLACED


def mark_file(made: Path, target: Path, provenance: Provenance) -> Path | None:
    """Give a finished file its notes and its signed manifest, and then the output's name.

    Args:
        made: The finished file, beside nothing that matters under its name: it is changed and removed.
        target: The output; replaced where it exists. Its suffix says what `made` is.
        provenance: What to state.

    Returns:
        The file that holds the manifest where `target` cannot, else None.

    Raises:
        SigningError: It cannot be signed; `target` is as it was.
        InputError: `made` is not what the suffix says.
        OutputError: `target` cannot be written.
    """
    embeds = target.suffix.lower() in FORMATS
    sidecar = None if embeds else target.with_suffix(SIDECAR)
    signed = target.with_name(f".{target.name}.signed{target.suffix}")
    notes = made.with_name(f".{made.name}.notes{target.suffix}")
    try:
        with writing(made):
            os.replace(made, notes)
        write_notes(notes, provenance.version, provenance.deed)
        manifest = _sign(notes, signed, target.name, provenance, embeds)
        with writing(target):
            if sidecar:
                _write_sidecar(sidecar, manifest)
            _sync(signed)
            os.replace(signed, target)
    finally:
        signed.unlink(missing_ok=True)
        notes.unlink(missing_ok=True)
    return sidecar


def _sign(made: Path, signed: Path, title: str, about: Provenance, embeds: bool) -> bytes:
    """Write the signed file; the manifest's bytes."""
    own = credentials(about.certificate, about.key)
    try:
        with ExitStack() as stack:
            context = stack.enter_context(Context.from_dict(OFFLINE))
            builder = stack.enter_context(Builder(_manifest(title, about), context=context))
            if not embeds:
                builder.set_no_embed()
            _add_source(builder, about.source)
            info = C2paSignerInfo(own.algorithm, own.chain, own.key, None)
            signer = stack.enter_context(Signer.from_info(info))
            with writing(signed), made.open("rb") as source, signed.open("w+b") as out:
                return bytes(builder.sign(signer, FORMATS.get(made.suffix.lower(), OTHER), source, out))
    except C2paError as error:
        text = str(error).replace("\n", " ")
        raise SigningError(f"{title} could not be signed, so it was not made: {text}") from error


def _manifest(title: str, about: Provenance) -> dict[str, Any]:
    """C2PA's description of the output: opened, then a face replaced with a trained model."""
    agent = {"name": "faceswap", "version": about.version}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": SOURCE_TYPE,
        "softwareAgent": agent,
        "description": comment(about.version, about.deed),
        "when": now,
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}
    own = {
        "tool": f"faceswap {about.version}",
        "run": f"{about.run:08x}",
        "when": now,
        "models": [{"name": name, "hash": sign} for name, sign in about.models],
        "settings": dict(about.settings),
        "consent": {"text": about.consent, "date": about.consent_date} if about.consent else None,
    }
    return {
        "claim_generator_info": [agent],
        "title": title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [opened, edited]}},
            {"label": ASSERTION, "data": own},
        ],
    }


def _add_source(builder: Builder, source: Path) -> None:
    """State the source as the parent; a manifest that it has is kept within the new one."""
    about = {"title": source.name, "relationship": "parentOf", "label": "source", "instance_id": "source"}
    try:
        with source.open("rb") as file:
            kind = _kind(file.read(12))
            file.seek(0)
            try:
                builder.add_ingredient(about, kind, file)
            except C2paError:  # damaged: no manifest can be read from it, but what it is can be stated
                file.seek(0)
                builder.add_ingredient(about, OTHER, file)
    except OSError as error:
        raise SigningError(f"cannot sign: the source {source} cannot be read: {error.strerror}") from error


def _kind(head: bytes) -> str:
    """The format of a file by its first twelve bytes, whatever its name."""
    if head[4:8] == b"ftyp":
        return FORMATS[".mov" if head[8:12] == b"qt  " else ".mp4"]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FORMATS[".webp"]
    begins = {
        b"\x89PNG": ".png",
        b"\xff\xd8\xff": ".jpg",
        b"GIF8": ".gif",
        b"II*\0": ".tif",
        b"MM\0*": ".tif",
    }
    return next((FORMATS[name] for start, name in begins.items() if head.startswith(start)), OTHER)


def _write_sidecar(sidecar: Path, manifest: bytes) -> None:
    temporary = sidecar.with_name(f".{sidecar.name}.part")
    temporary.write_bytes(manifest)
    _sync(temporary)
    os.replace(temporary, sidecar)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
