"""Marking a finished file and signing it: notes first, the C2PA manifest last, then its final name.

C2PA technical specification 2.x; the library embeds the manifest in the formats it knows. For others it
lies beside the output, under its name with `.c2pa` after it.
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

from faceswap.durable import sync
from faceswap.errors import SigningError, writing
from faceswap.provenance.certificates import credentials
from faceswap.provenance.formats import OFFLINE, OTHER, beside, written_in
from faceswap.provenance.ingredients import add_source
from faceswap.provenance.metadata import REPLACED, SOURCE_TYPE, VOCABULARY, comment, write_notes

ASSERTION = "org.faceswap.conversion"  # the label of what only this program states
METADATA, XMP_KEY = "c2pa.metadata", "Iptc4xmpExt:DigitalSourceType"  # XMP within the manifest, as JSON-LD


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
    embeds = written_in(target) is not None
    sidecar = beside(target)
    signed = target.with_name(f".{target.name}.signed{target.suffix}")
    notes = made.with_name(f".{made.name}.notes{target.suffix}")
    try:
        with writing(made):
            os.replace(made, notes)
        write_notes(notes, provenance.version, provenance.deed)
        manifest = _sign(notes, signed, target.name, provenance, embeds)
        with writing(target):
            if not embeds:
                _write_sidecar(sidecar, manifest)
            sync(signed)
            os.replace(signed, target)
            if embeds:
                sidecar.unlink(missing_ok=True)  # of what stood there before
    finally:
        signed.unlink(missing_ok=True)
        notes.unlink(missing_ok=True)
    return None if embeds else sidecar


def _sign(made: Path, signed: Path, title: str, about: Provenance, embeds: bool) -> bytes:
    """Write the signed file; the manifest's bytes."""
    own = credentials(about.certificate, about.key)
    try:
        with ExitStack() as stack:
            context = stack.enter_context(Context.from_dict(OFFLINE))
            builder = stack.enter_context(Builder(_manifest(title, about), context=context))
            if not embeds:
                builder.set_no_embed()
            add_source(builder, about.source)
            info = C2paSignerInfo(own.algorithm, own.chain, own.key, None)
            signer = stack.enter_context(Signer.from_info(info))
            with writing(signed), made.open("rb") as source, signed.open("w+b") as out:
                return bytes(builder.sign(signer, written_in(made) or OTHER, source, out))
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
            {
                "label": METADATA,
                "kind": "Json",
                "data": {"@context": {"Iptc4xmpExt": VOCABULARY}, XMP_KEY: SOURCE_TYPE},
            },
            {"label": ASSERTION, "data": own},
        ],
    }


def _write_sidecar(sidecar: Path, manifest: bytes) -> None:
    temporary = sidecar.with_name(f".{sidecar.name}.part")
    temporary.write_bytes(manifest)
    sync(temporary)
    os.replace(temporary, sidecar)
