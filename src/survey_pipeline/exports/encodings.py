"""Encodings: how the bytes of a text stand for letters.

What belongs here: marks at the beginning, strict decoding with the place where it fails, and telling single-byte encodings
apart by the words they make: accepted only where the evidence is strong and no other reading is near, refused otherwise.
What does not: separators and quotation marks (`dialect`).
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise
from math import log

from charset_normalizer import from_bytes

from survey_pipeline.errors import InputRefused, WrongUsage, did_you_mean
from survey_pipeline.exports.unpack import Source

UTF_8 = "utf-8"
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WIDE = ("utf-16", "utf-32")
"""Encodings of several bytes a letter: without a mark, a name that ends in -le or -be says in which order they stand."""
CUT = "\ud800\0"
"""Stands at the end of a text that was cut off in the middle of a letter; no text holds it."""
BY_HAND = {
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii", "latin-1"),
    *(f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    *(f"{maker}{page}" for maker in ("cp", "windows-") for page in range(1250, 1259)),
    *(
        f"cp{page}"
        for page in (437, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874, 932, 949, 950)
    ),
    *(f"mac-{script}" for script in ("roman", "greek", "cyrillic", "latin2", "turkish", "iceland")),
    *(
        "koi8-r",
        "koi8-u",
        "shift-jis",
        "euc-jp",
        "iso-2022-jp",
        "euc-kr",
        "gb2312",
        "gbk",
        "gb18030",
        "big5",
        "tis-620",
    ),
}
"""Names of encodings that a user may set. Python knows more, some of which are no encodings of text."""


@dataclass(frozen=True)
class Encoding:
    """How a text is encoded, how many bytes of a mark come before it, and why it is thought so."""

    name: str
    because: str
    mark: int = 0


class NotEncodedSo(Exception):
    """A text is not in the encoding in which it was read: the first byte that is not."""

    def __init__(self, byte: int) -> None:
        super().__init__(byte)
        self.byte = byte


# --- What is told at once ------------------------------------------------------------------------------------------------


def encoding_by_hand(name: str | None) -> str | None:
    """The standard name of an encoding that a user named. Raises `WrongUsage` for one that nobody knows."""
    if name is None:
        return None
    known = name.strip().lower().replace("_", "-")
    standard = _standard(known)
    if not standard or standard not in map(_standard, BY_HAND):
        raise WrongUsage(
            f"'{name}' is no encoding that is known.{did_you_mean(known, BY_HAND)}",
            "Leave it out to have it detected, or name one such as utf-8, cp1252 or utf-16.",
        )
    return standard.removesuffix("-sig")


def _standard(name: str) -> str | None:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return None


def begins_as(head: bytes, name: str, wished: str | None) -> Encoding:
    """The encoding that the first bytes tell: a mark, the zeros of UTF-16, else UTF-8 until it proves not to be.

    Raises `InputRefused` if a mark contradicts what was set by hand.
    """
    mark, marked = next(((mark, encoding) for mark, encoding in BOMS if head.startswith(mark)), (b"", None))
    if wished and marked and not marked.startswith(wished):
        raise InputRefused(
            f"The file '{name}' begins with the mark of {marked.upper()}, which {wished} does not write.",
            "Leave the encoding out to have it detected.",
        )
    if wished and not marked:
        return _set_by_hand(head, name, wished)
    if marked:
        return Encoding(marked, f"the file begins with the mark of {marked.upper()}", len(mark))
    if sixteen := _sixteen(head):
        return Encoding(sixteen, f"every other byte is zero, as in {sixteen.upper()}")
    return Encoding(UTF_8, "the text is valid UTF-8")


def _set_by_hand(head: bytes, name: str, wished: str) -> Encoding:
    """What a user says, unless the first bytes say for certain that it is not so."""
    because = f"the encoding {wished} was set by hand"
    if not wished.startswith(WIDE):
        return Encoding(wished, because)
    if wished == "utf-16" and (sixteen := _sixteen(head)):
        return Encoding(sixteen, f"{because}, and every other byte is zero, as in {sixteen.upper()}")
    if wished in WIDE:
        raise InputRefused(
            f"The file '{name}' does not begin with the mark of {wished.upper()}, so it is not in that encoding.",
            f"Leave the encoding out to have it detected, or set {wished}-le or {wished}-be.",
        )
    if not _has_lines(head, wished):
        raise InputRefused(
            f"The file '{name}' is not in {wished.upper()}: read so, it holds no letters that end a line.",
            "Leave the encoding out to have it detected, or set another one.",
        )
    return Encoding(wished, because)


def _has_lines(head: bytes, wide: str) -> bool:
    """Whether a line ends in a text of several bytes a letter; one that has no line ends but their bytes is noise."""
    text = head.decode(wide, errors="replace")
    return not set(head) & set(b"\r\n") or bool(set(text) & set("\r\n"))


def _sixteen(head: bytes) -> str | None:
    """UTF-16 without a mark: zeros in every other place only, and a text without control characters comes out."""
    head = head[: len(head) // 2 * 2]
    zeros = head[0::2].count(0), head[1::2].count(0)
    if min(zeros) or max(zeros) < max(2, len(head) // 100):
        return None
    name = "utf-16-be" if zeros[0] else "utf-16-le"
    try:
        text = codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return None
    return None if re.search(r"[\0-\x08\x0e-\x1f]", text) else name


def decoded(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """The text of some bytes. Raises `NotEncodedSo` where it is not in that encoding; a cut last letter becomes `CUT`."""
    decoder = codecs.getincrementaldecoder(encoding.name)("strict")
    done, skip = 0, encoding.mark
    for chunk in chunks:
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk[skip:])
        except UnicodeDecodeError as error:
            raise NotEncodedSo(done + skip - waiting + error.start) from None
        done, skip = done + len(chunk), 0
        yield text
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        yield CUT


# --- What is told from the words ---------------------------------------------------------------------------------------

LETTERS = {
    "English": "éïöüèñçëâáôêíóä",
    "several": "éäöüèñáçåøàíóêßâôæëîïúûãœõùìò",
    "German": "üäößé",
    "French": "éèàêçùôîâûïëœæ",
    "Spanish": "óíáéñúü",
    "Portuguese": "ãçéáóíêõâúôà",
    "Italian": "àèòùìéíó",
    "Dutch": "éëïèöüáóêç",
    "Danish": "øåæéü",
    "Swedish": "äåöéü",
    "Icelandic": "áíéðóþæöúý",
    "Estonian": "äõüöšž",
    "Polish": "łęążóśćńź",
    "Czech": "íáěéýřžčšůúňóťď",
    "Slovak": "áíčéžýšúľôťňäóď",
    "Hungarian": "áéőöíóüúű",
    "Romanian": "ăşîţâșț",
    "Croatian": "čšžćđ",
    "Turkish": "ışğüçöâî",
    "Lithuanian": "ėšųžąūįčę",
    "Latvian": "āēīšūņļžčģķ",
    "Greek": "αοιετσνηυρπκμςλίγόωήδάθέχύώφβξζψϊϋΐΰ",
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаинвіерстлкудмпзябгьчхйжїцєюшщфґ",
    "Bulgarian": "аиоетнрсвлкдпмзгябучъцжщхфйшюь",
    "Hebrew": "יולהארתבשמנעחדקפכגטסזצםןףךץ",
    "Arabic": "اليمونرتبةعدسفهكقأحجشصىخإطذضزئثءغؤظآ",
}
"""The letters beyond a to z of some languages, the most frequent first."""
WESTERN = (
    "English",
    "several",
    "German",
    "French",
    "Spanish",
    "Portuguese",
    "Italian",
    "Dutch",
    "Danish",
    "Swedish",
    "Icelandic",
)
CENTRAL = ("Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian", "German")
CYRILLIC = ("Russian", "Ukrainian", "Bulgarian")
CANDIDATES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("cp1252", 0, WESTERN),
    ("iso-8859-15", -2, (*WESTERN, "Estonian")),
    ("cp1250", -1, CENTRAL),
    ("iso-8859-2", -2, CENTRAL),
    ("cp1254", -2, ("Turkish",)),
    ("cp1257", -2, ("Lithuanian", "Latvian", "Estonian", "Polish", "German")),
    ("cp1251", -1, CYRILLIC),
    ("koi8-r", -2, CYRILLIC),
    ("iso-8859-5", -3, CYRILLIC),
    ("cp866", -3, CYRILLIC),
    ("cp1253", -1, ("Greek",)),
    ("iso-8859-7", -1, ("Greek",)),
    ("cp1255", -1, ("Hebrew",)),
    ("cp1256", -1, ("Arabic",)),
    ("mac-roman", -4, WESTERN),
    ("cp850", -4, WESTERN),
    ("cp852", -4, CENTRAL),
    ("cp857", -4, ("Turkish",)),
    ("mac-latin2", -4, CENTRAL),
    ("mac-turkish", -4, ("Turkish",)),
    ("mac-greek", -4, ("Greek",)),
    ("mac-cyrillic", -3, CYRILLIC),
)
"""Encodings, how much rarer they are than the first (a logarithm), and the languages that people write in them."""
FOREIGN = log(1e-4)
"""A letter that a language does not have."""
NO_WORD = -9.0
"""A word that nobody writes: scripts mixed, capitals inside, signs between letters."""
SURE = 5.0
"""How far the best reading must lie before the next one that gives another text (a logarithm: 150 to 1)."""
FEWEST_WORDS = 8
"""Distinct words from which a script other than the Latin one is told."""
FEWEST_SIGNS = 3
"""Distinct places of typographic signs, such as dashes, from which an encoding is told where there are no letters."""
SHORTEST_WORD = 3
MOST_ODD_WORDS = 0.05
USUAL_LETTER = log(0.01)
"""Where letters are less likely than this on average, the language is none of those above."""
MOST_WORDS = 4_000
"""Distinct words that are looked at."""
WORD = re.compile(rb"(?<![A-Za-z\x80-\xff])[A-Za-z]*+[\x80-\xff][A-Za-z\x80-\xff]*")
VALID = re.compile(rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+")
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
BEFORE = "“‘„‚«¿¡·•–—…µ\xa0"  # noqa: RUF001 - signs before a word, not letters
AFTER = "”’“‘»…–—·•°²³®™©ªº\xa0"  # noqa: RUF001 - and after one
SIGNS = BEFORE + AFTER + "€£½¼¾¹§±×´"  # noqa: RUF001 - and those that stand alone


def told_from_words(source: Source, place: int) -> Encoding:
    """The encoding of a text that is not UTF-8; `place`: the first byte that says so.

    Raises `InputRefused`, with the place, if the text is partly UTF-8, or if several encodings could be meant.
    """
    words = _words(source, place)
    ranked = _readings(words)
    if ranked and _is_sure(words, ranked):
        name = ranked[0].name
        return Encoding(
            name, f"the text is not UTF-8, and {len(words)} words with other letters than a to z fit {name}"
        )
    raise InputRefused(
        f"The file '{source.name}' is not UTF-8 text (see {where(source, place)}),"
        " and which encoding was meant cannot be told for certain.",
        f"Save it as 'CSV UTF-8', or set the encoding by hand (--encoding), such as {_suggested(source, ranked)}.",
    )


def _words(source: Source, place: int) -> list[bytes]:
    """Distinct words with bytes beyond ASCII, in the order in which they appear. A word in UTF-8 may not be among them."""
    found: dict[bytes, None] = {}
    rest = b""
    for chunk in chain(source.chunks(), [b"\n"]):
        whole, _, rest = (rest + chunk).rpartition(b"\n")
        new = dict.fromkeys(word for word in WORD.findall(whole) if word not in found)
        if any(VALID.fullmatch(word) for word in new):
            raise _mixed(source, place)
        found |= new if len(found) < MOST_WORDS else {}
    return list(found)[:MOST_WORDS]


def _mixed(source: Source, place: int) -> InputRefused:
    return InputRefused(
        f"The file '{source.name}' is written partly in UTF-8 and partly not: see {where(source, place)}.",
        "Export the answers again from the survey tool, as 'CSV UTF-8'.",
    )


@dataclass(frozen=True)
class _Reading:
    """The words as one encoding reads them: how likely (a logarithm), their text, and how many nobody would write."""

    name: str
    score: float
    text: str
    odd: int


def _readings(words: list[bytes]) -> list[_Reading]:
    """How well the words fit each encoding, in the language that fits best; the best first."""
    found = [_reading(words, *candidate) for candidate in CANDIDATES]
    return sorted((reading for reading in found if reading), key=lambda reading: -reading.score)


def _reading(words: list[bytes], name: str, rarer: float, languages: tuple[str, ...]) -> _Reading | None:
    try:
        texts = [word.decode(name) for word in words]
    except UnicodeDecodeError:
        return None
    odd = sum(map(_is_odd, texts))
    letters = _accented("".join(texts).lower())
    best = max(_fit(letters, language) for language in languages)
    return _Reading(name, best + rarer + odd * NO_WORD, "\n".join(texts), odd)


def _accented(text: str) -> list[str]:
    """Letters beyond a to z, and what is neither a letter nor a sign that people write."""
    return [letter for letter in text if not letter.isascii() and letter not in SIGNS]


def _fit(letters: list[str], language: str) -> float:
    weights = _weights(language)
    return sum(weights.get(letter, FOREIGN) for letter in letters)


@cache
def _weights(language: str) -> dict[str, float]:
    """Frequencies fall about as one over the rank, for the letters of whole scripts more slowly."""
    letters = LETTERS[language]
    slow = 8 if len(letters) > 20 else 0
    total = sum(1 / (rank + slow) for rank in range(1, len(letters) + 1))
    return {letter: log(1 / (rank + slow) / total) for rank, letter in enumerate(letters, start=1)}


def _is_odd(word: str) -> bool:
    """Whether nobody would write so: a capital after a small letter, Latin letters among others, a sign inside a word."""
    if any(not letter.isalpha() and not letter.isascii() and letter not in SIGNS for letter in word):
        return True
    inner = word.strip(SIGNS)
    before, _, after = word.partition(inner) if inner else ("", "", "")
    if set(before) - set(BEFORE) or set(after) - set(AFTER) or set(inner) & set(SIGNS) - {APOSTROPHE}:
        return True
    turned = any(a.islower() and b.isupper() and not (a + b).isascii() for a, b in pairwise(inner))
    return turned or len({_script(letter) for letter in inner if letter.isalpha()}) > 1


def _script(letter: str) -> str:
    code = ord(letter)
    return "latin" if code < 0x370 else "greek" if code < 0x400 else "cyrillic" if code < 0x530 else "other"


def _is_sure(words: list[bytes], ranked: list[_Reading]) -> bool:
    """Whether the best reading is a good one, and no other that differs is near."""
    best, letters = ranked[0], _accented(ranked[0].text)
    is_latin = all(_script(letter) == "latin" for letter in letters)
    rivals = [other.score for other in ranked[1:] if other.text != best.text]
    return (
        _is_evidence(words, best.text, letters)
        and best.odd <= MOST_ODD_WORDS * len(words)
        and best.score >= len(letters) * USUAL_LETTER
        and (is_latin or len(words) >= FEWEST_WORDS)
        and all(best.score - rival > SURE for rival in rivals)
    )


def _is_evidence(words: list[bytes], text: str, letters: list[str]) -> bool:
    """Whether there is anything to tell by: a word with such letters, or signs in several places."""
    if not letters:
        return len(words) >= FEWEST_SIGNS
    return any(len(word.strip(SIGNS)) >= SHORTEST_WORD and not word.isascii() for word in text.split("\n"))


def _suggested(source: Source, ranked: list[_Reading]) -> str:
    """Names worth a try: the two best readings, else what a detector of many languages holds most likely."""
    likely = [reading.name for reading in ranked if not reading.odd][:2]
    if not likely and (best := from_bytes(source.head(1 << 16)).best()):
        likely = [best.encoding.replace("_", "-")]
    return " or ".join(likely or ["cp1252"])


def where(source: Source, byte: int) -> str:
    """A place in a file as people and programs can find it."""
    lines, left = 1, byte
    for chunk in source.chunks():
        lines += chunk[:left].count(b"\n")
        left -= len(chunk)
        if left <= 0:
            break
    return f"byte {byte}, in line {lines}"
