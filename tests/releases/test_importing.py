"""Taking in what a county has already made public, from JSON and CSV."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import Session, select

from app.releases.importing import InvalidRelease, import_release, load_shipped_release, parse_release
from app.releases.models import ImportedRelease, ImportedYear, ReleaseRecord, ReleaseYearRecord
from app.releases.reading import read_release
from app.series.figures import ReleasedYear
from tests.conftest import NOW

SOUTH_SAVO: dict[str, Any] = {
    "practice": "yhdessa-aika",
    "county": "12",
    "published_on": "2024-02-01",
    "state": "final",
    "title": "Etelä-Savo, 2021–2023",
    "source": "The county, its web site",
    "url": "https://etela-savo.example/luvut",
    "note": "Counted by hand",
    "years": [
        {"year": 2021, "municipalities": 3, "sessions": 10, "through": "2021-12-31"},
        {"year": 2023, "municipalities": 4, "sessions": None, "through": None},
    ],
}
AS_CSV = """\
practice,county,published_on,state,title,source,url,note,year,municipalities,sessions,through
yhdessa-aika,12,2024-02-01,final,"Etelä-Savo, 2021–2023","The county, its web site",https://etela-savo.example/luvut,\
Counted by hand,2021,3,10,2021-12-31
yhdessa-aika,12,2024-02-01,final,"Etelä-Savo, 2021–2023","The county, its web site",https://etela-savo.example/luvut,\
Counted by hand,2023,4,,
"""


def south_savo(**changed: Any) -> ImportedRelease:
    return parse_release(in_json(**changed), as_csv=False)


def in_json(**changed: Any) -> bytes:
    return json.dumps({**SOUTH_SAVO, **changed}).encode()


def in_csv(old: str = "", new: str = "") -> bytes:
    return AS_CSV.replace(old, new).encode()


def test_json_says_what_was_published() -> None:
    assert south_savo() == ImportedRelease(
        practice="yhdessa-aika",
        county="12",
        published_on="2024-02-01",  # type: ignore[arg-type]  # read from text, and from text alone
        state="final",
        title="Etelä-Savo, 2021–2023",
        source="The county, its web site",
        url="https://etela-savo.example/luvut",
        note="Counted by hand",
        years=[
            ImportedYear(year=2021, municipalities=3, sessions=10, through="2021-12-31"),  # type: ignore[arg-type]
            ImportedYear(year=2023, municipalities=4),
        ],
    )


@pytest.mark.parametrize(
    "content",
    [
        in_csv(),
        b"\xef\xbb\xbf" + in_csv(),
        in_csv("\n", "\r\n"),
        in_csv() + b"\n",
        in_csv("2021,3,10", "2021,03,0010"),
        in_csv(",", ";").replace(b"; ", b", "),
    ],
)
def test_csv_says_the_same(content: bytes) -> None:
    assert parse_release(content, as_csv=True) == south_savo()


def test_what_need_not_be_said_is_nothing() -> None:
    short = {name: value for name, value in SOUTH_SAVO.items() if name not in ("url", "note")}
    lines = ["practice,county,published_on,state,title,source,year", "yhdessa-aika,12,2024-02-01,final,T,S,2021"]

    by_json = parse_release(json.dumps(short).encode(), as_csv=False)
    by_csv = parse_release("\n".join(lines).encode(), as_csv=True)

    assert (by_json.url, by_json.note) == (by_csv.url, by_csv.note) == (None, None)
    assert by_csv.years == [ImportedYear(year=2021)]


@pytest.mark.parametrize(
    ("content", "as_csv", "reason"),
    [
        (b"", False, "not JSON: Expecting value"),
        (b"{", False, "not JSON"),
        (b"\xff\xfe{", False, r"not UTF-8 \(byte 0\); save it as UTF-8"),
        (in_csv().decode().encode("cp1252"), True, r"not UTF-8 \(byte \d+\); save it as UTF-8"),
        (b"", True, "the file has no line below its header"),
        (AS_CSV.splitlines()[0].encode(), True, "the file has no line below its header"),
        (in_csv("Counted by hand,2023", "Counted by foot,2023"), True, "every line must say the same of the release"),
        (in_csv("Counted by hand,2023", ",2023"), True, "every line must say the same of the release"),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, as_csv: bool, reason: str) -> None:
    with pytest.raises(InvalidRelease, match=reason):
        parse_release(content, as_csv=as_csv)


@pytest.mark.parametrize(
    ("content", "as_csv", "where"),
    [
        (b"[]", False, ()),
        (b"{}", False, ("practice",)),
        (in_json(practice="Yhdessä aika"), False, ("practice",)),
        (in_json(county="1"), False, ("county",)),
        (in_json(county=13), False, ("county",)),
        (in_json(published_on="1.2.2024"), False, ("published_on",)),
        (in_json(published_on="2024-02-30"), False, ("published_on",)),
        (in_json(published_on=1706745600), False, ("published_on",)),
        (in_json(published_on="2024-02-01T00:00:00"), False, ("published_on",)),
        (in_json(state="draft"), False, ("state",)),
        (in_json(title=""), False, ("title",)),
        (in_json(title="x" * 301), False, ("title",)),
        (in_json(source=None), False, ("source",)),
        (in_json(url="javascript:alert(1)"), False, ("url",)),
        (in_json(note="x" * 1001), False, ("note",)),
        (in_json(years=[]), False, ("years",)),
        (in_json(years=[{}]), False, ("years", 0, "year")),
        (in_json(years=[{"year": 2014}]), False, ("years", 0, "year")),
        (in_json(years=[{"year": "2021"}]), False, ("years", 0, "year")),
        (in_json(years=[{"year": 2021, "sessions": -1}]), False, ("years", 0, "sessions")),
        (in_json(years=[{"year": 2021, "sessions": 1.5}]), False, ("years", 0, "sessions")),
        (in_json(years=[{"year": 2021, "sessions": True}]), False, ("years", 0, "sessions")),
        (in_json(years=[{"year": 2021, "sessions": float("nan")}]), False, ("years", 0, "sessions")),
        (in_json(years=[{"year": 2021, "municipalities": 10**9 + 1}]), False, ("years", 0, "municipalities")),
        (in_json(years=[{"year": 2021, "through": 0}]), False, ("years", 0, "through")),
        (in_json(years=[{"year": 2021, "share": 0.5}]), False, ("years", 0, "share")),
        (in_json(editor="A. Virtanen"), False, ("editor",)),
        (in_csv("2021,3,10", "2021,3,ten"), True, ("years", 0, "sessions")),
        (in_csv("2021,3,10", "2021,-3,10"), True, ("years", 0, "municipalities")),
        (in_csv("2023,4,,", ",4,,"), True, ("years", 1, "year")),
        (in_csv("practice,county", "practise,county"), True, ("practice",)),
        (b"a,b\n1,2,3\n", True, ("practice",)),
    ],
)
def test_a_field_that_is_missing_unknown_or_malformed_is_named(content: bytes, as_csv: bool, where: tuple[Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_release(content, as_csv=as_csv)

    assert where in [error["loc"] for error in refused.value.errors()]


def test_what_the_database_or_the_calendar_knows_better_is_refused(db: Session) -> None:
    for changed, reason in (
        ({"practice": "kela"}, "there is no practice 'kela'; `yhdessa practice add` makes one"),
        ({"county": "91"}, "there is no county '91'; North Savo is 13"),
        ({"published_on": "2024-05-16"}, "published_on 2024-05-16 lies in the future"),
        ({"years": [{"year": 2021}, {"year": 2021}]}, "a year stands there twice"),
        ({"years": [{"year": 2025}]}, "2025 had not begun when this was published"),
        (
            {"years": [{"year": 2021, "sessions": 1}]},
            "2021: sessions need `through`, their last day counted, and only they do",
        ),
        (
            {"years": [{"year": 2021, "municipalities": 1, "through": "2021-12-31"}]},
            "2021: sessions need `through`, their last day counted, and only they do",
        ),
        (
            {"years": [{"year": 2021, "sessions": 1, "through": "2022-01-01"}]},
            "2021: through 2022-01-01 lies outside the year or after 2024-02-01",
        ),
        (
            {"years": [{"year": 2024, "sessions": 1, "through": "2024-02-02"}]},
            "2024: through 2024-02-02 lies outside the year or after 2024-02-01",
        ),
    ):
        with pytest.raises(InvalidRelease) as refused:
            import_release(db, south_savo(**changed), at=NOW)

        assert str(refused.value) == reason


def test_what_is_published_today_in_helsinki_is_not_in_the_future(db: Session) -> None:
    just_after_midnight = datetime(2024, 2, 1, 0, 30, tzinfo=UTC) - timedelta(hours=2)

    assert import_release(db, south_savo(), at=just_after_midnight) == 2


def test_releases_are_numbered_in_the_order_they_came_and_the_first_one_ships(db: Session) -> None:
    shipped = load_shipped_release(db, at=NOW)

    numbers = [import_release(db, south_savo(), at=NOW), import_release(db, south_savo(), at=NOW)]

    first = db.get_one(ReleaseRecord, 1)
    assert (shipped, numbers) == (0, [2, 3])
    assert (first.county, first.published_on, first.state) == ("13", date(2023, 3, 27), "preliminary")


def test_a_release_keeps_the_register_and_the_residents_of_its_own_day(db: Session) -> None:
    number = import_release(db, south_savo(), at=NOW)

    release = read_release(db, db.get_one(ReleaseRecord, number)).content

    residents = {2021: 131_688, 2022: 130_451, 2023: 129_914}
    assert (release.id, release.published_on) == (2, date(2024, 2, 1))
    assert release.years == {
        2021: ReleasedYear(
            covers=True,
            municipalities_in_area=12,
            residents=residents[2021],
            municipalities=3,
            sessions=10,
            through=date(2021, 12, 31),
            partial=False,
        ),
        2022: ReleasedYear(covers=False, municipalities_in_area=12, residents=residents[2022]),
        2023: ReleasedYear(
            covers=True, municipalities_in_area=12, residents=residents[2023], municipalities=4, partial=False
        ),
    }


def test_a_year_without_a_figure_is_not_covered_and_a_year_not_over_is_partial(db: Session) -> None:
    later = datetime(2026, 3, 1, tzinfo=UTC)
    years = [{"year": 2024}, {"year": 2025, "municipalities": 5}, {"year": 2026, "municipalities": 5}]
    number = import_release(db, south_savo(published_on="2026-02-01", years=years), at=later)

    rows = db.exec(select(ReleaseYearRecord).where(ReleaseYearRecord.release_id == number)).all()

    assert {
        row.year: (row.facts["covers"], row.facts["municipalities_in_area"], row.facts["partial"]) for row in rows
    } == {2024: (False, 12, None), 2025: (True, 11, False), 2026: (True, 11, True)}
