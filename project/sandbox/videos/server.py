"""Which pages the video site has: ``/watch/<film>`` with its ``<video>`` and ``<track>``s."""

from html import escape
from typing import Final

from aiohttp import web

from project.sandbox import control
from project.sandbox.serving import HttpServer
from project.sandbox.videos.films import FILMS, Film
from project.sandbox.videos.subtitles import ENDINGS, TYPES, written

_COPIES: Final = 1000


class VideoServer(HttpServer):
    """Shows films; ``<film>-<n>`` is the same film at another address, for n below 1,000."""

    def __init__(self) -> None:
        super().__init__()
        self.films: Final = {film.name: film for film in FILMS}
        self.app.add_routes(
            [
                web.get("/", self.show_all),
                web.get("/watch/{name}", self.show),
                web.get("/subtitles/{name}.{language}.{ending}", self.show_subtitles),
                web.get("/media/{name}.mp4", self.play),
                *control.routes(self.faults, self.log),
            ]
        )

    def watch_url(self, name: str = "taiwan") -> str:
        """Return the address of a film's page."""
        return f"{self.url}/watch/{name}"

    async def show_all(self, _request: web.Request) -> web.Response:
        """Answer a page with links to all films."""
        items = "".join(
            f'<li><a href="/watch/{name}">{escape(film.title)}</a></li>'
            for name, film in self.films.items()
        )
        return _page("Films", f"<ul>{items}</ul>")

    async def show(self, request: web.Request) -> web.Response:
        """Answer a film's page."""
        name = request.match_info["name"]
        film = self._film(name)
        tracks = "".join(
            f'<track kind="subtitles" srclang="{language}" label="{language}"'
            f' src="/subtitles/{name}.{language}.{ENDINGS[film.form]}">'
            for language in film.spoken
        )
        video = f'<video controls src="/media/{name}.mp4" type="video/mp4">{tracks}</video>'
        return _page(film.title, f"{video}<p>{escape(film.description)}</p>", film.description)

    async def show_subtitles(self, request: web.Request) -> web.Response:
        """Answer a film's subtitles in a language."""
        film = self._film(request.match_info["name"])
        language, ending = request.match_info["language"], request.match_info["ending"]
        if language not in film.spoken or ending != ENDINGS[film.form]:
            raise web.HTTPNotFound
        return web.Response(text=written(film, language), content_type=TYPES[ending])

    async def play(self, request: web.Request) -> web.Response:
        """Answer the beginning of an MP4, for whoever insists."""
        self._film(request.match_info["name"])
        return web.Response(body=b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", content_type="video/mp4")

    def _film(self, name: str) -> Film:
        bare, _, number = name.rpartition("-")
        if number.isdigit() and int(number) < _COPIES:
            name = bare
        if name not in self.films:
            raise web.HTTPNotFound
        return self.films[name]


def _page(title: str, body: str, description: str = "") -> web.Response:
    head = (
        f'<meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta property="og:title" content="{escape(title)}">'
        f'<meta property="og:description" content="{escape(description)}">'
        f'<meta name="description" content="{escape(description)}">'
    )
    text = f"<!DOCTYPE html><html><head>{head}</head><body><h1>{escape(title)}</h1>{body}</body></html>"
    return web.Response(text=text, content_type="text/html")
