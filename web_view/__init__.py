"""The web view: pages over the embedded backend's tables, for one reader on this machine.

Never part of the layer.
"""
