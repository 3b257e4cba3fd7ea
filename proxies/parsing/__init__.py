"""Reading proxy lists in every form found in the wild; decides what is a proxy and what is not."""

from proxies.parsing.found import Candidate, Found, ListOptions, Refused
from proxies.parsing.lists import UnreadableListError, parse, parse_text

__all__ = [
    "Candidate",
    "Found",
    "ListOptions",
    "Refused",
    "UnreadableListError",
    "parse",
    "parse_text",
]
