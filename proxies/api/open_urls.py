"""Addresses outside of /api/ that are open to everybody."""

from django.urls import path

from proxies.api.judge import judge

urlpatterns = [path("judge", judge, name="judge")]
