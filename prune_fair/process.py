"""How a process of prune_fair ends."""

import atexit
import gc


def end_quickly() -> None:
    """Lets the process end without looking once more through all that is loaded.

    Python's collector would, for half a second and more: of JAX alone there are 400,000 objects.

    Source: the Python documentation, `gc.freeze`.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
