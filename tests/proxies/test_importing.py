import codecs
import io

import pytest

from project.core.callers import SYSTEM
from project.core.models import Run, RunEvent
from proxies import importing
from proxies.importing import EmptyImportError, ListTooLargeError
from proxies.models import ImportUpload, Proxy
from proxies.parsing import ListOptions
from tests.proxies.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "http://hans:geheim@8.8.8.8:80\nhans:geheim@999.1.1.1:80\n"


def test_an_import_takes_the_list_over_and_forgets_its_text(do):
    run = do(importing.submit(TEXT, ListOptions(), by=SYSTEM, now=NOW), importing.run)

    assert run.status == "done"
    assert run.counts == {"accepted": 1, "new": 1, "duplicates": 0, "rejected": 1}
    assert Proxy.objects.get().password == "geheim"
    assert not ImportUpload.objects.exists()


def test_a_run_tells_nothing_of_what_it_imports(do):
    run = importing.submit(TEXT, ListOptions(), by=SYSTEM, now=NOW)
    assert "geheim" in ImportUpload.objects.get().text

    do(run, importing.run)

    told = [*Run.objects.values(), *RunEvent.objects.values()]
    assert "geheim" not in str(told)


def test_an_import_that_is_done_again_does_nothing(do):
    run = importing.submit(TEXT, ListOptions(), by=SYSTEM, now=NOW)
    ImportUpload.objects.all().delete()

    assert do(run, importing.run).status == "done"
    assert not Proxy.objects.exists()


def test_an_import_of_refused_lines_alone_is_partial(do):
    run = do(importing.submit("x\ny\n", ListOptions(), by=SYSTEM, now=NOW), importing.run)

    assert (run.status, run.error_message) == ("partial", "all 2 entries were refused")


def test_broken_json_fails_the_run_with_its_reason(do):
    run = do(importing.submit("[{", ListOptions("json"), by=SYSTEM, now=NOW), importing.run)

    assert (run.status, run.error_type) == ("failed", "unreadable_list")


@pytest.mark.parametrize("text", ["", "\ufeff", " \r\n\t"])
def test_an_empty_import_is_refused(text):
    with pytest.raises(EmptyImportError):
        importing.submit(text, ListOptions(), by=SYSTEM, now=NOW)
    with pytest.raises(EmptyImportError):
        importing.preview(text, ListOptions())

    assert not Run.objects.exists()


def test_a_preview_tells_each_refused_line():
    tally = importing.preview(TEXT, ListOptions())

    assert (tally.accepted, tally.rejected) == (1, 1)
    assert (tally.samples[0].line, tally.samples[0].reason) == (2, "bad_address")
    assert "geheim" not in tally.samples[0].text


def test_an_import_of_prose_alone_is_partial(do):
    run = do(importing.submit("# nothing yet\n", ListOptions(), by=SYSTEM, now=NOW), importing.run)

    assert (run.status, run.error_message) == ("partial", "there is no proxy in it")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_loses_nothing_whatever_wrote_it(encoding):
    text = importing.read(io.BytesIO("8.8.8.8:80\r\n8.8.4.4:81\r\n".encode(encoding)))

    tally = importing.preview(text, ListOptions())
    assert (tally.accepted, tally.rejected) == (2, 0)


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not(settings):
    settings.PROXY_LIST_MAX_BYTES = 1024
    line = b"8.8.8.8:80\n"
    whole = line + b"#" * (1024 - len(line))

    assert importing.preview(importing.read(io.BytesIO(whole)), ListOptions()).accepted == 1
    beyond = io.BytesIO(whole + b"#" * 5000)
    with pytest.raises(ListTooLargeError, match=r"a list may have 0\.000976562 MiB"):
        importing.read(beyond)
    assert beyond.tell() == 1025


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", codecs.BOM_UTF8, b"\r\n \t"])
def test_a_file_with_nothing_in_it_is_told_as_such(data):
    with pytest.raises(EmptyImportError):
        importing.read(io.BytesIO(data))
