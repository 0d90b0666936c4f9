"""Make the environment in .venv at the locked versions: `make install`. Needs nothing but Python's own library.

uv does it when it is there, else venv and pip. PyTorch comes from its index of CPU wheels (200 MB) where that answers
and the machine has no NVIDIA GPU, else from PyPI (on Linux with CUDA: 6 GB).
"""

import hashlib
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed"  # written last, so a failed or interrupted install is done again
LOCK, TORCH_LOCK = ROOT / "locks" / "main.txt", ROOT / "locks" / "torch.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_TIME = 5  # seconds, host name look-up included


def main():
    if sys.version_info < OLDEST:
        here = f"{sys.executable} is {platform.python_version()}"
        fail(f"Python 3.11 or newer is needed, {here}: make PYTHON=python3.12 install")
    state = fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == state:
        return
    uv = shutil.which("uv")
    if not uv and not has_venv():
        fail(f"{sys.executable} has no venv: install it (Debian, Ubuntu: apt install python3-venv) or install uv")
    try:
        make_environment(uv)
        install(uv)
    except subprocess.CalledProcessError as error:
        fail(f"installation failed (exit {error.returncode}); what failed stands above; then run make install again")
    except OSError as error:
        fail(f"cannot write {error.filename or VENV}: {error.strerror}")
    STAMP.write_text(state, encoding="utf-8")
    print(f"environment ready in {VENV.name}: PyTorch {torch_version()}, the command is .venv/bin/twohop")


def fail(line):
    sys.exit("make install: " + line)


def fingerprint():
    """What the environment is made of: the locks, the project's own settings, this file, and the Python."""
    digest = hashlib.sha256()
    for file in (LOCK, TORCH_LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(file.read_bytes())
    return f"{digest.hexdigest()} {platform.python_version()} {ROOT}\n"


def has_venv():
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def make_environment(uv):
    """An environment that another Python made, or half an environment, is made anew."""
    STAMP.unlink(missing_ok=True)
    python = VENV / "bin" / "python"
    asked = [str(python), "-c", "import platform, sys; print(platform.python_version(), sys.prefix)"]
    wanted = f"{platform.python_version()} {VENV}"
    if python.exists():
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
        if found.stdout.strip() == wanted and (uv or (VENV / "bin" / "pip").exists()):
            return
    if uv:
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV))
    else:
        run(sys.executable, "-m", "venv", "--clear", str(VENV))


def install(uv):
    """All packages are named in the locks, so nothing is resolved; bytecode is compiled, for torch is slow without."""
    if uv:
        command = [uv, "pip", "install", "--python", str(VENV / "bin" / "python"), "--compile-bytecode"]
    else:
        command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
        command += ["--progress-bar", "on" if sys.stderr.isatty() else "off"]
    command.append("--no-deps")
    version = torch_version()
    there = [path.name for path in VENV.glob(f"lib/python*/site-packages/torch-{version}*.dist-info")]
    cpu = "+cpu" in there[0] if there else not has_gpu() and cpu_index_has(version)
    print(f"PyTorch {version}: {'CPU wheels' if cpu else 'from PyPI (on Linux with CUDA, 6 GB)'}", flush=True)
    locked = ["-r", str(LOCK)] if cpu else ["-r", str(LOCK), "-r", str(TORCH_LOCK)]
    run(*command, "--require-hashes", *locked)
    if cpu:  # its wheels are others than PyPI's, so the lock's checksums are not theirs
        run(*command, "--index-url", CPU_INDEX, f"torch=={version}")
    run(*command, "--no-build-isolation", "--editable", str(ROOT))
    if not uv:  # pip would compile one file at a time, and packages' own tests too; some files are no code and fail
        tests = r"[/\\]tests[/\\]"
        packages = map(str, VENV.glob("lib/python*/site-packages"))
        compiling = [str(VENV / "bin" / "python"), "-m", "compileall", "-q", "-q", "-j", "0", "-x", tests, *packages]
        subprocess.run(compiling, check=False, stdin=subprocess.DEVNULL)


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, cwd=ROOT)


def torch_version():
    return re.search(r"^torch==([\w.]+)", TORCH_LOCK.read_text(encoding="utf-8"), re.MULTILINE).group(1)


def has_gpu():
    nvidia = shutil.which("nvidia-smi")
    return bool(nvidia) and subprocess.run([nvidia, "-L"], capture_output=True, check=False).returncode == 0


def cpu_index_has(version):
    """Whether the index answers in time and has this version. Elsewhere than on Linux PyPI's wheels are CPU wheels."""
    if platform.system() != "Linux":
        return False
    asked = (
        f"import signal, sys, urllib.request as r; signal.alarm({PROBE_TIME});"
        f"sys.exit(b'torch-{version}%2Bcpu' not in r.urlopen('{CPU_INDEX}/torch/').read())"
    )
    return subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
