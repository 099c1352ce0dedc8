"""What names, addresses and mailboxes are made of: plain data that normalisation looks up."""

from __future__ import annotations

# Before and after a name, in the spelling that remains after punctuation is gone.
TITLES = (
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "lady", "lord", "rev", "reverend",
    "fr", "hon", "captain", "capt", "major", "herr", "frau", "dipl", "ing", "mag", "mme", "mlle", "monsieur", "madame",
    "sr", "sra", "srta", "don", "dona", "sig", "dott", "dhr", "mevr",
)  # fmt: skip
DEGREES = ("phd", "md", "mba", "msc", "bsc", "ba", "ma", "esq", "obe", "mbe", "cbe", "qc", "kc", "frcs", "cpa")
GENERATIONS = {
    "jr": "jr", "jnr": "jr", "junior": "jr", "sr": "sr", "snr": "sr", "senior": "sr", "ii": "ii", "iii": "iii",
    "iv": "iv",
}  # fmt: skip
# They belong to the family name that follows.
PARTICLES = (
    "van", "von", "de", "der", "den", "di", "da", "du", "del", "della", "la", "le", "los", "las", "bin", "ibn", "al",
    "el", "st", "saint", "mac", "mc", "ten", "ter", "zu", "dos", "ap", "op",
)  # fmt: skip

# One given name and what people who bear it are called. A short form of two names (Alex, Chris of Christina) stands
# with the commoner one: spelling alone brings the other near enough to be weighed.
_NICKNAMES = {
    "abigail": "abby abbie gail", "alexander": "alex alec sandy xander sasha", "alfred": "alf alfie fred",
    "amanda": "mandy", "andrew": "andy drew", "anthony": "tony ant antony", "arthur": "art", "barbara": "barb babs",
    "benjamin": "ben benny benji", "bernard": "bernie", "bradley": "brad", "catherine": "cath cathy kate katie kathy "
    "katherine kathryn kathleen kat kitty", "charles": "charlie chuck chas", "charlotte": "lottie charley",
    "christopher": "chris topher kit", "christine": "chrissie christina tina", "daniel": "dan danny",
    "david": "dave davey", "deborah": "deb debbie debra", "donald": "don donny", "dorothy": "dot dottie dolly",
    "douglas": "doug", "edward": "ed eddie ned ted teddy", "eleanor": "ellie nell nora elena",
    "elizabeth": "liz lizzie beth betty bess eliza libby lisa elisabeth betsy", "emily": "em emmy",
    "frances": "fran fanny", "francis": "frank frankie", "frederick": "freddie freddy", "gabriel": "gabe",
    "george": "georgie", "gerald": "gerry", "geoffrey": "geoff jeff jeffrey", "gregory": "greg", "harold": "hal",
    "henry": "harry hank", "isabella": "bella izzy isabel isobel isabelle", "jacob": "jake", "jacqueline": "jackie",
    "james": "jim jimmy jamie jem", "janet": "jan", "jennifer": "jen jenny jenn", "jessica": "jess jessie",
    "john": "jack johnny jon johnnie", "jonathan": "jonny jonty", "joseph": "joe joey", "josephine": "josie",
    "joshua": "josh", "judith": "judy", "katarzyna": "kasia", "kenneth": "ken kenny", "kimberly": "kim kimberley",
    "laura": "laurie", "lawrence": "larry laurence", "leonard": "len lenny leo", "lillian": "lily lil",
    "louis": "lou lewis", "lucy": "lucinda", "madeleine": "maddie maddy madeline", "magdalena": "magda",
    "malgorzata": "gosia", "margaret": "maggie meg peggy madge marge greta daisy", "martin": "marty",
    "matthew": "matt matty", "maximilian": "max", "michael": "mike mick micky mikey", "mohammed": "muhammad mohamed "
    "muhammed mohammad mo", "natalie": "nat", "nathan": "nate nathaniel", "nicholas": "nick nicky nico nicolas",
    "nicola": "nikki nic nicole", "oliver": "ollie olly", "olivia": "livvy liv", "pamela": "pam",
    "patricia": "pat patty trish tricia", "patrick": "paddy", "peter": "pete", "philip": "phil phillip pip",
    "rachel": "rach rachael", "raymond": "ray", "rebecca": "becky becca bex", "richard": "rich rick ricky dick richie",
    "robert": "rob bob bobby robbie bert", "roger": "rodge", "ronald": "ron ronnie", "rosemary": "rosie rose",
    "samantha": "sam sammy", "samuel": "sammie", "sarah": "sally sara", "sebastian": "seb basti",
    "sophia": "sophie sofia",
    "stephanie": "steph", "stephen": "steve steven stevie", "stuart": "stu stewart", "susan": "sue suzie susie suzanne "
    "susanna", "sylvia": "sylvie", "terence": "terry terrence", "theodore": "theo", "theresa": "teresa tess terri",
    "thomas": "tom tommy", "timothy": "tim timmy", "tobias": "toby", "valerie": "val", "veronica": "ronni",
    "victoria": "vicky vicki tori", "vincent": "vince vinny", "virginia": "ginny", "walter": "walt wally",
    "wilhelm": "willi", "william": "bill billy will willy liam wills", "zachary": "zach zack zac",
}  # fmt: skip
NICKNAMES = {short: root for root, shorts in _NICKNAMES.items() for short in shorts.split()}

