"""What the product's own parts can be told."""

from project.settings import env

REGISTRATION = env.text("REGISTRATION", "closed")
#: Lets fetches reach loopback, private and link-local addresses: for the sandbox and tests.
ALLOW_PRIVATE_NETWORKS = env.flag("ALLOW_PRIVATE_NETWORKS", default=False)
#: Addresses of judges, separated by commas; the product's own ``/judge`` counts with PUBLIC_URL.
JUDGE_URLS = env.words("JUDGE_URLS")
