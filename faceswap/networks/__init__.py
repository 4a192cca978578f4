"""Networks, the step that trains them, and the checkpoints that keep them. Knows nothing of video."""

import gc
import os
import sys

from faceswap.errors import DependencyError


def _load_quietly() -> None:
    """Load Keras and TensorFlow without the notes that its C++ side writes to stderr while it is loaded.

    TF_CPP_MIN_LOG_LEVEL is not obeyed that early (tensorflow issue 100442), so stderr itself is led away;
    an error in loading is a Python exception and is not lost. What is loaded stays, so it is not searched for
    garbage: not meanwhile, which takes a quarter of the time of loading, nor ever after.

    Raises:
        DependencyError: One of them is not installed, or cannot be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    gc.disable()
    try:
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            f"this needs TensorFlow and Keras ({error}): run 'pip install tensorflow keras'"
        ) from error
    finally:
        gc.freeze()
        gc.enable()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_load_quietly()
