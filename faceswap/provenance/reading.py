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
from faceswap.provenance.signing import ASSERTION, FORMATS, OFFLINE, OTHER, SIDECAR

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
        earlier: How many manifests of earlier steps are kept within this one.
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
    earlier: int = 0
    sidecar: str = ""


def read_manifest(path: Path) -> Manifest | None:
    """Read and check the manifest of a file, from within it or from the `.c2pa` file beside it.

    Nothing is fetched from a network.

    Returns:
        None where there is no manifest.

    Raises:
        InputError: The file cannot be read.
    """
    beside = path.with_suffix(SIDECAR)
    try:
        found = _read(path, None)
        if found is None and beside.is_file() and beside != path:
            found = _read(path, beside)
        return found
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check the path") from error


def _read(path: Path, beside: Path | None) -> Manifest | None:
    authority = own_authority()
    trust = {"trust": {"user_anchors": authority}} if authority else {}
    kind = OTHER if beside else FORMATS.get(path.suffix.lower())
    try:
        with ExitStack() as stack:
            context = stack.enter_context(Context.from_dict(OFFLINE | trust))
            file = stack.enter_context(path.open("rb"))
            data = beside.read_bytes() if beside else None
            reader = stack.enter_context(Reader(kind, file, data, context=context))
            label, store = reader.get_active_manifest(), reader.get_validation_results()
            state = reader.get_validation_state()
            return _stated(label or {}, store or {}, state or "", _labels(reader), beside)
    except C2paError as error:
        none = isinstance(error, C2paError.ManifestNotFound | C2paError.NotSupported)
        if none or not _holds_one(path, beside):
            return None
        text = f"the manifest cannot be read: {error}".replace("\n", " ")
        return Manifest(False, (text,), sidecar=beside.name if beside else "")


def _holds_one(path: Path, beside: Path | None) -> bool:
    """Whether there is something like a manifest, however damaged."""
    if beside or not path.stat().st_size:
        return beside is not None
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return content.find(b"jumdc2pa") >= 0


def _labels(reader: Reader) -> int:
    """How many manifests there are."""
    return len(json.loads(reader.json()).get("manifests", {}))


def _stated(
    active: Mapping[str, Any], results: Mapping[str, Any], state: str, count: int, beside: Path | None
) -> Manifest:
    assertions = {item["label"]: item["data"] for item in active.get("assertions", [])}
    own = assertions.get(ASSERTION) or {}
    consent = own.get("consent") or {}
    tool = own.get("tool") or " ".join(_generator(active))
    signature = active.get("signature_info") or {}
    return Manifest(
        whole=state in ("Valid", "Trusted"),
        problems=tuple(_problems(results)),
        ours=bool(own),
        tool=tool,
        when=own.get("when") or signature.get("time") or "",
        sources=tuple(item.get("title") or "?" for item in active.get("ingredients", [])),
        models=tuple(_models(own)),
        run=own.get("run", ""),
        consent=consent.get("text", ""),
        consent_date=consent.get("date", ""),
        signer=signature.get("common_name") or signature.get("issuer") or "",
        settings=own.get("settings") or {},
        own=_TRUSTED in _codes(results, "success"),
        earlier=max(count - 1, 0),
        sidecar=beside.name if beside else "",
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
