"""Reading proxy lists in every form found in the wild; decides what is a proxy and what is not."""

from proxies.parsing.encodings import UnreadableListError, encoding_of, text_of
from proxies.parsing.found import Candidate, Found, ListOptions, Refused
from proxies.parsing.lists import file_of, file_of_pieces, parse, parse_text, pieces_of

__all__ = [
    "Candidate",
    "Found",
    "ListOptions",
    "Refused",
    "UnreadableListError",
    "encoding_of",
    "file_of",
    "file_of_pieces",
    "parse",
    "parse_text",
    "pieces_of",
    "text_of",
]
