"""Reading proxy lists in every form found in the wild; decides what is a proxy and what is not."""

from proxies.parsing.encodings import UnreadableListError, text_of
from proxies.parsing.found import Candidate, Found, ListOptions, Refused
from proxies.parsing.lists import parse, parse_text

__all__ = [
    "Candidate",
    "Found",
    "ListOptions",
    "Refused",
    "UnreadableListError",
    "parse",
    "parse_text",
    "text_of",
]
