"""--output-file: formats, files, and what is refused before anything runs."""

from pathlib import Path

import pytest

from pullguard.check.output_files import OutputFile, output_files, write_files
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Report
from pullguard.core.inputs.problems import InputError

REPORT = Report((), (), files=1, documents=1, objects=2, library="lüb", notes=())


@pytest.mark.parametrize(
    ("value", "format_name", "file"),
    [
        ("sarif=a.json", "sarif", "a.json"),
        ("gitlab=a=b.json", "gitlab", "a=b.json"),
        ("a.sarif", "sarif", "a.sarif"),
        ("a.json", "json", "a.json"),
        ("a.XML", "junit", "a.XML"),
        ("a.md", "markdown", "a.md"),
        ("a.txt", "text", "a.txt"),
        ("a.log", "text", "a.log"),
        ("x=y.json", "json", "x=y.json"),
    ],
)
def test_what_is_understood(value: str, format_name: str, file: str) -> None:
    assert output_files([value]) == (OutputFile(format_name, Path(file)),)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["report"], "the format of --output-file report is not known; write FORMAT=FILE, where FORMAT is github, "),
        (["json=-"], "--output-file writes files; use -o FORMAT for standard output"),
        (["-"], "--output-file writes files; use -o FORMAT for standard output"),
        (["sarif="], "the format of --output-file sarif= is not known"),
        (["xml=a"], "the format of --output-file xml=a is not known"),
        (["absent/a.md"], "absent/a.md: cannot be written: its folder is not there"),
        (["json=a.md", "./a.md"], "a.md: is named twice by --output-file"),
    ],
)
def test_what_is_refused(values: list[str], message: str) -> None:
    with pytest.raises(PullguardError) as raised:
        output_files(values)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("other", ["{here}/a.md", "folder/../a.md", "link/a.md", "text={here}/folder/../a.md"])
def test_one_file_by_two_paths(other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PullguardError, match=r"a\.md: is named twice by --output-file$"):
        output_files(["a.md", other.format(here=tmp_path)])
    assert len(output_files(["a.md", "folder/a.md"])) == 2


def test_files_are_written(tmp_path: Path) -> None:
    text, xml = tmp_path / "a.txt", tmp_path / "a.xml"
    text.write_text("more than what will be written, so that nothing may be left of it\n" * 9)
    write_files(REPORT, output_files([str(text), str(xml)]))
    assert text.read_text("utf-8") == "0 findings and 0 errors in 2 objects of 1 file\nLibrary: lüb\n"
    assert xml.read_text("utf-8").startswith("<?xml")


def test_a_file_that_cannot_be_written_is_an_error_in_the_report(tmp_path: Path) -> None:
    broken, fine = tmp_path / "a.txt", tmp_path / "b.txt"
    broken.mkdir()
    report = write_files(REPORT, output_files([str(broken), str(fine)]))
    assert report.errors == (InputError(str(broken), None, None, "cannot be written (Is a directory)"),)
    assert fine.read_text("utf-8") == "0 findings and 0 errors in 2 objects of 1 file\nLibrary: lüb\n"
    assert write_files(REPORT, output_files([str(fine)])) is REPORT
