"""What can go wrong when a layer is built."""


class LayerError(Exception):
    """The layer cannot be built; the message says what to do. No zip is left."""
