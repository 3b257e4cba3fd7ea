"""A video site: pages with a video and its subtitles."""
