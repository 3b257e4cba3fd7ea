"""Copies in an S3-compatible store: a real server of its protocol, moto's."""

import boto3
import pytest
from moto.server import ThreadedMotoServer

from project.storage import backing_up, keeping, offsite, restoring, shelf
from project.storage.adapters.s3 import StoreAwayError, StoreRefusedError
from project.storage.errors import WrongSourceError
from project.storage.models import Backup
from tests.services import guarded
from tests.storage.factories import NOW, make_backup
from tests.storage.making import Heard, StoppedError, facts_of, make_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, folder, settings):
    """Configure a store and give its bucket, as another client sees it."""
    settings.S3_ENDPOINT = endpoint
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = "key", "secret"
    settings.S3_REGION, settings.S3_PREFIX = "us-east-1", "/millrace/"
    settings.S3_BUCKET = "backups"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    store = boto3.resource("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    found = store.create_bucket(Bucket="backups")
    yield found
    found.objects.delete()
    found.delete()


def keys(bucket) -> set[str]:
    return {found.key for found in bucket.objects.all()}


def test_back_up_copies_the_file_and_what_stands_beside_it(product, bucket):
    made = backing_up.back_up(progress=Heard(), now=NOW)

    assert (made.copied_at, made.copy_error) == (NOW, "")
    names = {f"millrace/{made.file}{ending}" for ending in ("", ".sha256", ".json")}
    assert keys(bucket) == names
    there = bucket.Object(f"millrace/{made.file}").get()
    assert there["Body"].read() == shelf.path_of(made.file).read_bytes()
    assert there["Metadata"] == {"sha256": made.sha256}


def test_fetch_brings_back_what_can_be_restored(product, bucket):
    made = backing_up.back_up(progress=Heard(), now=NOW)
    before = facts_of(product)
    shelf.remove(made.file)

    offsite.fetch(made.file, progress=Heard())

    restoring.restore(shelf.find(made.file), progress=Heard(), now=NOW)
    assert facts_of(product) == before


def test_a_store_that_is_away_fails_no_backup(product, bucket, settings):
    endpoint = settings.S3_ENDPOINT
    settings.S3_ENDPOINT = f"http://127.0.0.1:{guarded.free_port()}"
    heard = Heard()

    made = backing_up.back_up(progress=heard, now=NOW)

    assert Backup.objects.filter(copied_at=None, copy_error__contains="Could not connect").exists()
    assert made.file in heard.partial
    settings.S3_ENDPOINT = endpoint
    assert offsite.copy_missing(progress=Heard(), now=NOW) == 1
    made.refresh_from_db()
    assert (made.copied_at, made.copy_error) == (NOW, "")


def test_copy_missing_tells_a_refusal_from_an_absence(bucket, settings):
    settings.S3_BUCKET = "not-there"
    backup = make_backup()
    path = make_file(backup)
    store = offsite.store()
    assert store is not None

    with pytest.raises(StoreRefusedError, match="NoSuchBucket"):
        store.put(path)
    with pytest.raises(StoreRefusedError):
        offsite.fetch("nothing.zst", progress=Heard())
    settings.S3_ENDPOINT = f"http://127.0.0.1:{guarded.free_port()}"
    with pytest.raises(StoreAwayError):
        offsite.fetch("nothing.zst", progress=Heard())


def test_copy_missing_can_be_stopped(bucket):
    backup = make_backup()
    make_file(backup)

    with pytest.raises(StoppedError):
        offsite.copy_missing(progress=Heard(stop_in="copying to the S3 store"), now=NOW)

    backup.refresh_from_db()
    assert backup.copied_at is None


def test_copy_missing_does_nothing_without_a_store(folder):
    make_file(make_backup())

    assert offsite.copy_missing(progress=Heard(), now=NOW) == 0
    with pytest.raises(WrongSourceError):
        offsite.fetch("x", progress=Heard())


def test_prune_deletes_copies_too(bucket):
    old, new = make_backup(days_old=60), make_backup()
    make_file(old)
    make_file(new)
    offsite.copy_missing(progress=Heard(), now=NOW)
    assert len(keys(bucket)) == 6

    assert keeping.prune(now=NOW) == [old.file]

    assert keys(bucket) == {f"millrace/{new.file}{ending}" for ending in ("", ".sha256", ".json")}
    assert [row.file for row in Backup.objects.all()] == [new.file]


def test_store_shows_no_secrets(bucket):
    assert "secret" not in repr(offsite.store())
