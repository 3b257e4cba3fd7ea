"""In which shapes a proxy list is published."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape

from project.sandbox.proxies.server import ProxyServer
from project.sandbox.proxies.specs import ProxyKind
from project.sandbox.serving import LOOPBACK

Proxies = Sequence[ProxyServer]

_SPYS_HEADING = (
    "Proxy list (#{count}) updated at Sun, 22 Nov 26 07:00:00 +0300\r\n"
    "Socks proxy=https://spys.example/socks.txt\r\n"
    "Support by donations:\r\n"
    "BTC bc1qexampleexampleexampleexampleexamplexx\r\n"
    "IP address:Port CountryCode-Anonymity(Noa/Anm/Hia)-SSL_support(S)-Google_passed(+)\r\n"
    "\n"
)
_ANONYMITY = {ProxyKind.TRANSPARENT: "transparent", ProxyKind.ANONYMOUS: "anonymous"}
_SPYS_LETTER = {ProxyKind.TRANSPARENT: "N", ProxyKind.ANONYMOUS: "A"}


def _anonymity(proxy: ProxyServer) -> str:
    return _ANONYMITY.get(proxy.spec.kind, "elite")


def plain(proxies: Proxies) -> str:
    """One ``ip:port`` a line, without protocols."""
    return "".join(f"{LOOPBACK}:{each.port}\n" for each in proxies)


def urls(proxies: Proxies) -> str:
    """One URL a line, with credentials where there are any."""
    return "".join(f"{each.url}\n" for each in proxies)


def strings(proxies: Proxies) -> str:
    """A JSON list of URLs."""
    return json.dumps([each.url for each in proxies])


def _record(proxy: ProxyServer) -> dict[str, object]:
    return {
        "protocol": proxy.spec.protocol.value,
        "username": proxy.spec.username,
        "password": proxy.spec.password,
        "host": LOOPBACK,
        "port": proxy.port,
        "exit_ip": proxy.spec.exit_address,
        "anonymity": _anonymity(proxy),
        "geolocation": {"country": {"iso_code": proxy.spec.country}},
    }


def objects(proxies: Proxies) -> str:
    """A JSON list of objects."""
    return json.dumps([_record(each) for each in proxies], indent=1)


def lines_of_objects(proxies: Proxies) -> str:
    """One JSON object a line."""
    return "".join(f"{json.dumps(_record(each))}\n" for each in proxies)


def table(proxies: Proxies) -> str:
    """CSV with a heading."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["ip", "port", "protocol", "username", "password", "country", "anonymity"])
    for each in proxies:
        spec = each.spec
        rows.writerow(
            [
                LOOPBACK,
                each.port,
                spec.protocol.value,
                spec.username or "",
                spec.password or "",
                spec.country,
                _anonymity(each),
            ]
        )
    return text.getvalue()


def page(proxies: Proxies) -> str:
    """An HTML page with a table."""
    names = ("IP Address", "Port", "Code", "Protocol", "Anonymity", "Https")
    rows = [
        (LOOPBACK, each.port, each.spec.country, each.spec.protocol.value, _anonymity(each), "yes")
        for each in proxies
    ]
    heading = "".join(f"<th>{name}</th>" for name in names)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        "<!DOCTYPE html><html><head><title>Free proxies</title></head><body><p>Updated now.</p>\n"
        f"<table><thead><tr>{heading}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
        "</body></html>"
    )


def spys(proxies: Proxies) -> str:
    """The style of spys.me: a heading of prose, flags behind each address, mixed line ends."""
    lines = [
        f"{LOOPBACK}:{each.port} {each.spec.country}"
        f"-{_SPYS_LETTER.get(each.spec.kind, 'H')}-S {'+' if each.spec.works else '-'} \n"
        for each in proxies
    ]
    return _SPYS_HEADING.format(count=len(lines)) + "".join(lines)


SHAPES: Mapping[str, tuple[str, Callable[[Proxies], str]]] = {
    "plain.txt": ("text/plain", plain),
    "urls.txt": ("text/plain", urls),
    "strings.json": ("application/json", strings),
    "proxies.json": ("application/json", objects),
    "proxies.jsonl": ("application/x-ndjson", lines_of_objects),
    "proxies.csv": ("text/csv", table),
    "table.html": ("text/html", page),
    "spys.txt": ("text/plain", spys),
}
"""Content type and writer by file name."""

NEEDS_NO_PROTOCOL = frozenset({"plain.txt", "spys.txt"})
"""Shapes that can't tell protocols or credentials: they hold HTTP proxies without a password,
or those of the protocol asked for."""
