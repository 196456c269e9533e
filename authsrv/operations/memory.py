"""What a worker does about Python's garbage collector: it does not look again at what stays anyway."""

import gc

# How many new containers make it look; a request leaves hardly any behind.
_NEW_CONTAINERS = 10_000


def settle_memory() -> None:
    """For a process of our own, once it has started.

    What has been loaded by then (some 300,000 objects) is never freed, but each full collection walks over it: 160 ms
    in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_CONTAINERS, 20, 20)
