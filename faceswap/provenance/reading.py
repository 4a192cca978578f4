"""Reading a C2PA manifest back: whole or not, made by what, of what, signed by whom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from c2pa import C2paError, Context, Reader

from faceswap.errors import InputError
from faceswap.provenance.certificates import own_authority
from faceswap.provenance.formats import OFFLINE, OTHER, beside, format_of
from faceswap.provenance.signing import ASSERTION, METADATA, XMP_KEY

_TRUSTED, _UNTRUSTED = "signingCredential.trusted", "signingCredential.untrusted"


@dataclass(frozen=True)
class Manifest:
    """What a file's manifest states, and whether it holds.

    Attributes:
        whole: Neither the file nor the manifest was changed since it was signed.
        problems: What does not hold, in the library's words.
        ours: It states that this program made the file.
        tool: The program that made the file, with its version.
        when: When, as in ISO 8601; empty where it is not stated.
        sources: Names of what the file was made from.
        models: Name and fingerprint of each model that drew faces, or none.
        run: The run's number as eight hexadecimal digits, or empty.
        consent: Who agreed, or empty.
        consent_date: When they agreed, or empty.
        signer: The name in the certificate.
        settings: The options that shaped the picture, or none.
        own: It was signed with this machine's own certificate.
        earlier: The manifests of earlier steps that are kept within this one: file, program and time of each.
        source_type: The IPTC's digital source type that it states as XMP, or empty.
        sidecar: The file beside, which holds the manifest; empty where it is within.
    """

    whole: bool
    problems: tuple[str, ...]
    ours: bool = False
    tool: str = ""
    when: str = ""
    sources: tuple[str, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    run: str = ""
    consent: str = ""
    consent_date: str = ""
    signer: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False
    earlier: tuple[str, ...] = ()
    source_type: str = ""
    sidecar: str = ""


def read_manifest(path: Path) -> Manifest | None:
    """Read and check the manifest of a file, from within it or from the `.c2pa` file beside it.

    Nothing is fetched from a network.

    Returns:
        None where there is no manifest.

    Raises:
        InputError: The file cannot be read.
    """
    sidecar = beside(path)
    try:
        found = _read(path, None)
        return _read(path, sidecar) if found is None and sidecar.is_file() else found
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the path") from error


def _read(path: Path, sidecar: Path | None) -> Manifest | None:
    authority = own_authority()
    trust = {"trust": {"user_anchors": authority}} if authority else {}
    kind = OTHER if sidecar else format_of(path)
    try:
        with ExitStack() as stack:
            context = stack.enter_context(Context.from_dict(OFFLINE | trust))
            file = stack.enter_context(path.open("rb"))
            data = sidecar.read_bytes() if sidecar else None
            reader = stack.enter_context(Reader(kind, file, data, context=context))
            label, store = reader.get_active_manifest(), reader.get_validation_results()
            state = reader.get_validation_state()
            return _stated(label or {}, store or {}, state or "", _earlier(reader), sidecar)
    except C2paError as error:
        none = isinstance(error, C2paError.ManifestNotFound | C2paError.NotSupported)
        if none or not _holds_one(path, sidecar):
            return None
        text = f"the manifest cannot be read: {error}".replace("\n", " ")
        return Manifest(False, (text,), sidecar=sidecar.name if sidecar else "")


def _holds_one(path: Path, sidecar: Path | None) -> bool:
    """Whether there is something like a manifest, however damaged."""
    if sidecar or not path.stat().st_size:
        return sidecar is not None
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return content.find(b"jumdc2pa") >= 0


def _earlier(reader: Reader) -> tuple[str, ...]:
    """What the manifests say that are kept within the active one, the latest first."""
    store = json.loads(reader.json())
    manifests, label = dict(store.get("manifests", {})), store.get("active_manifest")
    told = []
    while label and (manifest := manifests.pop(label, None)):
        told.append(_told(manifest))
        label = next(
            (one["active_manifest"] for one in manifest.get("ingredients", []) if one.get("active_manifest")),
            None,
        )
    return (*told[1:], *map(_told, manifests.values()))


def _told(manifest: Mapping[str, Any]) -> str:
    """A manifest in a few words."""
    own = _own(manifest)
    tool, when = own.get("tool") or " ".join(_generator(manifest)), _when(manifest, own)
    text = f"{manifest.get('title') or '?'}, made by {tool or 'an unnamed program'}"
    return f"{text} at {when}" if when else text


def _own(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """What only this program states; empty in a manifest of another."""
    return _assertion(manifest, ASSERTION)


def _assertion(manifest: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    found = (item["data"] for item in manifest.get("assertions", []) if item["label"] == label)
    return next(found, None) or {}


def _when(manifest: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    return own.get("when") or (manifest.get("signature_info") or {}).get("time") or ""


def _stated(
    active: Mapping[str, Any],
    results: Mapping[str, Any],
    state: str,
    earlier: tuple[str, ...],
    sidecar: Path | None,
) -> Manifest:
    own = _own(active)
    consent = own.get("consent") or {}
    tool = own.get("tool") or " ".join(_generator(active))
    signature = active.get("signature_info") or {}
    whole = state in ("Valid", "Trusted")
    problems = list(_problems(results))
    if not whole and sidecar and active.get("title") not in (None, sidecar.stem):
        problems.append(f"the manifest beside it was made for {active['title']}")
    return Manifest(
        whole=whole,
        problems=tuple(problems),
        ours=bool(own),
        tool=tool,
        when=_when(active, own),
        sources=tuple(item.get("title") or "?" for item in active.get("ingredients", [])),
        models=tuple(_models(own)),
        run=own.get("run", ""),
        consent=consent.get("text", ""),
        consent_date=consent.get("date", ""),
        signer=signature.get("common_name") or signature.get("issuer") or "",
        settings=own.get("settings") or {},
        own=_TRUSTED in _codes(results, "success"),
        earlier=earlier,
        source_type=_assertion(active, METADATA).get(XMP_KEY) or "",
        sidecar=sidecar.name if sidecar else "",
    )


def _models(own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The models that this program stated; files of its first days have one alone."""
    for model in own.get("models") or [own.get("model") or {}]:
        if model.get("name"):
            yield model["name"], model.get("hash", "")


def _generator(active: Mapping[str, Any]) -> Iterator[str]:
    for agent in (active.get("claim_generator_info") or [])[:1]:
        yield from (agent[key] for key in ("name", "version") if agent.get(key))
    if not active.get("claim_generator_info") and active.get("claim_generator"):
        yield active["claim_generator"]


def _codes(results: Mapping[str, Any], kind: str) -> set[str]:
    return {item["code"] for item in (results.get("activeManifest") or {}).get(kind, [])}


def _problems(results: Mapping[str, Any]) -> Iterator[str]:
    for failure in (results.get("activeManifest") or {}).get("failure", []):
        if failure["code"] != _UNTRUSTED:  # which says nothing of the file
            yield f"{failure['code']}: {failure.get('explanation', '')}"
