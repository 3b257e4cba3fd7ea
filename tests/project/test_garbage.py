import json
import subprocess
import sys

import pytest

from project.core import garbage

pytestmark = pytest.mark.once

CODE = """
import gc, json, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
import project.asgi
print(json.dumps([gc.get_freeze_count(), len(gc.get_objects()), gc.get_threshold()]))
"""


def test_what_a_web_process_has_loaded_is_out_of_the_collectors_sight():
    child = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    frozen, watched, thresholds = json.loads(child.stdout.splitlines()[-1])
    assert frozen > 100_000
    assert watched < frozen / 10
    assert tuple(thresholds) == garbage.THRESHOLDS
