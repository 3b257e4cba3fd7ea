"""Brings well-known public lists, switched off: staff decide whom to trust."""

from django.db import migrations

_GITHUB = "https://raw.githubusercontent.com"
SOURCES = (
    ("clarketm / proxy-list", f"{_GITHUB}/clarketm/proxy-list/master/proxy-list.txt", "http"),
    ("monosans / all", f"{_GITHUB}/monosans/proxy-list/main/proxies/all.txt", "http"),
    ("monosans / JSON", f"{_GITHUB}/monosans/proxy-list/main/proxies.json", "http"),
    ("TheSpeedX / HTTP", f"{_GITHUB}/TheSpeedX/PROXY-List/master/http.txt", "http"),
    ("TheSpeedX / SOCKS4", f"{_GITHUB}/TheSpeedX/PROXY-List/master/socks4.txt", "socks4"),
    ("TheSpeedX / SOCKS5", f"{_GITHUB}/TheSpeedX/PROXY-List/master/socks5.txt", "socks5"),
    ("spys.me", "https://spys.me/proxy.txt", "http"),
    ("free-proxy-list.net", "https://free-proxy-list.net/", "http"),
)


def seed(apps, schema_editor):
    sources = apps.get_model("proxies", "ProxySource")
    for name, url, protocol in SOURCES:
        sources.objects.get_or_create(
            name=name,
            defaults={"url": url, "default_protocol": protocol, "is_enabled": False},
        )


class Migration(migrations.Migration):
    dependencies = [("proxies", "0003_schedules")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
