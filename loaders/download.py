"""Archives from their official addresses, checked before anything of them is kept."""

import hashlib
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from graph.errors import SourceError
from graph.progress import step

TIMEOUT = 30.0  # seconds without an answer
LARGEST = 1 << 30  # bytes; no source of ours comes near


def fetch_zip(address: str, md5: str, folder: Path, members: list[str], client: httpx.Client | None = None) -> None:
    """Fetch a zip file and put these members, without their folders, into the new `folder`; all or nothing.

    Args:
        md5: of the whole archive, as its publisher states it.
        client: by default one that follows redirects and the environment's proxies.

    Raises `SourceError` (what failed, without what to do) where the network, the archive or the disk does not work.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=".download-") as temporary:
            archive, made = Path(temporary) / "archive.zip", Path(temporary) / folder.name
            found = _stream(address, archive, client)
            if found != md5:
                raise SourceError(f"what {address} sent is not the published file (MD5 {found} instead of {md5})")
            made.mkdir()
            with zipfile.ZipFile(archive) as zipped:
                for member in members:
                    (made / Path(member).name).write_bytes(zipped.read(member))
            made.rename(folder)
    except httpx.HTTPStatusError as error:
        raise SourceError(f"{address} answered {error.response.status_code}") from None
    except httpx.HTTPError as error:
        raise SourceError(f"{address} cannot be reached ({error or type(error).__name__})") from None
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceError(f"the archive of {address} is damaged ({error})") from None
    except OSError as error:
        raise SourceError(f"{folder} cannot be written ({error.strerror or error})") from None


def _stream(address: str, path: Path, client: httpx.Client | None) -> str:
    """Write what the address sends to `path`; returns its MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    with (
        client or httpx.Client(follow_redirects=True, timeout=TIMEOUT) as session,
        session.stream("GET", address) as answer,
    ):
        answer.raise_for_status()
        size = float(answer.headers.get("content-length", 0)) or None
        with path.open("wb") as written, step(f"Download {address}", size) as shown:
            for part in answer.iter_bytes():
                digest.update(part)
                written.write(part)
                shown.advance(len(part))
                if written.tell() > LARGEST:
                    raise SourceError(f"{address} sends more than {LARGEST} bytes")
    return digest.hexdigest()
