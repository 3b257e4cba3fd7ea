from project.core import badges
from project.core.badges import Badge


def test_a_broken_source_shuts_no_page(monkeypatch, now):
    monkeypatch.setattr(badges, "_sources", [])
    badge = Badge("Collecting stopped", "Since noon", "/admin/")

    @badges.register
    def broken(at):
        raise ValueError("no")

    badges.register(lambda at: [badge] if at == now else [])
    badges.register(broken)  # once is enough

    assert badges.current(now=now) == [badge]
