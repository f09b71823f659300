"""Variables that a function may have set and that would break a program that is not its own.

Owns the folder that they point to: modules of Python and shared libraries that cannot be loaded,
under the names of those that the extension needs. Must not know who gets them.
"""

from pathlib import Path

# What stands at the head of a path of modules comes first: none of these may ever run.
_MODULES = ("asyncio", "json", "socket", "ssl", "logging", "orjson", "sitecustomize")
_PACKAGES = ("aiohttp", "google", "opentelemetry", "logger_extension", "encodings")
_EVIL = "import os\nos.write(2, b'an evil module runs: ' + __name__.encode())\nos._exit(66)\n"

# What Python and its modules link to. Not bash's own: Lambda starts it with these variables, and
# nothing in the launcher could help it.
_LIBRARIES = (
    *("libssl.so.3", "libssl.so.1.1", "libssl.so.10"),
    *("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so.10"),
    *("libffi.so.6", "libffi.so.7", "libffi.so.8", "libz.so.1", "libm.so.6", "libbz2.so.1.0"),
    *("liblzma.so.5", "libexpat.so.1", "libuuid.so.1", "libstdc++.so.6", "libgcc_s.so.1"),
    *(f"libpython3.{minor}.so.1.0" for minor in range(11, 15)),
)

NOWHERE = "/nowhere"


def write_hostile(folder: Path, seen_at: str) -> dict[str, str]:
    """Fill a folder and return the variables; `seen_at` is the folder's path for the processes."""
    modules, libraries = folder / "modules", folder / "libraries"
    libraries.mkdir(parents=True)
    for name in _PACKAGES:
        (modules / name).mkdir(parents=True)
        (modules / name / "__init__.py").write_text(_EVIL)
    for name in _MODULES:
        (modules / f"{name}.py").write_text(_EVIL)
    for name in _LIBRARIES:
        (libraries / name).write_text("no library\n")
    (folder / "openssl.cnf").write_text("openssl_conf = [[[\n")
    return {
        **_for_python(f"{seen_at}/modules"),
        **_for_libraries(f"{seen_at}/libraries", f"{seen_at}/openssl.cnf"),
        **_FOR_PROGRAMS,
    }


def _for_python(modules: str) -> dict[str, str]:
    return {
        "PYTHONPATH": modules,
        "PYTHONHOME": NOWHERE,
        "PYTHONPLATLIBDIR": NOWHERE,
        "PYTHONSTARTUP": f"{modules}/sitecustomize.py",
        "PYTHONMALLOC": "debug",
        "PYTHONASYNCIODEBUG": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONINSPECT": "1",
        "PYTHONIOENCODING": "utf-16",
        "PYTHONOPTIMIZE": "2",
        "PYTHONVERBOSE": "1",
        "PYTHONWARNINGS": "error",
        # Values that these libraries refuse or that make them slow.
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "cplusplus",
        "AIOHTTP_NO_EXTENSIONS": "1",
    }


def _for_libraries(libraries: str, openssl: str) -> dict[str, str]:
    return {
        "LD_LIBRARY_PATH": libraries,
        "LD_PRELOAD": f"{NOWHERE}/libpreloaded.so",
        "LD_BIND_NOW": "1",
        "MALLOC_CHECK_": "3",
        "MALLOC_PERTURB_": "165",
        "GLIBC_TUNABLES": "glibc.malloc.check=3",
        "GCONV_PATH": libraries,
        "LOCPATH": libraries,
        "OPENSSL_CONF": openssl,
        "OPENSSL_MODULES": libraries,
        "OPENSSL_ENGINES": libraries,
        "SSL_CERT_FILE": f"{NOWHERE}/certificates.pem",
    }


_FOR_PROGRAMS = {
    "NODE_OPTIONS": f"--require={NOWHERE}/hook.js",
    "NODE_PATH": NOWHERE,
    "JAVA_TOOL_OPTIONS": f"-javaagent:{NOWHERE}/agent.jar",
    "PATH": NOWHERE,
    "HOME": NOWHERE,
    "TMPDIR": NOWHERE,
    "LC_ALL": "xx_XX.nonsense",
    "BASH_ENV": f"{NOWHERE}/profile",
    "SHELLOPTS": "noexec",
    "POSIXLY_CORRECT": "1",
    "FUNCNEST": "1",
    "TMOUT": "1",
    "IFS": "o/:",
    "CDPATH": NOWHERE,
}
