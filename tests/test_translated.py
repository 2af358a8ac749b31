"""A survey's own words and a release's labels in another language: what is exchanged, and what never is."""

import json
from pathlib import Path

import pages
import pytest
import releases
from club import CLUB, call, rows, write

from survey_pipeline import load_instrument
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import Instrument, parse_instrument, shipped_instruments
from survey_pipeline.joining import as_one
from survey_pipeline.language import LANGUAGES, SOURCE, compiled, speaking
from survey_pipeline.levels import exposure_of
from survey_pipeline.release import PublishedLevel, Release
from survey_pipeline.translated import draft, draft_beside, in_language, texts, translations, with_labels

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
GERMAN = {"Citrate": "Citrat", "Malate": "Malat", "Oxide": "Oxid", "None": "Keines", "Pain": "Schmerz"}


def catalogue(words: dict[str, str]) -> str:
    return HEAD + "\n".join(f'msgid "{one}"\nmsgstr "{other}"\n' for one, other in words.items())


def german(instrument: Instrument, words: dict[str, str] = GERMAN) -> Instrument:
    return in_language(instrument, "de", compiled(catalogue(words).encode()))


def test_texts_are_exchanged_and_nothing_else() -> None:
    own = pages.magnesium()
    shown = german(own)
    assert shown.items["pain"].label == "Schmerz"
    assert [option.label for option in shown.items["magnesium_form"].options][:2] == ["Citrat", "Malat"]
    assert shown.items["magnesium_form"].codes == own.items["magnesium_form"].codes
    assert shown.items["pain"].question == own.items["pain"].question
    assert shown.title == own.title  # has no translation
    assert set(texts(own)) >= set(GERMAN)


def test_the_wave_that_an_instrument_is_for_stays() -> None:
    own = parse_instrument(CLUB)
    assert german(own.in_wave("2026-01"), {}).asked == german(own, {}).in_wave("2026-01").asked


def released(exposure: str, own: Instrument, *members: str) -> Release:
    """A release with one level of an exposure, called as it would have been published."""
    found = exposure_of(own, exposure)
    held = [level for level in found.partitions[0] if set(level.members) <= set(members)]
    label = as_one(own.items[exposure], held).label
    level = PublishedLevel(
        code="level", label=label, made_of=tuple(one.label for one in held), members=members, merged=len(held) > 1
    )
    row = releases.row("form_by_outcome", exposure, label, "pain", "mean", 3.5)
    return releases.magnesium_release().model_copy(update={"levels": {exposure: (level,)}, "rows": (row,)})


@pytest.mark.parametrize(
    ("members", "label"),
    [
        (("form_0",), "Citrat"),
        (("form_0", "form_1"), "Citrat oder Malat"),
        (("form_0", "not_stated"), "Citrat oder keine Angabe"),
    ],
)
def test_labels_are_made_anew_of_the_words_of_the_language(members: tuple[str, ...], label: str) -> None:
    own = pages.magnesium()
    release = released("magnesium_form", own, *members)
    with speaking("de"):
        found = with_labels(release, own, german(own))
    assert found.levels["magnesium_form"][0].label == label
    assert found.rows[0].level == label
    assert found.rows[0].estimate == 3.5


def test_a_label_of_other_words_stays_as_it_was_published() -> None:
    own, release = pages.magnesium(), released("magnesium_form", pages.magnesium(), "form_0")
    level = release.levels["magnesium_form"][0].model_copy(update={"label": "Citrate as it was once called"})
    once = release.model_copy(update={"levels": {"magnesium_form": (level,)}})
    with speaking("de"):
        assert with_labels(once, own, german(own)).levels["magnesium_form"][0].label == level.label


def test_everybody_and_codes_stay() -> None:
    own, release = pages.magnesium(), releases.magnesium_release()
    with speaking("es"):
        found = with_labels(release, own, own)
    assert [row.outcome for row in found.rows] == [row.outcome for row in release.rows]
    assert [row.n_respondents for row in found.rows] == [row.n_respondents for row in release.rows]


# --- Files -------------------------------------------------------------------------------------------------------------


def test_translations_lie_beside_the_instrument(tmp_path: Path) -> None:
    (tmp_path / "instrument.toml").write_text(CLUB, encoding="utf-8")
    assert translations(tmp_path, "de") is None
    (tmp_path / "de.po").write_text(catalogue({"Tea": "Tee"}), encoding="utf-8")
    for where in (tmp_path, tmp_path / "instrument.toml"):
        found = translations(where, "de-AT")
        assert found is not None and found.gettext("Tea") == "Tee" and found.gettext("Coffee") == "Coffee"
    assert translations(tmp_path, "es") is None


