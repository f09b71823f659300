"""The web view: pages over the embedded backend's tables, for one reader on this machine.

The entry point is `extend(app, database)`: it adds the pages to the aiohttp application that
receives OTLP, so that both share a port. Never part of the layer.
"""

from web_view.errors import WebViewError
from web_view.pages import extend

__all__ = ["WebViewError", "extend"]
