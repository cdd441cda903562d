"""The pages that show a report: ``docs/performance.md`` with its plots, and the block of ``README.md``."""

from __future__ import annotations

from pathlib import Path
from string import Template

from plots import plots
from report import Report
from sections import readme, sections

ROOT = Path(__file__).parent.parent
TEMPLATE = Path(__file__).parent / "performance.template.md"
BEGIN, END = "<!-- speed: made by make bench, begin -->", "<!-- speed: made by make bench, end -->"


def write_pages(report: Report) -> None:
    """Write every page anew."""
    for name, text in _pages(report).items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {name}")


def differing(report: Report) -> list[str]:
    """The pages that are not what the report renders to."""
    return [name for name, text in _pages(report).items() if _present(ROOT / name) != text]


def _pages(report: Report) -> dict[str, str]:
    page = Template(TEMPLATE.read_text()).substitute(sections(report))
    drawn = {f"docs/performance/{name}": text for name, text in plots(report).items()}
    return {"docs/performance.md": page, "README.md": _with_block((ROOT / "README.md").read_text(), report), **drawn}


def _with_block(text: str, report: Report) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md lacks {BEGIN!r} or {END!r}: the speed table stands between them.")
    return f"{before}{BEGIN}\n\n{readme(report)}\n\n{END}{after}"


def _present(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None
