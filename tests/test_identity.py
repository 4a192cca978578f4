"""The reader of dlib's files, on files written here, and the identity network against dlib itself."""

import struct
from functools import cache
from math import frexp

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from faceswap.errors import DependencyError
from faceswap.faces.alignment import transform, umeyama
from faceswap.faces.template import MEAN_FACE
from faceswap.faces.weights import SHAPE_68, weight_file
from faceswap.networks.dlib_format import Reader, read_layers
from faceswap.networks.identity import CHIP_POINTS, CHIP_TEMPLATE, LENGTH, SIZE, build_identity, chip_matrix
from faceswap.types import to_float

MEAN = (120.5, 110.25, 100.0)  # RGB
RESNET = "dlib_face_recognition_resnet_model_v1.dat"


def integer(value):
    size = max((abs(value).bit_length() + 7) // 8, 1)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def integers(*values):
    return b"".join(map(integer, values))


def real(value):
    mantissa, exponent = frexp(value)
    return integers(int(mantissa * 2**24), exponent - 24)


def text(value):
    return integer(len(value)) + value.encode()


def tensor(values):
    return integers(2, len(values), 1, 1, 1) + values.astype("<f4").tobytes()


NOTHING = integers(2, 0, 0, 0, 0)


def layer(name, body=b""):
    return text(name) + body + b"110" + NOTHING * 3


def convolution(kernel, bias, stride, padding):
    out, _, rows, columns = kernel.shape
    head = tensor(np.r_[kernel.ravel(), bias]) + integers(out, rows, columns, *[stride] * 2, *[padding] * 2)
    return layer("con_4", head + integers(1, *kernel.shape) + integers(1, 1, out, 1, 1) + real(1.0) * 4)


def affine(gamma, beta):
    shape = integers(1, 1, len(gamma), 1, 1)
    return layer("affine_", tensor(np.r_[gamma, beta]) + shape * 2 + integer(0))


def pool(kind, rows, stride):
    return layer(kind, integers(*[rows] * 2, *[stride] * 2, 0, 0))


def dense(kernel):
    head = integers(kernel.shape[1], kernel.shape[0]) + tensor(kernel.ravel())
    shapes = integers(1, *kernel.shape, 1, 1) + integers(1, 0, 0, 0, 0)
    return layer("fc_2", head + shapes + integer(1) + real(1.0) * 4)


def network(layers):
    """A file of these layers, with a tag among its levels."""
    levels = integers(*[2] * (len(layers) - 1), 1, 3)
    start = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6) + levels
    start += text("input_rgb_image_sized") + b"".join(map(real, MEAN)) + integers(SIZE, SIZE)
    return start + layers[0] + integer(1) + b"".join(layers[1:])


@cache
def small():
    """The weights of a network of the same kind, and its file: stem, one block, one block that halves."""
    draw = np.random.default_rng(3)
    shapes = [(4, 3, 7, 7), (4, 4, 3, 3), (4, 4, 3, 3), (6, 4, 3, 3), (6, 6, 3, 3)]
    kernels = [draw.normal(0, (s[1] * s[2] * s[3]) ** -0.5, s).astype(np.float32) for s in shapes]
    vectors = [draw.normal(0.5, 0.3, (3, s[0])).astype(np.float32) for s in shapes]
    last = draw.normal(size=(6, LENGTH)).astype(np.float32)
    both = list(zip(kernels, vectors, [2, 1, 1, 2, 1], [0, 1, 1, 0, 1], strict=True))
    parts = [(convolution(k, b, s, p), affine(g, a)) for k, (b, g, a), s, p in both]
    relu, add = layer("relu_"), layer("add_prev_")
    layers = [*parts[0], relu, pool("max_pool_2", 3, 2)]
    layers += [*parts[1], relu, *parts[2], add, relu]
    layers += [*parts[3], relu, *parts[4], pool("avg_pool_2", 2, 2), add, relu]
    layers += [layer("avg_pool_2", integers(0, 0, 1, 1, 0, 0)), dense(last)]
    return both, last, network(layers)


def by_hand(picture, both, last):
    """What the small network makes of a picture (BGR, 0 to 1), one plain step after the other."""

    def step(x, index, relu=True):
        kernel, (bias, gamma, beta), stride, padding = both[index]
        x = np.pad(x, [(0, 0), (padding, padding), (padding, padding)])
        windows = sliding_window_view(x, kernel.shape[2:], (1, 2))[:, ::stride, ::stride]
        y = np.einsum("oihw,iyxhw->oyx", kernel, windows) + bias[:, None, None]
        y = y * gamma[:, None, None] + beta[:, None, None]
        return np.maximum(y, 0) if relu else y

    x = (picture[:, :, ::-1].transpose(2, 0, 1) * 255 - np.array(MEAN)[:, None, None]) / 256
    x = sliding_window_view(step(x, 0), (3, 3), (1, 2))[:, ::2, ::2].max((3, 4))
    x = np.maximum(x + step(step(x, 1), 2, relu=False), 0)
    skip = sliding_window_view(x, (2, 2), (1, 2))[:, ::2, ::2].mean((3, 4))
    y = step(step(x, 3), 4, relu=False)
    joined = np.zeros((6, *np.maximum(skip.shape[1:], y.shape[1:])))
    joined[:4, : skip.shape[1], : skip.shape[2]] += skip
    joined[:, : y.shape[1], : y.shape[2]] += y
    return np.maximum(joined, 0).mean((1, 2)) @ last


