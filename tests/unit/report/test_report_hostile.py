"""Hostile text from servers, hosts, file names and waivers: shown, never obeyed, in any format."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families
from report_samples import HOSTILE, differences, hostile, real

from tinykit_ops.checks.model import clean
from tinykit_ops.report import formats, html, junit, markdown, prometheus, sarif, text

SHOWN = [clean(each) for each in HOSTILE]
LAYOUT = {"\n"}


@pytest.mark.parametrize("form", sorted(formats()))
def test_no_character_of_any_format_steers_a_terminal(form: str) -> None:
    found = {each for each in formats()[form](hostile()) if not each.isprintable()}
    assert found <= LAYOUT


@pytest.mark.parametrize("form", sorted(formats()))
def test_every_format_is_text_that_can_be_written(form: str) -> None:
    for report in (hostile(), real(), differences()):
        assert formats()[form](report).encode("utf-8").decode() == formats()[form](report)
        assert formats()[form](report).endswith("\n")


def test_a_line_cannot_be_forged_in_the_terminal() -> None:
    lines = text.render(hostile()).splitlines()
    assert not any(line.strip() == "FORGED: all passed" for line in lines)
    assert "[bold]rich markup[/bold]" in text.render(hostile())


class Tags(HTMLParser):
    """Collects elements, attributes and text as a browser would."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def test_html_holds_the_text_and_no_element_of_it() -> None:
    tags = read(html.render(hostile()))
    names = {tag for tag, _ in tags.tags}
    assert not names & {"script", "img", "iframe", "object", "i", "link"}
    assert [tag for tag, _ in tags.tags].count("h1") == 1
    attributes = {name for _, found in tags.tags for name in found}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    for line in SHOWN:
        assert line in tags.text


def test_links_of_html_lead_within_the_page_only() -> None:
    for report in (hostile(), real(), differences()):
        found = read(html.render(report)).tags
        ids = {attributes["id"] for _, attributes in found if "id" in attributes}
        for _, attributes in found:
            assert not {"src", "srcset", "action", "data"} & set(attributes)
            target = attributes.get("href")
            assert target is None or (target[0] == "#" and target[1:] in ids)


def test_templates_do_not_read_evidence_as_template() -> None:
    assert "{{ 7 * 7 }}" in "".join(read(html.render(hostile())).text)


def tokens(document: str) -> list[object]:
    found: list[object] = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(document):
        found.append(token)
        found += token.children or []
    return found


def test_markdown_holds_evidence_as_code_and_nothing_of_it_is_markup() -> None:
    found = tokens(markdown.render(hostile()))
    kinds = {token.type for token in found}  # type: ignore[attr-defined]
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "table_open", "hr"}
    codes = [token.content for token in found if token.type == "code_inline"]  # type: ignore[attr-defined]
    for line in SHOWN:
        assert line in codes
    headings = [token for token in found if token.type == "heading_open"]  # type: ignore[attr-defined]
    assert len(headings) == 7  # the document, one instance, five sections


def test_markdown_mentions_nobody_and_names_no_issue() -> None:
    plain = re.sub(r"(`+).*?\1", "", markdown.render(hostile()))
    assert "@everyone" not in plain
    assert "evil.test" not in plain


def test_configuration_in_markdown_stays_as_it_is() -> None:
    fences = [t.content for t in tokens(markdown.render(real())) if t.type == "fence"]  # type: ignore[attr-defined]
    assert any(fence.startswith("@builder path") for fence in fences)
    assert any("proxy_pass http://127.0.0.1:3000;" in fence for fence in fences)


def test_a_label_of_a_metric_cannot_be_left() -> None:
    families = {f.name: f for f in text_string_to_metric_families(prometheus.render(hostile()))}
    results = families["tinykit_check_results"].samples
    assert {sample.value for sample in results} == {1.0}
    assert {sample.labels["target"] for sample in results} == {hostile().instances[0].target}
    versions = [sample.labels["version"] for sample in families["tinykit_check_info"].samples]
    assert versions == [hostile().instances[0].version]


def test_xml_and_json_bring_the_text_back_as_it_was() -> None:
    root = Xml.fromstring(junit.render(hostile()))
    failure = root.find(".//failure")
    assert failure is not None and failure.text is not None
    assert failure.text.split("\n")[: len(SHOWN)] == SHOWN
    log = json.loads(sarif.render(hostile()))
    assert log["runs"][0]["results"][0]["message"]["text"].split("\n") == SHOWN
