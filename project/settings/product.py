"""What the product's own parts can be told."""

from project.settings import env

#: Whether anybody may make an account, on the default plan; `closed`: staff make them.
REGISTRATION = env.one_of("REGISTRATION", "open", choices=("open", "closed"))
#: Healthy proxies below which webhooks are told that the pool is low.
PROXY_POOL_LOW = env.whole("PROXY_POOL_LOW", 10, at_least=1)
#: Staff see the console only once they sign in with a second factor.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", default=False)
#: Each may sign what a billing system says of subscriptions; none: it may say nothing.
BILLING_WEBHOOK_SECRETS = env.words("BILLING_WEBHOOK_SECRETS")
#: Lets fetches reach loopback, private and link-local addresses: for the sandbox and tests.
ALLOW_PRIVATE_NETWORKS = env.flag("ALLOW_PRIVATE_NETWORKS", default=False)
#: Addresses of judges, separated by commas; the product's own ``/judge`` counts with PUBLIC_URL.
JUDGE_URLS = env.words("JUDGE_URLS")
#: An authority that signed a private judge's certificate, trusted besides the usual ones; PEM.
JUDGE_CA_FILE = env.text("JUDGE_CA_FILE", "")
#: How long one check of a proxy may take to connect, and in all; how many go on at once.
PROXY_CONNECT_TIMEOUT_S = env.number("PROXY_CONNECT_TIMEOUT_S", 5, at_least=0.1)
PROXY_TOTAL_TIMEOUT_S = env.number("PROXY_TOTAL_TIMEOUT_S", 10, at_least=0.1)
PROXY_CHECKS_AT_ONCE = env.whole("PROXY_CHECKS_AT_ONCE", 200, at_least=1)
#: The largest list of proxies that is fetched or taken in.
PROXY_LIST_MAX_BYTES = env.whole("PROXY_LIST_MAX_BYTES", 20 * 1024 * 1024, at_least=1024)
#: Where snapshots of the pools go; empty: into the folder DATA_DIR/etl-spool.
ETL_URL = env.url("ETL_URL", "", schemes=("http", "https"))
#: The API key that the other installation wants to see.
ETL_API_KEY = env.text("ETL_API_KEY", "")
#: Seconds that the ETL endpoint may take to answer.
ETL_TIMEOUT_S = env.number("ETL_TIMEOUT_S", 10, at_least=0.1)
#: Days after which a retired proxy that no list names any more is forgotten.
PROXY_RETENTION_DAYS = env.whole("PROXY_RETENTION_DAYS", 30, at_least=1)
#: A file of MaxMind's format (ASN, ISP, country, city) that knows networks and countries.
MAXMIND_DB = env.text("MAXMIND_DB", "")
#: Days for which the log of failures of exchanges is kept.
ERROR_LOG_DAYS = env.whole("ERROR_LOG_DAYS", 30, at_least=1)
#: Cycles of a collector that must fail in a row for a market before staff are told.
ALERT_AFTER_FAILURES = env.whole("ALERT_AFTER_FAILURES", 3, at_least=1)
