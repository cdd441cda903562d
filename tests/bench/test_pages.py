"""The pages that show figures are what the stored report renders to, and verdicts are what its figures say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.running import BENCH, ROOT, ask, bench

PAGES = ["docs/performance.md", "README.md", *(f"docs/performance/{name}.svg" for name in ("cpu", "crowd", "start"))]


def test_the_pages_are_what_the_stored_report_renders_to() -> None:
    """Nothing in docs/performance.md, its plots, or the speed table of the README is typed by hand."""
    done = bench(str(BENCH / "run.py"), "--render", "--check")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_page_that_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    """The comparison sees a changed digit in any of the pages, and a page that is gone."""
    for name in PAGES:
        page = tmp_path / name
        page.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text()
        changed = text.replace("| get |", "| got |") if name.endswith(".md") else text.replace("</svg>", "<g/></svg>")
        assert changed != text
        page.write_text(changed)
    (tmp_path / PAGES[-1]).unlink()
    code = f"import render; from pathlib import Path; from report import load; render.ROOT = Path({str(tmp_path)!r}); "
    assert sorted(ask(code + "print(*render.differing(load()), sep='\\n')")) == sorted(PAGES)


@pytest.mark.parametrize(("ratio", "verdict"), [("0.12", "True"), ("0.1201", "False"), ("None", "None")])
def test_a_verdict_is_what_the_ratio_says(ratio: str, verdict: str) -> None:
    """At the limit a target is met, above it is missed, and what was not measured is neither."""
    code = (
        "from report import load; from targets import verdicts; report = load(); "
        "ours = report.workload('get', 'asyncio').cpu.ours; "
        f"ours.pop('aiobotocore') if {ratio} is None else ours.update(aiobotocore={ratio}); "
        "print(*(each.met for each in verdicts(report) if each.target == 'get: CPU <= 0.12 x aiobotocore'))"
    )
    assert ask(code) == [verdict]


def test_throughput_has_to_be_at_least_its_limit() -> None:
    """The one target that counts upwards is missed below its limit."""
    code = (
        "import msgspec; from report import load; from targets import verdicts; report = load(); "
        "low = msgspec.structs.replace(report.crowd['aiobotocore'], throughput_of_ours=5.9); "
        "report.crowd['aiobotocore'] = low; "
        "print(*(each.met for each in verdicts(report) if 'throughput' in each.target))"
    )
    assert ask(code) == ["False"]
