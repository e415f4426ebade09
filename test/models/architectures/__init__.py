"""All architectures of the model tests, small ones first."""

import importlib

TOPICS = ("small", "vision", "language", "generative", "detector")


def load_all():
    """Pairs of (topic, architecture) in the order in which they are generated."""
    return [(topic, a) for topic in TOPICS
            for a in importlib.import_module(f"{__name__}.{topic}").ARCHITECTURES]