@given(st.integers(-(2**64) + 1, 2**64 - 1), st.floats(2.0**-30, 2.0**30), st.text("az_09", max_size=99))
def test_what_is_packed_is_read(whole, fraction, name):
    reader = Reader(integer(whole) + real(-fraction) + text(name) + b"1", "file")
    assert reader.integer() == whole
    assert reader.real() == pytest.approx(-fraction, rel=1e-6)
    assert (reader.text(), reader.flag(), reader.left) == (name, True, 0)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x09" + b"1" * 9, b"\x11\x01", b"\x02\x01"])
def test_what_is_no_integer(data):
    with pytest.raises(DependencyError, match="file is damaged"):
        Reader(data, "file").integer()


def test_layers_come_from_the_input_up(tmp_path):
    both, last, data = small()
    (tmp_path / "net.dat").write_bytes(data)
    layers = read_layers(tmp_path / "net.dat")
    assert [x.kind for x in layers][:6] == ["input", "con", "affine", "relu", "max_pool", "con"]
    assert layers[0].weights["mean"].tolist() == list(MEAN) and layers[0].window == (SIZE, SIZE)
    stem = layers[1]
    assert (stem.window, stem.stride, stem.padding) == ((7, 7), (2, 2), (0, 0))
    assert (stem.weights["kernel"] == both[0][0]).all() and (stem.weights["bias"] == both[0][1][0]).all()
    assert (layers[2].weights["beta"] == both[0][1][2]).all()
    assert (layers[-1].weights["kernel"] == last).all()


def test_the_graph_does_what_its_layers_say(tmp_path):
    both, last, data = small()
    (tmp_path / "net.dat").write_bytes(data)
    picture = np.random.default_rng(0).random((2, SIZE, SIZE, 3), np.float32)
    made = build_identity(tmp_path / "net.dat")(picture).numpy()
    expected = np.stack([by_hand(one, both, last) for one in picture])
    assert made.shape == (2, LENGTH) and np.abs(expected).max() > 0.1
    assert made == pytest.approx(expected, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 16))
def test_broken_files_are_refused(tmp_path_factory, cut, place):
    """Cut anywhere, with bytes too many or too few, or with a byte of the head overwritten."""
    whole, path = small()[2], tmp_path_factory.mktemp("broken") / "net.dat"
    for broken in (
        whole[: cut % len(whole)],
        whole + b"0",
        whole[1:],
        whole[:place] + b"\xff" + whole[place + 1 :],
    ):
        path.write_bytes(broken)
        with pytest.raises(DependencyError, match=r"net\.dat is damaged.*pip install"):
            read_layers(path)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=3))
def test_no_byte_makes_the_reader_fall(tmp_path_factory, place, found):
    """Any other bytes anywhere are read or refused, and nothing else."""
    whole, path = bytearray(small()[2]), tmp_path_factory.mktemp("bytes") / "net.dat"
    place %= len(whole)
    whole[place : place + len(found)] = found
    path.write_bytes(whole)
    try:
        assert read_layers(path)[0].kind == "input"
    except DependencyError as error:
        assert "\n" not in str(error)


def test_files_that_hold_something_else(tmp_path):
    (_, last, whole), path = small(), tmp_path / "net.dat"
    with pytest.raises(DependencyError, match=r"cannot read .*pip install"):
        build_identity(path)
    for data, word in [
        (b"\x89PNG\r\n\x1a\n" * 99, "damaged"),
        (whole.replace(text("relu_"), text("htan_")), "a layer 'htan_'"),
        (
            whole.replace(struct.pack("<f", last[0, 0]), struct.pack("<f", np.nan)),
            "no finite number",
        ),
        (network([pool("max_pool_2", 3, 2)]), "'max_pool' where 'con' should be"),
        (whole.replace(integers(SIZE, SIZE), integers(200, 200)), "a window of"),
    ]:
        path.write_bytes(data)
        with pytest.raises(DependencyError, match=word):
            build_identity(path)


def test_the_chip_matrix_finds_a_moved_template():
    """Landmarks that are the template, turned, scaled and shifted, land on it, but for a frame pixel."""
    turn = 3 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[CHIP_POINTS] = CHIP_TEMPLATE @ turn.T + [300, 200]
    found = transform(landmarks[CHIP_POINTS], chip_matrix(landmarks))
    middle = (SIZE - 1) / 2
    larger = (SIZE - 1) * 3 / (SIZE * 3 - 1)
    assert found == pytest.approx((CHIP_TEMPLATE - middle) * larger + middle, abs=1e-3)
    assert np.isfinite(chip_matrix(np.zeros((68, 2), np.float32))).all()
    assert abs(chip_matrix(MEAN_FACE * 100 + 50)[0, 1]) < 0.02


