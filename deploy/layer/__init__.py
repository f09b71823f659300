"""The layer builder: the zip that Lambda unpacks into /opt, from locked wheels and our own source.

    build.py         the order of the work; the only one that writes outside of a temporary folder
    target.py        what can be asked for, and what is refused
    wheels.py        dependencies for a Python and an architecture that need not be this machine's
    interpreter.py   a relocatable Python to carry along, cut down to what a service needs
    content.py       the tree under /opt, and what of the wheels is left out
    bytecode.py      .pyc files that are never checked against their source
    elf.py           what compiled files are for and what they need
    debug_information.py   what only debuggers read of them, cut off
    licences.py, sbom.py, manifest.py   what is told about the content
    archive.py       the zip, the same bytes for the same content
    startup.py       the unpacked zip, started

Imports nothing of the command line; needs the `layer` extra.
"""
