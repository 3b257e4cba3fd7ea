"""An S3-compatible store: putting files there, fetching and deleting them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from project.core.errors import PermanentError, TransientError
from project.storage.progress import Tick, ignore

CONNECT_WITHIN_S: Final = 5
ANSWER_WITHIN_S: Final = 60
_ATTEMPTS: Final = 3
_PART_BYTES: Final = 16 << 20
#: Answers after which trying again is useless until somebody changes a setting.
_REFUSALS: Final = frozenset(
    {"400", "401", "403", "404", "301", "InvalidAccessKeyId"}
    | {"AccessDenied", "NoSuchBucket", "NoSuchKey", "SignatureDoesNotMatch", "InvalidBucketName"}
)


class StoreAwayError(TransientError):
    """The store does not answer, or can't now."""

    code = "store_away"
    title = "The S3 store is away"


class StoreRefusedError(PermanentError):
    """The store refused: keys, bucket or right are wrong."""

    code = "store_refused"
    title = "The S3 store refused"


@dataclass(frozen=True, slots=True)
class Store:
    """A bucket and how to get at it; an empty endpoint is Amazon's own."""

    bucket: str
    endpoint: str
    access_key: str
    secret_key: str
    region: str
    prefix: str = ""

    def __repr__(self) -> str:
        return f"<Store {self.bucket}>"

    def key_of(self, name: str) -> str:
        """Return the key of the file called ``name``."""
        prefix = self.prefix.strip("/")
        return f"{prefix}/{name}" if prefix else name

    def put(self, file: Path, *, sha256: str = "", tick: Tick = ignore) -> None:
        """Copy ``file`` there under its name, and make sure that all of it arrived.

        Raises:
            StoreAwayError: no, or no whole, answer in time.
            StoreRefusedError: the store does not want to.
        """
        size_bytes = file.stat().st_size
        sent = _Sent(max(1, size_bytes), tick)
        with _told():
            client = _client(self)
            client.upload_file(
                str(file),
                self.bucket,
                self.key_of(file.name),
                ExtraArgs={"Metadata": {"sha256": sha256}},
                Callback=sent.add,
                Config=_in_this_thread(),
            )
            there = client.head_object(Bucket=self.bucket, Key=self.key_of(file.name))
        if there["ContentLength"] != size_bytes:
            raise StoreAwayError(f"{file.name}: {there['ContentLength']} of {size_bytes} arrived")

    def get(self, name: str, to: Path, *, tick: Tick = ignore) -> None:
        """Fetch the file called ``name``.

        Raises:
            StoreAwayError: no, or no whole, answer in time.
            StoreRefusedError: there is no such file, or we may not have it.
        """
        with _told():
            client = _client(self)
            there = client.head_object(Bucket=self.bucket, Key=self.key_of(name))
            sent = _Sent(max(1, there["ContentLength"]), tick)
            client.download_file(
                self.bucket,
                self.key_of(name),
                str(to),
                Callback=sent.add,
                Config=_in_this_thread(),
            )

    def delete(self, name: str) -> None:
        """Delete the file called ``name``; one that is not there is no error."""
        with _told():
            _client(self).delete_object(Bucket=self.bucket, Key=self.key_of(name))


class _Sent:
    """Counts bytes and tells the share."""

    def __init__(self, size_bytes: int, tick: Tick) -> None:
        self._size_bytes, self._tick, self._done = size_bytes, tick, 0

    def add(self, count: int) -> None:
        self._done += count
        self._tick(self._done / self._size_bytes)


def _in_this_thread() -> Any:
    """Return how to transfer: in one thread, so that a tick that raises stops it."""
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 -- see _client

    return TransferConfig(
        use_threads=False, multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES
    )


@lru_cache(maxsize=2)
def _client(store: Store) -> Any:
    """Return the library's client, which threads may share; making one takes a while."""
    # 25 MB and 0.3 s that only processes which copy need
    import boto3  # noqa: PLC0415 -- see above
    from botocore.config import Config  # noqa: PLC0415 -- see above

    return boto3.session.Session().client(
        "s3",
        endpoint_url=store.endpoint or None,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=store.region,
        config=Config(
            connect_timeout=CONNECT_WITHIN_S,
            read_timeout=ANSWER_WITHIN_S,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": "path" if store.endpoint else "auto"},
            # many compatible stores refuse the newer checksums
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def _told() -> Iterator[None]:
    """Turn every failure of the library into one of ours."""
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 -- see _client
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- see _client

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        family = StoreRefusedError if code in _REFUSALS else StoreAwayError
        raise family(f"{code}: {error}") from error
    except Boto3Error as error:  # of transfers; the cause is in the text alone
        refused = any(f"({code})" in str(error) for code in _REFUSALS)
        raise (StoreRefusedError if refused else StoreAwayError)(str(error)) from error
    except BotoCoreError as error:
        raise StoreAwayError(str(error)) from error
