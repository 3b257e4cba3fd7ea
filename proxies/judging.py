"""Which judges proxies are checked against."""

from django.conf import settings

from project.core.errors import InvalidInputError
from proxies.adapters import probe
from proxies.adapters.wire import Judge


class BadJudgeError(InvalidInputError):
    """An address among the judges is none."""

    code = "bad_judge"
    title = "A judge's address can't be used"


def judges() -> list[Judge]:
    """Return the judges: those of ``JUDGE_URLS``, else our own ``/judge``, else none.

    Our own counts where proxies can reach it: at ``PUBLIC_URL``, or on this machine where
    private networks are allowed.

    Raises:
        BadJudgeError: one of them is no web address.
    """
    try:
        return [probe.judge_of(url) for url in _urls()]
    except ValueError as error:
        raise BadJudgeError(f"JUDGE_URLS: {error}") from error


def _urls() -> list[str]:
    if settings.JUDGE_URLS:
        return list(settings.JUDGE_URLS)
    if settings.PUBLIC_URL:
        return [f"{settings.PUBLIC_URL}/judge"]
    if settings.ALLOW_PRIVATE_NETWORKS:
        return [f"http://127.0.0.1:{settings.PORT}/judge"]
    return []