@pytest.fixture(scope="module")
def faces(real):
    """(image BGR, dlib's shape, dlib's own chip BGR) of real and synthetic faces, and dlib's network."""
    import dlib

    detector = dlib.get_frontal_face_detector()
    landmarker = dlib.shape_predictor(str(weight_file(SHAPE_68)))
    paths = sorted((real / "verification" / "lfw_mini").glob("*/*.jpg"))[::15]
    paths += sorted((real / "synthetic").rglob("*.jpg"))[:6]
    found = []
    for path in paths:
        rgb = dlib.load_rgb_image(str(path))
        for box in detector(rgb, 1)[:1]:
            shape = landmarker(rgb, box)
            chip = dlib.get_face_chip(rgb, shape, SIZE, 0.25)
            found.append((rgb[:, :, ::-1], shape, chip[:, :, ::-1]))
    assert len(found) > 15
    return found, dlib.face_recognition_model_v1(str(weight_file(RESNET)))


@pytest.fixture(scope="module")
def identity():
    return build_identity(weight_file(RESNET))


def points(shape):
    return np.array([(part.x, part.y) for part in shape.parts()], np.float32)


def theirs(dlib_network, chip):
    return np.array(dlib_network.compute_face_descriptor(np.ascontiguousarray(chip[:, :, ::-1])))


@pytest.mark.real
def test_descriptors_are_dlibs(faces, identity):
    found, dlib_network = faces
    chips = np.stack([chip for _, _, chip in found])
    made = identity(to_float(chips)).numpy()
    expected = np.stack([theirs(dlib_network, chip) for chip in chips])
    assert np.abs(made - expected).max() < 1e-5
    single = np.concatenate([identity(to_float(chip[None])).numpy() for chip in chips])
    assert np.abs(made - single).max() < 1e-5


@pytest.mark.real
def test_the_chip_is_dlibs(faces):
    """To 0.01 pixels, measured on what dlib cuts out of ramps that hold their own coordinates."""
    import dlib

    ramps = np.mgrid[-300:600, -300:600].astype(np.float32)[::-1]
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for _, shape, _ in faces[0]:
        moved = dlib.points([dlib.point(part.x + 300, part.y + 300) for part in shape.parts()])
        wide = dlib.full_object_detection(shape.rect, moved)
        frame = np.stack([dlib.get_face_chip(ramp, wide, SIZE, 0.25) for ramp in ramps], -1)
        chip = transform(frame.reshape(-1, 2), chip_matrix(points(shape)))
        assert chip == pytest.approx(np.stack([columns, rows], -1).reshape(-1, 2), abs=0.01)


@pytest.mark.real
def test_from_frame_to_descriptor(faces, identity):
    """Our own chip gives dlib's descriptor, but for rounding; the usual fit gives another."""
    found, dlib_network = faces
    for image, shape, chip in found:
        expected, landmarks = theirs(dlib_network, chip), points(shape)
        usual = umeyama(landmarks[CHIP_POINTS], CHIP_TEMPLATE)
        cuts = [cv2.warpAffine(image, m, (SIZE, SIZE)) for m in (chip_matrix(landmarks), usual)]
        ours, other = np.linalg.norm(identity(to_float(np.stack(cuts))).numpy() - expected, axis=1)
        assert ours < 0.02 and ours < other < 0.25


@pytest.mark.real
def test_the_gradient_is_that_of_finite_differences(faces, identity):
    import tensorflow as tf

    picture = tf.constant(to_float(np.stack([chip for _, _, chip in faces[0][:2]])))
    target = identity(picture[1:])

    def distance(x):
        return tf.reduce_sum((identity(x) - target) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(picture)
        loss = distance(picture[:1])
    slope = tape.gradient(loss, picture)[0].numpy()
    assert np.isfinite(slope).all() and (slope != 0).mean() > 0.9
    for place in np.argsort(np.abs(slope).ravel())[-5:]:
        nudge = np.zeros(slope.size, np.float32)
        nudge[place] = 0.01
        up, down = (distance(picture[:1] + sign * nudge.reshape(slope.shape)).numpy() for sign in (1, -1))
        assert (up - down) / 0.02 == pytest.approx(slope.ravel()[place], rel=0.1)


@pytest.mark.real
def test_a_truncated_network_is_refused(tmp_path):
    whole = weight_file(RESNET).read_bytes()
    for length in (0, 100, 400, 20_000, len(whole) - 1):
        (tmp_path / RESNET).write_bytes(whole[:length])
        with pytest.raises(DependencyError, match=r"is damaged.*pip install"):
            build_identity(tmp_path / RESNET)
    with pytest.raises(DependencyError, match="is damaged"):
        build_identity(weight_file("mmod_human_face_detector.dat"))
