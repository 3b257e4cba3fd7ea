"""A process of its own that does one run: ``python -m tests.analysis.worker RUN_ID PHASE``.

It hangs in the phase named, after saying so on its output, to be killed there.
"""

import os
import sys
import threading

import django


def main() -> None:
    """Do the run named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.analysis.worker_settings")
    django.setup()
    from project.core import working
    from project.core.models import Run
    from tests.analysis.doing import HANDLERS, Outside

    outside = Outside()

    def hang(*_: object) -> None:
        print("here", flush=True)  # noqa: T201 -- told to the test
        threading.Event().wait()

    def compress(segments: object, **_: object) -> None:
        hang()

    hooks = {"metadata": "before_fetch", "summary": "before_extract", "geocode": "before_locate"}
    if (phase := sys.argv[2]) in hooks:
        setattr(outside, hooks[phase], hang)
    outside.install(setattr)
    if phase == "compression":
        from analysis import compressing

        setattr(compressing, "compress", compress)  # noqa: B010 -- a module's function
    run = Run.objects.get(pk=sys.argv[1])
    working.execute(str(run.pk), HANDLERS[run.kind], kind=run.kind)


if __name__ == "__main__":
    main()
