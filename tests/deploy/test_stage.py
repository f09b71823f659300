"""The tree under /opt is what the launcher and Lambda expect."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.stage import NAME, find_launcher, stage_layer, this_interpreter


def test_lays_the_tree(tmp_path: Path) -> None:
    """Launcher, package and dependencies are where the launcher looks for them."""
    extensions = stage_layer(tmp_path / "opt", interpreter=this_interpreter())
    home = tmp_path / "opt" / NAME
    assert [path.name for path in extensions.iterdir()] == [NAME]
    assert os.access(extensions / NAME, os.X_OK)
    assert (home / "logger_extension" / "__main__.py").is_file()
    assert (home / "site-packages" / "aiohttp").is_dir()
    assert not (tmp_path / "opt" / "python").exists(), "never on the function's import path"


def test_without_an_interpreter_there_is_none(tmp_path: Path) -> None:
    """The managed runtimes' own Python is used unless one is carried along."""
    stage_layer(tmp_path / "opt")
    assert not (tmp_path / "opt" / NAME / "bin").exists()


def test_staged_package_imports_without_site(tmp_path: Path) -> None:
    """What the app needs is found with -I -S and the two folders alone."""
    stage_layer(tmp_path / "opt", interpreter=this_interpreter())
    home = tmp_path / "opt" / NAME
    program = "import sys; sys.path[:0] = sys.argv[1:]; import logger_extension.app"
    subprocess.run(
        [home / "bin" / "python3", "-I", "-S", "-c", program, home, home / "site-packages"],
        check=True,
    )


def test_wheel_holds_launcher_and_example(tmp_path: Path) -> None:
    """An installed wheel can stage the layer and run the demo: all its files are in."""
    repository = find_launcher().parent.parent
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    [wheel] = (tmp_path / "dist").glob("*.whl")
    target = tmp_path / "installed"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, target], check=True)
    program = (
        "from deploy.layer.wheels import find_locks\n"
        "from deploy.stage import find_launcher\n"
        "from logger_extension_cli.demo import find_example\n"
        "print(find_launcher(), find_example(), *find_locks(('aws', 'grpc')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=target,
        env={"PYTHONPATH": str(target), "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [
        str(target / "deploy" / "launcher" / NAME),
        str(target / "logger_extension_cli" / "examples" / "hello"),
        *(
            str(target / "deploy/constraints" / f"layer{extra}.txt")
            for extra in ("", "-aws", "-grpc")
        ),
    ]
