"""The manual agrees with the program: what is printed from tables is current, and links lead somewhere."""
import os
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
SOUK = os.environ.get("SOUK_BIN", str(TOP / "build/bin/souk"))


def printed(*args):
    return subprocess.run([SOUK, *args], check=True, capture_output=True, text=True).stdout


def test_tools_manual_is_current():
    assert (TOP / "docs/tools.md").read_text() == printed("tools", "--markdown"), "run: souk tools --markdown > docs/tools.md"


def test_configuration_manual_is_current():
    assert (TOP / "docs/configuration.md").read_text().endswith(printed("config", "--markdown")), \
        "replace the tables by what souk config --markdown prints"


def test_every_tool_is_in_the_manual():
    manual = (TOP / "docs/tools.md").read_text()
    names = [p.stem for p in (TOP / "tools").glob("*/*.json")]
    assert len(names) >= 14
    assert [n for n in names if f"### {n}\n" not in manual] == []


def test_links_lead_somewhere():
    broken = []
    pages = [*TOP.glob("*.md"), *(TOP / "docs").glob("*.md")]
    assert len(pages) >= 10
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_every_command_of_the_manual_exists():
    """souk COMMAND in the manual is one that souk has."""
    known = {line.split()[0] for line in printed("--help").splitlines() if line.startswith("  ")}
    used = set()
    for page in [*TOP.glob("*.md"), *(TOP / "docs").glob("*.md")]:
        used |= set(re.findall(r"(?:bin/|`)souk ([a-z][a-z-]*)", page.read_text()))
    assert len(used) >= 6
    assert used - known == set()


def test_walkthrough(souk):
    """From a search to a return, as the manual shows it."""
    done = subprocess.run([str(TOP / "docs/walkthrough.sh"), os.path.join(souk.home, "demo.env")], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    number = re.search(r"^(ORD-[0-9A-Z]{8}): ", done.stdout, re.M)[1]
    for line in (f"{number} is PAID", f"{number} is SHIPPED", f"{number} is DELIVERED", ": RECEIVED"):
        assert line in done.stdout, done.stdout[-1500:]
    assert souk.value(f"SELECT status FROM shop.orders WHERE number = '{number}'") == "DELIVERED"
