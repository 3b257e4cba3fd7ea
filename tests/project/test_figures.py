from project.core import figures
from project.core.figures import Figure


def test_figures_come_in_the_order_of_their_sources(monkeypatch, now):
    monkeypatch.setattr(figures, "_sources", [])
    one, two = Figure("a", "A", "1", "", "/a"), Figure("b", "B", "2", "", "/b", tone="bad")

    @figures.register
    def second(at):
        return [two] if at == now else []

    figures.register(lambda at: [one])
    figures.register(second)  # once is enough

    assert figures.current(now=now) == [two, one]
    assert two.as_dict() == {
        "name": "b",
        "label": "B",
        "value": "2",
        "hint": "",
        "url": "/b",
        "tone": "bad",
        "amount": None,
        "trend": [],
    }
