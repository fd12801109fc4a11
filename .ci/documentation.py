#!/usr/bin/env python3
"""Checks the documentation: every relative link leads somewhere, README stays short, and DocC builds the catalog without a warning.

The articles are written as Markdown with relative links, so that they can be read in the repository. DocC resolves only links with the
scheme `doc:`, so it gets a copy in which the links between articles have it. Run it after a build: DocC reads the built modules."""
import pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOG = ROOT / "Sources/Receiver/Receiver.docc"
README_LINES, README_WORDS = 200, 1900
LINK = re.compile(r"\]\(([^()\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(path):
    """The text without what stands in code blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text()))


def anchors(path):
    """The headings' anchors: as GitHub writes them, each with DocC's."""
    found = {}
    for heading in re.findall(r"^#+ +(.+)$", FENCE.sub("", path.read_text()), re.MULTILINE):
        kept = re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-")
        found[kept.lower()] = kept
    return found


def broken_links(path):
    for link in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield f"{path.relative_to(ROOT)}: nothing is at {link}"


def problems():
    articles = sorted(CATALOG.glob("*.md"))
    for path in [ROOT / "README.md", *articles, *sorted(ROOT.glob(".github/*.md"))]:
        yield from broken_links(path)
    text = (ROOT / "README.md").read_text()
    lines, words = text.count("\n"), len(text.split())
    if lines > README_LINES or words > README_WORDS:
        yield f"README.md has {lines} lines and {words} words; {README_LINES} and {README_WORDS} are the most"
    if text.count(".ci/tests") != 1:
        yield "README.md must have exactly one line with `.ci/tests`: .ci/run runs it"


def for_docc(path, copies):
    def doc_link(match):
        target, _, anchor = match[1].partition("#")
        if target and not (CATALOG / target).exists() or re.match(r"[a-z]+:|\.\.", match[1]):
            return match[0]
        article = CATALOG / target if target else path
        return f"](doc:{article.stem}{'#' + anchors(article).get(anchor, anchor) if anchor else ''})"

    (copies / path.name).write_text(LINK.sub(doc_link, path.read_text()))


def build_catalog(output):
    bin_path = subprocess.check_output(["swift", "build", "--show-bin-path"], cwd=ROOT, text=True).strip()
    target = subprocess.check_output(["swift", "-print-target-info"], text=True)
    triple = re.search(r'"triple"\s*:\s*"([^"]+)"', target)[1]
    includes = [f"{bin_path}/Modules"]
    for folder in (ROOT / "Sources", ROOT / ".build/checkouts"):
        includes += [str(path.parent) for path in folder.rglob("module.modulemap")]
    graphs, copies = output / "graphs", output / "Receiver.docc"
    graphs.mkdir()
    copies.mkdir()
    subprocess.check_call(
        ["swift", "symbolgraph-extract", "-module-name", "Receiver", "-target", triple, "-output-dir", graphs,
         "-minimum-access-level", "public", "-skip-inherited-docs", *(f"-I{path}" for path in includes)])
    for path in CATALOG.glob("*.md"):
        for_docc(path, copies)
    return subprocess.call(
        ["docc", "convert", copies, "--additional-symbol-graph-dir", graphs, "--output-dir", output / "Receiver.doccarchive",
         "--fallback-display-name", "Receiver", "--fallback-bundle-identifier", "revoked.Receiver", "--warnings-as-errors"])


def main():
    found = list(problems())
    print(*found, sep="\n", end="\n" if found else "")
    with tempfile.TemporaryDirectory() as output:
        code = build_catalog(pathlib.Path(output))
        if code == 0 and len(sys.argv) > 1:
            shutil.copytree(pathlib.Path(output) / "Receiver.doccarchive", sys.argv[1])
    sys.exit(1 if found or code else 0)


if __name__ == "__main__":
    main()
