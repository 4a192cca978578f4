"""Networks, the step that trains them, and the checkpoints that keep them. Knows nothing of video."""

import os
import sys

from faceswap.errors import DependencyError


def _load_quietly() -> None:
    """Load Keras and TensorFlow without the notes that its C++ side writes to stderr while it is loaded.

    TF_CPP_MIN_LOG_LEVEL is not obeyed that early (tensorflow issue 100442), so stderr itself is led away;
    an error in loading is a Python exception and is not lost.

    Raises:
        DependencyError: One of them is not installed, or cannot be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            f"this needs TensorFlow and Keras ({error}): run 'pip install tensorflow keras'"
        ) from error
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_load_quietly()
