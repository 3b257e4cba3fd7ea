"""What the analysis of videos can be told: sites, the model, the geocoder, map tiles."""

from project.settings import env

#: Sites whose videos are taken, separated by commas; none: any site.
VIDEO_SITES = env.words("VIDEO_SITES")
#: Which way videos' sites are asked: `direct`, `proxy_preferred`, `proxy_required`.
VIDEO_EGRESS = env.text("VIDEO_EGRESS", "direct")
#: The largest transcript that a user may upload, bytes.
TRANSCRIPT_MAX_BYTES = env.whole("TRANSCRIPT_MAX_BYTES", 8 * 1024 * 1024, at_least=1)
#: Workers compile the gazetteer when they start, where their host has none; else its first use does.
GAZETTEER_AHEAD = env.flag("GAZETTEER_AHEAD", default=True)
#: A folder with a gazetteer compiled ahead (`compile_places`), as the image has one.
GAZETTEER_DIR = env.text("GAZETTEER_DIR", "")
#: An OpenAI-compatible endpoint, for strategies that name a model; its key; what it may take.
LLM_BASE_URL = env.url("LLM_BASE_URL", "", schemes=("http", "https"))
LLM_API_KEY = env.text("LLM_API_KEY", "")
LLM_TIMEOUT_S = env.number("LLM_TIMEOUT_S", 60, at_least=0.1)
#: The model that new strategies name at first.
LLM_MODEL = env.text("LLM_MODEL", "")
#: Where strategies whose geocoder is Nominatim ask; who we say we are; how far apart requests are.
NOMINATIM_URL = env.url(
    "NOMINATIM_URL", "https://nominatim.openstreetmap.org", schemes=("http", "https")
)
NOMINATIM_USER_AGENT = env.text("NOMINATIM_USER_AGENT", "")
NOMINATIM_INTERVAL_S = env.number("NOMINATIM_INTERVAL_S", 1.0, at_least=0.0)
#: For how long its answers hold, and are kept.
NOMINATIM_KEEP_DAYS = env.whole("NOMINATIM_KEEP_DAYS", 90, at_least=1)
NOMINATIM_TIMEOUT_S = env.number("NOMINATIM_TIMEOUT_S", 10, at_least=0.1)
#: A tile server that maps load their background from, ``https://…/{z}/{x}/{y}.png``; none: outlines.
TILES_URL = env.url("TILES_URL", "", schemes=("http", "https"))
#: What its owner wants to see named on the map.
TILES_ATTRIBUTION = env.text("TILES_ATTRIBUTION", "")
