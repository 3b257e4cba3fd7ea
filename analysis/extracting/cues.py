"""Which words around a name speak for a place, and which against."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Stand before a place more than before anything else.
IN: Final = _words("in near around across outside inside throughout toward towards via into within")
TO: Final = _words("to from at through between beyond off onto leaving reaching past")
OF: Final = _words("of for on by with")
#: Verbs of travel; "went to" ends in ``to`` already.
GO: Final = _words(
    "visit visited visiting visits reach reached leave left explore explored exploring tour toured "
    "touring enter entered entering cross crossed crossing approach approaching love loved "
    "welcome discover discovering travel traveling travelling traveled arrived arriving arrive "
    "head heading headed drive driving drove fly flying flew bound based live living lived "
    "northern southern eastern western central downtown north south east west greater upper lower "
    "northeastern northwestern southeastern southwestern northwest northeast southwest southeast"
)
#: Before "to" or "from" they make a way of it: "fly to", "bus from", "back in".
MOTION: Final = _words(
    "fly flew flying flown flight flights drive drove driving driven go going went gone come came "
    "coming get getting got travel traveled travelled traveling travelling head headed heading ride "
    "rode train trains bus buses ferry boat trip trips way back over up down moved moving move "
    "return returned returning journey welcome walk walked walking arrive arrived arriving land "
    "landed landing stay stayed staying live lived living born based made make stop stopped close "
    "next hiking hike hiked tour minutes hours miles km kilometers kilometres north south east west "
    "northwest northeast southwest southeast route road bound here there off out out went been"
)
#: Before ordinary words, hardly ever before a place.
DETERMINERS: Final = _words(
    "a an my your his her its our their this that these those some any no every each another "
    "very so too really quite pretty more most less as it's is are was were be been being am "
    "i you he she we they it not don't can will would could should must may might do does did "
    "has have had get got just also even only how what who when why which if because than two "
    "three four five six seven eight nine ten one"
)
TITLES: Final = _words(
    "mr mrs ms miss dr prof professor sir lord lady king queen prince princess president minister "
    "premier chancellor mayor governor gov sen senator rep congressman judge justice sheriff "
    "deputy officer sgt sergeant capt captain lt lieutenant col colonel gen general detective "
    "constable coach reverend rev pope bishop father sister brother uncle aunt saint chief actor "
    "actress singer author director manager secretary spokesman spokeswoman named"
)
#: "… said": behind people and organisations.
SAYING: Final = _words(
    "said says told tells added explained wrote writes who whose whom insisted argued noted "
    "tweeted posted thinks believes thought asked jr sr"
)
#: "city of", "island of" …: before the name.
KIND_OF: Final = _words(
    "city town village capital island islands province state county region district country "
    "kingdom republic port suburb municipality valley lake gulf bay outskirts streets north south "
    "east west part parts coast shores people northwest northeast southwest southeast hamlet heart "
    "center centre borough community university territory continent"
)
#: Behind the name of a place: "kathmandu valley", "bruges city".
PLACE_NOUNS: Final = _words(
    "city town village county province state region district island islands valley lake river "
    "mountain mountains airport station harbour harbor beach bay coast peninsula area suburb "
    "border street road avenue square bridge castle palace temple cathedral market museum park "
    "metro downtown resident residents neighborhood neighbourhood prefecture parish itself today "
    "canal falls airport zoo skyline old"
)
#: Behind a name they make an organisation of it, or a team, a paper, a thing.
ORGANISATION_NOUNS: Final = _words(
    "post times journal news herald tribune star sun gazette globe mail press chronicle telegraph "
    "inc corp corporation company co ltd llc group bank university college school institute "
    "association society foundation party council committee commission agency department ministry "
    "police court senate parliament fc united rangers oilers leafs jets flames canucks warriors "
    "cowboys packers army church hospital airlines airways railway records pictures films studios "
    "club league cup open festival show magazine protocol agreement accord treaty act law"
)
#: "bank of …", "university of …": the name behind is part of theirs.
ORGANISATIONS_OF: Final = _words(
    "bank university college church board house ministry department bureau institute institution "
    "museum academy school society association archdiocese diocese"
)
#: Heads of names that no gazetteer lists in full ("Hertford Road"); capitals needed.
HEADS: Final = _words(
    "road street avenue lane drive boulevard highway square plaza bridge park gardens garden "
    "castle palace cathedral abbey basilica church temple shrine mosque monastery museum gallery "
    "hospital university college airport station terminal harbour harbor port pier beach bay cove "
    "cape island islands lake river creek falls waterfall canyon gorge valley mountain mountains "
    "mount peak ridge hill hills forest woods desert glacier pass cave caves county parish township "
    "district province prefecture market zoo stadium arena tower lighthouse fort fortress village "
    "heights close crescent"
)
#: The same, where the head comes first: "Lake Garda", "Mount Fuji".
HEADS_FIRST: Final = _words("lake mount mt cape fort port isle gulf bay strait river")
#: In lower-case speech these heads make a name of the unusual word before them.
SPEECH_HEADS: Final = (
    ("night", "market"),
    ("national", "park"),
    ("temple",),
    ("waterfall",),
    ("waterfalls",),
    ("monastery",),
    ("glacier",),
    ("lighthouse",),
)
#: Days, months, people's words that gazetteers have as names of towns.
NEVER: Final = _words(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december god jesus christmas easter english "
    "internet google youtube facebook twitter instagram covid ok okay tv am pm mr mrs ms dr st "
    "north south east west northern southern eastern western central upper lower day today tomorrow "
    "republican democrat republicans democrats congress senate parliament islam muslim christian "
    "nato isis un eu fbi cia nasa hi hello hey yeah yes no wow ooh huh hmm uh um ah oh gonna wanna "
    "street road avenue city town village island lake river mountain park airport station market "
    "university college hospital church temple the of and or but most same such you him her we me "
    "why who how what when where there here"
)
#: Abbreviations that lower-case speech means by these letters alone.
SPOKEN_SHORT: Final = _words("uk usa uae nyc")
#: A name that begins so is words of a sentence ("in nepal"), unless capitals say otherwise.
FUNCTION_WORDS: Final = IN | TO | OF | DETERMINERS | _words("and or but the's")
