"""The console script `logger-extension`: demo, run, collector and replay.

Brings the rooms together that know nothing of each other: the local Lambda, the layer's tree and
the viewer. Never part of the layer.
"""
