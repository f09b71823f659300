"""A real browser, Debian's chromium, by selenium; and what a test asks of it.

Each has a profile of its own in a temporary folder and ends with its test. Without chromium and its
driver `MISSING` says what is not there.
"""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = ", ".join(
    name for name, found in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if found is None
)

# Nothing of the browser's own may ask the network, or a test could not tell what a page asked for.
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
)
# Sooner than a test is given up, so that it ends tidily.
_LONGEST_LOAD_S = 15
_LOCAL_SCHEMES = ("data", "blob", "about", "chrome")


class Browser:
    """A browser with one page; `driver` is selenium's."""

    def __init__(self, driver: Chrome) -> None:
        """Drive by `driver`."""
        self.driver = driver
        self._size_px = 0, 0

    def show(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        self.driver.get(address)

    def set_theme(self, theme: str) -> None:
        """Prefer "light" or "dark" from now on."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def set_size(self, width_px: int, height_px: int) -> None:
        """Make the page's area so large; a window could not be as narrow as a phone."""
        self._size_px = width_px, height_px
        metrics = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def take_screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Save a picture of what is seen, or of the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        width_px, height_px = self._size_px
        if whole:
            # Not beyond the viewport: a page that is drawn wider for its picture looks otherwise.
            self.set_size(width_px, self.evaluate("return document.documentElement.scrollHeight"))
        found = self.driver.execute_cdp_cmd("Page.captureScreenshot", {})
        path.write_bytes(base64.b64decode(found["data"]))
        self.set_size(width_px, height_px)

    def evaluate(self, script: str, *arguments: Any) -> Any:
        """Return what a function body in JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, script: str, *, at_least: int = 1, timeout_s: float = 10.0) -> Any:
        """Return what a function body returns as soon as it is true, or at least so much."""
        found = None

        def is_there(_driver: object) -> bool:
            nonlocal found
            found = self.evaluate(script)
            return found >= at_least if isinstance(found, int) else bool(found)

        WebDriverWait(self.driver, timeout_s, poll_frequency=0.05).until(is_there, script)
        return found

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        actions = ActionChains(self.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()

    def read_complaints(self) -> list[str]:
        """Return what the console has said since the last look, warnings and errors alike."""
        return [entry["message"] for entry in self._read_log("browser")]

    def _read_log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.execute("getLog", {"type": kind})["value"]
        return found

    def read_hosts(self) -> set[str]:
        """Return hosts with ports that were asked for anything since the last look."""
        hosts = set()
        for entry in self._read_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parts = urlsplit(message["params"]["request"]["url"])
                if parts.scheme not in _LOCAL_SCHEMES:
                    hosts.add(parts.netloc)
        return hosts


@contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """Yield a browser whose profile is a new folder; it ends with all of its processes."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(executable_path=DRIVER, log_output=subprocess.DEVNULL)
    driver = Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(_LONGEST_LOAD_S)
        browser = Browser(driver)
        browser.set_size(1280, 800)
        yield browser
    finally:
        driver.quit()