# Where a person may say that there is nothing to say.
UNKNOWN = (
    "n/a", "na.", "none", "null", "nil", "unknown", "not known", "not given", "anonymous", "test", "tester", "xxx",
    "xx", "x", "-", "--", "?", ".", "tbd", "tba", "no name", "noname", "guest", "customer", "nan",
)  # fmt: skip

# Mailboxes of a function, not of a person (RFC 2142 and custom).
ROLES = (
    "info", "sales", "office", "admin", "administrator", "contact", "support", "help", "helpdesk", "service",
    "customerservice", "hello", "mail", "email", "post", "postmaster", "webmaster", "hostmaster", "abuse", "billing",
    "accounts", "accounting", "invoice", "invoices", "finance", "hr", "jobs", "careers", "marketing", "press", "news",
    "newsletter", "noreply", "no-reply", "donotreply", "do-not-reply", "enquiries", "inquiries", "enquiry", "orders",
    "order", "purchasing", "reception", "team", "kontakt", "buero", "verkauf", "einkauf", "secretary", "shop", "store",
    "test", "none", "noemail", "nomail", "unknown", "na", "example", "user", "root", "security", "legal", "privacy",
)  # fmt: skip
# Providers of mailboxes for everybody: their domain says nothing about an employer.
FREE_MAIL = (
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "ymail.com", "hotmail.com",
    "hotmail.co.uk", "hotmail.fr", "outlook.com", "outlook.de", "live.com", "live.co.uk", "msn.com", "aol.com",
    "icloud.com", "me.com", "mac.com", "protonmail.com", "proton.me", "gmx.de", "gmx.net", "gmx.at", "gmx.com",
    "web.de", "t-online.de", "freenet.de", "mail.com", "mail.ru", "yandex.ru", "btinternet.com", "sky.com",
    "virginmedia.com", "ntlworld.com", "talktalk.net", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "libero.it",
    "qq.com", "163.com", "126.com", "zoho.com", "comcast.net", "verizon.net", "att.net", "bigpond.com", "wp.pl",
    "o2.pl", "seznam.cz", "ziggo.nl", "kpnmail.nl", "bluewin.ch", "example.com", "example.org", "test.com",
)  # fmt: skip

STREET_WORDS = {
    "street": "st", "str": "st", "road": "rd", "avenue": "ave", "av": "ave", "lane": "ln", "drive": "dr", "court": "ct",
    "crescent": "cres", "cr": "cres", "square": "sq", "place": "pl", "terrace": "ter", "tce": "ter", "gardens": "gdns",
    "garden": "gdns", "close": "cl", "boulevard": "blvd", "highway": "hwy", "parade": "pde", "circuit": "cct",
    "grove": "gr", "house": "hse", "mount": "mt", "saint": "st", "north": "n", "south": "s", "east": "e", "west": "w",
    "apartment": "flat", "apt": "flat", "unit": "flat", "suite": "flat", "ste": "flat",
}  # fmt: skip

# Legal forms at the end of the name of an organisation, as they are once punctuation is gone.
LEGAL_FORMS = (
    "ltd", "limited", "plc", "llp", "lp", "llc", "inc", "incorporated", "corp", "corporation", "co", "company", "cic",
    "gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "gbr", "ug", "ev", "eg", "se", "sa", "sas", "sasu", "sarl", "sl", "slu",
    "srl", "spa", "snc", "bv", "nv", "vof", "ab", "as", "asa", "aps", "oy", "oyj", "sp zoo", "zoo", "sro", "kft", "doo",
    "pty", "pte", "pvt", "bhd", "sdn", "kk", "ooo",
)  # fmt: skip
