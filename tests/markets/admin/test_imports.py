"""The page that takes candle files: looked through, stored by a run, refused with a reason."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from markets.models import Candle, Market
from project.core.models import Run
from tests.markets import doing
from tests.markets.factories import START_MS

pytestmark = pytest.mark.django_db
CSV = f"open_time_ms,open,high,low,close,volume\n{START_MS},1,2,0.5,1.5,10\nx,1,2,3,4,5\n".encode()


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def post(client, *, content=CSV, name="BTC_USDT-1m.csv", **fields):
    facts = {
        "file": SimpleUploadedFile(name, content),
        "market": "binance:BTC/USDT",
        "timeframe": "",
        **fields,
    }
    return client.post(reverse("admin:markets_market_import"), facts)


@pytest.mark.django_db(transaction=True)
def test_a_file_is_looked_through_and_then_stored(admin_client):
    shown = post(admin_client)

    text = shown.content.decode()
    assert shown.status_code == 200
    assert "<b>1</b> new" in text
    assert "<b>1</b> left out" in text
    assert "Invalid isoformat string: &#x27;x&#x27;" in text
    assert not Candle.objects.exists()
    form = shown.context["store_form"]
    told = {name: form.initial[name] for name in ("word", "name", "checksum")}
    address = reverse("admin:markets_market_import")

    sent = admin_client.post(address, {**told, "series": form.initial["series"].pk})

    run = Run.objects.get(kind="markets.import")
    assert sent["Location"] == reverse("admin:core_run_change", args=[run.pk])
    assert doing.execute(run).status == "partial"
    assert Candle.objects.count() == 1


def test_a_checksum_that_differs_is_told(admin_client, tmp_path):
    wrong = SimpleUploadedFile("a.CHECKSUM", b"0" * 64)
    right = SimpleUploadedFile("a.CHECKSUM", hashlib.sha256(CSV).hexdigest().encode())

    refused, shown = post(admin_client, checksum=wrong), post(admin_client, checksum=right)

    assert refused.status_code == 422
    assert "the checksum differs" in refused.content.decode()
    assert "checksum: verified" in shown.content.decode()
    assert len(list((tmp_path / "imports").iterdir())) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"content": b"PK\x03\x04nonsense"}, "Not a file of candles"),
        ({"market": "nowhere"}, "is no market"),
        ({"market": "nowhere:BTC/USDT"}, "ccxt knows no exchange"),
        ({"name": "candles.csv"}, "there is no timeframe"),
        ({"timeframe": "7m"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told(admin_client, fields, words):
    answer = post(admin_client, **fields)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Run.objects.exists()


def test_looking_at_the_page_changes_nothing(admin_client):
    assert admin_client.get(reverse("admin:markets_market_import")).status_code == 200
    assert not Market.objects.exists()


def test_only_who_may_change_markets_imports(client, django_user_model):
    staff = django_user_model.objects.create_user("staff@example.com", password="x", is_staff=True)
    client.force_login(staff)

    assert client.get(reverse("admin:markets_market_import")).status_code == 403
    assert post(client).status_code == 403
