"""A Dockerfile, carried out without Docker: each stage is a folder.

Knows what `deploy/image/Dockerfile` needs and refuses all else: FROM, ARG, CMD, COPY without
patterns, and RUN of programs that this machine has too; paths of what a stage has of its own are
put below its folder. Must not know what is in the image.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

# What a stage has of its own; programs are the machine's.
_OWN = re.compile(r"(?<![\w.])/(?=opt\b|layer\.zip\b)")


@dataclass(slots=True)
class Image:
    """What has been built so far.

    Attributes:
        folder: an empty folder, for one folder a stage.
        contexts: the contexts of the build by name; the main one is the empty name.
        arguments: values of ARG that are not the default.
        command: the last CMD.
    """

    folder: Path
    contexts: Mapping[str, Path]
    arguments: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    _stage: str = ""

    def root(self, stage: str) -> Path:
        """Return the folder of a stage."""
        return self.folder / stage

    def build(self, dockerfile: Path) -> None:
        """Carry out all instructions.

        Raises:
            NotImplementedError: one of them is not known here.
            subprocess.CalledProcessError: a program failed.
        """
        for keyword, rest in _read_instructions(dockerfile):
            match keyword:
                case "ARG":
                    name, _, default = rest.partition("=")
                    self.arguments.setdefault(name, default)
                case "FROM":
                    self._stage = rest.split(" AS ")[1]
                    self.root(self._stage).mkdir()
                case "COPY":
                    self._copy(Template(rest).substitute(self.arguments).split())
                case "RUN":
                    self._run(rest)
                case "CMD":
                    self.command = json.loads(rest)
                case _:
                    raise NotImplementedError(f"{keyword} {rest}")

    def _copy(self, words: list[str]) -> None:
        name = ""
        if words[0].startswith("--from="):
            name = words.pop(0).removeprefix("--from=")
        source, target = words
        origin = self.contexts.get(name, self.folder / name) / source.lstrip("/")
        place = self.root(self._stage) / target.lstrip("/")
        if target.endswith("/"):
            place /= origin.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, place, dirs_exist_ok=True)
        else:
            shutil.copy(origin, place)

    def _run(self, line: str) -> None:
        words = json.loads(line) if line.startswith("[") else ["/bin/sh", "-c", line]
        here = str(self.root(self._stage)) + "/"
        subprocess.run([_OWN.sub(here, word) for word in words], check=True, capture_output=True)


def _read_instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Give keyword and rest of each instruction."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            keyword, _, rest = line.strip().partition(" ")
            yield keyword, rest.strip()
