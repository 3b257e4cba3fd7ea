"""Loads yt-dlp into the server that fetching processes are forked off; imported there alone."""

from analysis.adapters import videochild

videochild.prepare()
