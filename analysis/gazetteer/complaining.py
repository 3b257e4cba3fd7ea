"""Which issue the gazetteer is: it is being compiled, or will be at its first use."""

from datetime import datetime

from analysis.gazetteer import keeping
from project.core import issues
from project.core.issues import AMBER, Issue


@issues.register
def issues_of_gazetteer(now: datetime) -> list[Issue]:
    """Return an issue while the gazetteer is being compiled."""
    state = keeping.state()
    if not state.compiling:
        return []
    text = (
        f"Names of places are being compiled ({state.ratio:.0%}, {state.step or 'starting'}): "
        "jobs go on by themselves when it is done"
    )
    return [Issue("gazetteer_compiling", AMBER, text)]
