import codecs
import io
import tracemalloc

import pytest

from project.core.callers import SYSTEM
from project.core.models import Run, RunEvent
from proxies import importing
from proxies.importing import EmptyImportError, ListTooLargeError
from proxies.models import ImportPart, ImportUpload, Proxy
from proxies.parsing import ListOptions
from tests.proxies.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "http://hans:geheim@8.8.8.8:80\nhans:geheim@999.1.1.1:80\n"


def submit(text, options=None):
    with importing.read_text(text) as file:
        return importing.submit(file, options or ListOptions(), by=SYSTEM, now=NOW)


def preview(text):
    with importing.read_text(text) as file:
        return importing.preview(file, ListOptions())


def test_an_import_takes_the_list_over_and_forgets_its_text(do):
    run = do(submit(TEXT), importing.run)

    assert run.status == "done"
    assert run.counts == {"accepted": 1, "new": 1, "duplicates": 0, "rejected": 1}
    assert Proxy.objects.get().password == "geheim"
    assert not ImportUpload.objects.exists()
    assert not ImportPart.objects.exists()


def test_a_list_that_a_former_release_kept_whole_is_taken_over(do):
    run = submit("1.1.1.1:80\n")
    ImportPart.objects.all().delete()
    ImportUpload.objects.update(text=TEXT)

    assert do(run, importing.run).counts["accepted"] == 1


@pytest.mark.parametrize("letters", [1, 7, 30, 31, 32, 1000])
def test_a_list_in_parts_is_the_list_wherever_it_is_cut(do, monkeypatch, letters):
    monkeypatch.setattr(importing, "PART", letters)
    text = "".join(f"http://ü{n}:påss@8.8.4.{n}:80\r\n" for n in range(1, 9))

    run = submit(text)
    do(run, importing.run)

    assert run.subject == "8 lines"
    found = Proxy.objects.order_by("port").values_list("username", "host")
    assert sorted(found) == sorted((f"ü{n}", f"8.8.4.{n}") for n in range(1, 9))


def test_an_import_takes_no_more_memory_for_a_longer_list(do):
    peaks = []
    for megabytes in (1, 1, 8):  # the first one loads what is loaded once
        remark = f"# {'x' * 4000}\n"
        list_ = io.BytesIO(("8.8.8.8:80\n" + remark * (megabytes * 250)).encode())
        tracemalloc.start()
        with importing.read(list_) as file:
            run = importing.submit(file, ListOptions(), by=SYSTEM, now=NOW)
        do(run, importing.run)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert run.counts["accepted"] == 1

    assert peaks[2] < peaks[1] + 500_000


def test_a_run_tells_nothing_of_what_it_imports(do):
    run = submit(TEXT)
    assert "geheim" in ImportPart.objects.get().text

    do(run, importing.run)

    told = [*Run.objects.values(), *RunEvent.objects.values()]
    assert "geheim" not in str(told)


def test_an_import_that_is_done_again_does_nothing(do):
    run = submit(TEXT)
    Run.objects.update(attempt=1)  # its worker died after the last proxy
    ImportUpload.objects.all().delete()

    assert do(run, importing.run).status == "done"
    assert not Proxy.objects.exists()


def test_an_import_whose_list_is_gone_says_so(do):
    run = submit(TEXT)
    ImportUpload.objects.all().delete()

    ended = do(run, importing.run)

    assert (ended.status, ended.error_type) == ("failed", "list_gone")
    assert "hand it in again" in ended.error_message


def test_an_import_of_refused_lines_alone_is_partial(do):
    run = do(submit("x\ny\n"), importing.run)

    assert (run.status, run.error_message) == ("partial", "all 2 entries were refused")


def test_broken_json_fails_the_run_with_its_reason(do):
    run = do(submit("[{", ListOptions("json")), importing.run)

    assert (run.status, run.error_type) == ("failed", "unreadable_list")


@pytest.mark.parametrize("text", ["", "\ufeff", " \r\n\t"])
def test_an_empty_import_is_refused(text):
    with pytest.raises(EmptyImportError):
        submit(text)

    assert not Run.objects.exists()


def test_a_preview_tells_each_refused_line():
    tally = preview(TEXT)

    assert (tally.accepted, tally.rejected) == (1, 1)
    assert (tally.samples[0].line, tally.samples[0].reason) == (2, "bad_address")
    assert "geheim" not in tally.samples[0].text


def test_an_import_of_prose_alone_is_partial(do):
    run = do(submit("# nothing yet\n"), importing.run)

    assert (run.status, run.error_message) == ("partial", "there is no proxy in it")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_loses_nothing_whatever_wrote_it(encoding):
    written = "8.8.8.8:80\r\n8.8.4.4:81\r\n".encode(encoding)

    with importing.read(io.BytesIO(written)) as file:
        tally = importing.preview(file, ListOptions())

    assert (tally.accepted, tally.rejected) == (2, 0)


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not(settings):
    settings.PROXY_LIST_MAX_BYTES = 1024
    line = b"8.8.8.8:80\n"
    whole = line + b"#" * (1024 - len(line))

    with importing.read(io.BytesIO(whole)) as file:
        assert importing.preview(file, ListOptions()).accepted == 1
    beyond = io.BytesIO(whole + b"#" * 5000)
    with pytest.raises(ListTooLargeError, match=r"a list may have 0\.000976562 MiB"):
        importing.read(beyond)
    assert beyond.tell() == 1025


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", codecs.BOM_UTF8, b"\r\n \t"])
def test_a_file_with_nothing_in_it_is_told_as_such(data):
    with pytest.raises(EmptyImportError):
        importing.read(io.BytesIO(data))
