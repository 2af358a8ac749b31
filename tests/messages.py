"""The catalogues of the program's own sentences: how they are kept.

    python tests/messages.py

Every sentence in the code is put into `translations/<language>.po`; what is translated stays, what is no longer said goes.
`tests/test_translations.py` fails until the translators have caught up.
"""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from survey_pipeline.language import LANGUAGES, SOURCE

PACKAGE = Path(__file__).parents[1] / "src" / "survey_pipeline"
KEYWORDS: dict[str, Any] = {"say": None, "later": None, "say_n": (1, 2), "say_in": ((1, "c"), 2)}
METHODS = [("**.py", "python"), ("**.jinja", "jinja2.ext:babel_extract")]
OPTIONS = {"**.jinja": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
HEAD = (
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "Language: {language}",
    "Plural-Forms: nplurals=2; plural=(n != 1);",
)


def extracted(language: str = SOURCE) -> Catalog:
    """Every sentence of the program, each once, with the files that say it."""
    found = Catalog(locale=Locale.parse(language))
    for file, _, message, _, context in sorted(
        extract_from_dir(PACKAGE, METHODS, OPTIONS, KEYWORDS), key=lambda one: (one[0], one[1])
    ):
        found.add(message, context=context, locations=[(file, 0)])
    return found


def kept(language: str) -> Catalog:
    """The catalogue as it lies there."""
    return read_po(BytesIO(path_of(language).read_bytes()), locale=Locale.parse(language))


def path_of(language: str) -> Path:
    return PACKAGE / "translations" / f"{language}.po"


def updated(language: str) -> bytes:
    """The catalogue with every sentence of today, and the translations that there are of it."""
    catalogue, before = extracted(language), kept(language)
    for message in catalogue:
        there = before.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        if message.id and there:
            message.string = there.string
        message.flags = set()  # texts of a survey may hold a per cent sign; placeholders are held by a test
    file = BytesIO()
    write_po(file, catalogue, width=110, omit_header=True, include_lineno=False)
    lines = (f'"{line.format(language=language)}\\n"' for line in HEAD)
    return "\n".join(['msgid ""', 'msgstr ""', *lines, "", ""]).encode() + file.getvalue()


def main() -> None:
    """Bring both catalogues up to date."""
    for language in sorted(set(LANGUAGES) - {SOURCE}):
        path_of(language).write_bytes(updated(language))
        todo = [message.id for message in kept(language) if message.id and not _is_done(message.string)]
        sys.stdout.write(f"{path_of(language).name}: {len(todo)} of {len(kept(language))} are not translated yet\n")


def _is_done(string: Any) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


if __name__ == "__main__":
    main()
