"""Fields of forms for lists: people write one thing a line; what is kept is a list."""

import json
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget


class LinesField(forms.Field):
    """A list of texts, one a line; a list in JSON, as programs have it, may be pasted, too.

    Raises:
        ValidationError: what begins like a list in JSON is none.
    """

    def __init__(self, *, rows: int = 4, **options: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "spellcheck": "false"})
        super().__init__(widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        """Return the lines of a list; what was sent and refused is shown as it was sent."""
        return "\n".join(map(self.line_of, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[Any]:
        """Return the list that ``value`` says."""
        text = str(value or "").strip()
        if text.startswith("["):
            try:
                return list(json.loads(text))
            except ValueError as error:
                raise forms.ValidationError(f"no list in JSON: {error}") from error
        return [self.thing_of(line.strip()) for line in text.splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not their texts."""
        try:
            return bool(self.to_python(data) != (initial or []))
        except forms.ValidationError:
            return True

    def line_of(self, thing: Any) -> str:
        """Return how a thing is written."""
        return str(thing)

    def thing_of(self, line: str) -> Any:
        """Return the thing that a line says."""
        return line
