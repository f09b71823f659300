"""The console script `logger-extension` with all its commands.

Brings the rooms together that know nothing of each other: the local Lambda, the layer's tree and
the viewer. Never part of the layer.
"""