def test_what_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "instrument.toml").write_text(CLUB, encoding="utf-8")
    (tmp_path / "de.po").write_bytes(b'msgid "a\xff')
    with pytest.raises(InputRefused, match="cannot be read"):
        translations(tmp_path, "de")


def test_a_draft_keeps_what_is_translated_and_lets_go_what_is_no_longer_said() -> None:
    instrument = parse_instrument(CLUB)
    first = draft(instrument, "de").decode()
    known = texts(instrument)[0]
    done = first.replace(f'msgid "{known}"\nmsgstr ""', f'msgid "{known}"\nmsgstr "Uebersetzt"')
    assert done != first
    again = draft(instrument, "de", done + '\nmsgid "Said no more"\nmsgstr "Weg"\n').decode()
    assert again == done
    assert draft(instrument, "de", done).decode() == done


def test_the_file_for_a_translator_is_written_beside_the_instrument_and_kept_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "instrument.toml").write_text(CLUB, encoding="utf-8")
    path, todo, every = draft_beside(tmp_path, "de")
    assert path == tmp_path / "de.po" and todo == every == len(texts(parse_instrument(CLUB)))
    known = texts(parse_instrument(CLUB))[0]
    done = path.read_text(encoding="utf-8").replace(f'msgid "{known}"\nmsgstr ""', f'msgid "{known}"\nmsgstr "Anders"')
    path.write_text(done, encoding="utf-8")
    assert draft_beside(tmp_path, "de") == (path, every - 1, every)
    assert path.read_text(encoding="utf-8") == done


def test_a_survey_is_not_translated_into_its_own_language(tmp_path: Path) -> None:
    (tmp_path / "instrument.toml").write_text(CLUB, encoding="utf-8")
    with pytest.raises(WrongUsage, match="already"):
        draft_beside(tmp_path, "en")


def test_the_command_line_writes_it_and_reports_use_it(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "club"
    folder.mkdir()
    (folder / "instrument.toml").write_text(CLUB, encoding="utf-8")
    made = call("translate", "--instrument", folder, "--to", "de", "--json")
    found = json.loads(made.out)
    assert made.code == 0 and found["not_translated"] == found["texts"] > 20
    text = Path(found["file"]).read_text(encoding="utf-8")
    title = parse_instrument(CLUB).title
    assert f'msgid "{title}"\nmsgstr ""' in text
    Path(found["file"]).write_text(
        text.replace(f'msgid "{title}"\nmsgstr ""', f'msgid "{title}"\nmsgstr "Unser Verein"'), encoding="utf-8"
    )
    export = write(tmp_path / "club.csv", rows(60))
    told = ("--instrument", folder, "--wave", "2026-01", "--home", home)
    assert call("run", export, *told, "--language", "de").code == 0
    page = (home / "reports" / "club" / "2026-01" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="de"' in page and "Unser Verein" in page and "Januar 2026" in page
    table = (home / "reports" / "club" / "2026-01" / "tables" / "who_answered.csv").read_text(encoding="utf-8")
    assert call("report", "--instrument", folder, "--home", home).code == 0
    page = (home / "reports" / "club" / "2026-01" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="en"' in page and title in page
    assert (home / "reports" / "club" / "2026-01" / "tables" / "who_answered.csv").read_text(encoding="utf-8") == table
    refused = call("report", "--instrument", folder, "--home", home, "--language", "fr")
    assert refused.code == 2 and "Reports cannot be written in 'fr'" in refused.err


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {SOURCE}))
@pytest.mark.parametrize("name", shipped_instruments())
def test_every_text_of_a_shipped_survey_is_translated(name: str, language: str) -> None:
    words = translations(name, language)
    assert words is not None
    missing = [text for text in texts(load_instrument(name)) if words.gettext(text) == text]
    assert not [text for text in missing if len(text.split()) > 3], "a sentence is not translated"
    assert draft(load_instrument(name), language, _file(name, language)).decode() == _file(name, language)


def _file(name: str, language: str) -> str:
    return (Path(__file__).parents[1] / "schemas" / name / f"{language}.po").read_text(encoding="utf-8")
