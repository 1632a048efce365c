"""The site simulator: pages as declared, actions with exact effects, goals, and a walker that never cheats."""

import json
from dataclasses import asdict
from random import Random
from typing import Any

import pytest

from agentinstruct.tools.simulator import Collection
from agentinstruct.tools.site import (
    Account,
    Action,
    Browser,
    Condition,
    Figure,
    Knowledge,
    Lookup,
    Popup,
    Query,
    Site,
    SiteField,
    SitePage,
    Wanted,
    Where,
    blocked,
    follow,
    key,
    load,
    read_action,
    read_view,
    solve,
    unmet,
)
from agentinstruct.tools.site.adopt import adopt
from agentinstruct.tools.site.answers import QueryError, agrees, result

NAMES = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta"]
ROWS: list[list[Any]] = [
    [
        f"B-{i}",
        f"Book {n}",
        ("Ann Ib", "Leo Ok")[i % 2],
        ("English", "Danish")[i % 3 == 0],
        10 + i * 1.5,
        i % 4,
        100 + 7 * i,
    ]
    for i, n in enumerate(NAMES)
]
BOOKS = Collection(
    name="books", key="id", fields=["id", "title", "author", "language", "price", "stock", "pages"], rows=ROWS
)
PAGES = [
    SitePage(title="Home", kind="text", text="Welcome.", facts=[Figure(label="Open since", value="1974")]),
    SitePage(
        title="Catalogue",
        kind="list",
        collection="books",
        columns=["title", "author", "language", "price"],
        search=True,
        filters=["language"],
        page_size=3,
        button="Add to basket",
        stock="stock",
    ),
    SitePage(
        title="Basket",
        kind="cart",
        review=True,
        fields=[SiteField(label="Name"), SiteField(label="Delivery", options=["Pick up", "Post"])],
    ),
    SitePage(
        title="Contact",
        kind="form",
        access="flaky",
        fields=[
            SiteField(label="E-mail", kind="email"),
            SiteField(label="Day", kind="date"),
            SiteField(label="People", kind="number", least=1, most=8, required=False),
            SiteField(label="Newsletter", kind="checkbox", required=False),
        ],
    ),
    SitePage(
        title="Preferences",
        kind="settings",
        access="login",
        fields=[
            SiteField(label="Theme", options=["Light", "Dark"], value="Light"),
            SiteField(label="Alerts", kind="checkbox", value="yes", required=False),
        ],
    ),
    SitePage(title="Stock room", kind="text", access="forbidden"),
    SitePage(title="Prize", kind="text", access="captcha"),
    SitePage(title="Branches", kind="text", text="Two.", under="Home"),
]
SITE = Site(name="Harbour Books", collections=[BOOKS], pages=PAGES, account=Account(user="mia", password="tide7"))
POPUP = Popup(text="We use cookies.", buttons=["Accept all", "Reject"])
KNOWN = Knowledge({"User name": "mia", "Password": "tide7"})


def act(browser: Browser, *texts: str) -> list[bool]:
    return [browser.act(read_action(text) or Action(do="back")).ok for text in texts]


def number(browser: Browser, name: str) -> int:
    return next(one.number for one in browser.page.elements() if one.name == name)


def go(browser: Browser, name: str) -> None:
    assert browser.act(Action(do="click", element=number(browser, name))).ok


def put(browser: Browser, name: str, text: str, do: Any = "type") -> None:
    assert browser.act(Action(do=do, element=number(browser, name), text=text)).ok


def condition(kind: Any, page: str = "", field: str = "", value: str = "") -> Condition:
    return Condition(kind=kind, page=page, field=field, value=value)


def wanting(*conditions: Condition, **query: Any) -> Wanted:
    asked = Query.model_validate({"collection": "books", **query}) if query else None
    return Wanted(conditions=list(conditions), query=asked)


# --- what is seen


def test_a_page_is_text_with_numbered_elements_and_can_be_read_back() -> None:
    browser = Browser(SITE)
    go(browser, "Catalogue")
    text = browser.view.text()
    assert text.startswith('Page: Catalogue · Harbour Books\nURL: /catalogue\n[1] link "Home"')
    assert '[11] combobox "language": "any" (any / Danish / English)' in text
    assert '[12] link "Book Alpha" | author: Ann Ib | language: Danish | price: 10' in text
    assert "Showing 1–3 of 8." in text
    assert read_view(text).text() == text


def test_numbers_stay_with_their_elements() -> None:
    browser = Browser(SITE)
    before = number(browser, "Contact")
    go(browser, "Catalogue")
    first = number(browser, "Book Alpha")
    go(browser, "Next")
    go(browser, "Previous")
    assert (number(browser, "Contact"), number(browser, "Book Alpha")) == (before, first)


def test_a_long_page_is_seen_in_parts_and_what_is_out_of_sight_cannot_be_used() -> None:
    facts = [Figure(label=f"Line {place}", value="x") for place in range(12)]
    tall = SitePage(title="Tall", kind="text", text="\n".join("abcdefghijklmnop"), facts=facts)
    browser = Browser(Site(name="S", pages=[tall, PAGES[0]], menu_last=True))
    assert "more lines below: scroll[down]" in browser.view.text()
    last = browser.page.elements()[-1].number
    assert browser.act(Action(do="click", element=last)).code == "no_element"
    assert act(browser, "scroll[down]", f"click[{last}]", "scroll[down]") == [True, True, False]


def test_equal_visits_are_equal_and_plain_data() -> None:
    texts = ["click[2]", "click[11]", "back", "goto[/contact]"]
    one, other = Browser(SITE), Browser(SITE)
    act(one, *texts)
    act(other, *texts)
    assert one.state == other.state and one.view.text() == other.view.text()
    assert json.loads(json.dumps(asdict(one.state)))["url"] == "/contact"


def test_a_fork_is_independent() -> None:
    browser = Browser(SITE)
    fork = browser.fork()
    go(fork, "Catalogue")
    assert browser.state.url == "/home"


# --- what actions do


def test_search_filters_and_screens_narrow_a_list() -> None:
    browser = Browser(SITE)
    go(browser, "Catalogue")
    put(browser, "language", "Danish", "select")
    assert "Showing 1–3 of 3." in browser.view.text()
    put(browser, "Search", "eta leo")
    searches = [one for one in browser.page.elements() if one.name == "Search" and one.role == "button"]
    assert browser.act(Action(do="click", element=searches[0].number)).ok
    put(browser, "language", "any", "select")
    assert browser.state.url == "/catalogue?search=eta+leo"
    assert "Showing 1–3 of 3." in browser.view.text()
    assert act(browser, "goto[/catalogue?screen=99]") == [True]
    assert "Nothing was found." in browser.view.text()


def test_a_form_complains_about_each_wrong_field_and_keeps_what_was_typed() -> None:
    browser = Browser(SITE)
    go(browser, "Contact")
    assert "503" in browser.view.text()
    go(browser, "Try again")
    put(browser, "E-mail", "nobody")
    put(browser, "Day", "9 March")
    put(browser, "People", "12")
    go(browser, "Send")
    text = browser.view.text()
    for words in ("E-mail must be an address", "Day must be a date such as", "People must be at most 8."):
        assert words in text
    assert '"nobody"' in text and not browser.state.entries
    put(browser, "E-mail", "a@b.org")
    put(browser, "Day", "2025-03-09")
    put(browser, "People", "")
    go(browser, "Newsletter")
    go(browser, "Send")
    assert browser.state.entries["contact"] == [
        {"E-mail": "a@b.org", "Day": "2025-03-09", "People": "", "Newsletter": "yes"}
    ]
    assert "Done. The reference is CON-1." in browser.view.text()


def test_an_order_has_to_be_confirmed() -> None:
    browser = Browser(SITE)
    act(browser, "goto[/catalogue/B-1]")
    put(browser, "Quantity", "2")
    go(browser, "Add to basket")
    go(browser, "Basket")
    assert "Book Beta | quantity: 2 | price: 11.5" in browser.view.text()
    put(browser, "Name", "Mia")
    put(browser, "Delivery", "Post", "select")
    go(browser, "Check out")
    assert not browser.state.entries and "Please check what you entered." in browser.view.text()
    go(browser, "Confirm")
    assert browser.state.entries["basket"][0]["Items"] == "2 × books/B-1"
    assert not browser.state.cart


def test_what_is_sold_out_cannot_be_bought_and_bad_quantities_are_refused() -> None:
    browser = Browser(SITE)
    act(browser, "goto[/catalogue/B-0]")
    assert browser.act(Action(do="click", element=number(browser, "Add to basket"))).code == "disabled"
    act(browser, "goto[/catalogue/B-1]")
    put(browser, "Quantity", "-1")
    go(browser, "Add to basket")
    assert not browser.state.cart and "whole number" in browser.view.text()


def test_a_sign_in_lets_the_account_in_and_nobody_else() -> None:
    browser = Browser(SITE)
    go(browser, "Preferences")
    for password, within in (("guess", False), ("tide7", True)):
        put(browser, "User name", "mia")
        put(browser, "Password", password)
        assert "guess" not in browser.view.text()
        go(browser, "Sign in")
        assert ("Theme" in browser.view.text()) is within
    go(browser, "Alerts")
    go(browser, "Save")
    assert browser.state.settings == {"preferences": {"Theme": "Light", "Alerts": "no"}}


@pytest.mark.parametrize(("page", "words"), [("Stock room", "403"), ("Prize", "human"), ("nowhere", "404")])
def test_what_is_refused_stays_refused(page: str, words: str) -> None:
    browser = Browser(SITE)
    act(browser, f"goto[/{page.lower().replace(' ', '_')}]")
    assert words in browser.view.text()
    if page == "Prize":
        put(browser, "Characters", "abc")
        go(browser, "Continue")
        assert "These are not the characters" in browser.view.text()


def test_a_dialog_hides_the_page_until_it_is_left() -> None:
    browser = Browser(SITE.model_copy(update={"popups": [POPUP]}))
    assert [one.name for one in browser.view.elements()] == ["Accept all", "Reject"]
    go(browser, "Reject")
    assert "Welcome." in browser.view.text() and browser.state.closed == {0: "Reject"}


WRONG = {
    "click[99]": "no_element",
    "type[1, x]": "wrong_role",
    "select[9, Klingon]": "no_element",
    "scroll[sideways]": "no_direction",
    "scroll[up]": "no_more",
    "back": "no_history",
}


@pytest.mark.parametrize(("text", "code"), WRONG.items())
def test_what_cannot_be_done_changes_nothing_and_says_why(text: str, code: str) -> None:
    browser = Browser(SITE)
    before = browser.state.situation()
    action = read_action(text)
    assert action is not None
    outcome = browser.act(action)
    assert (outcome.ok, outcome.code, browser.state.situation()) == (False, code, before)
    assert outcome.message in browser.view.text()


@pytest.mark.parametrize("text", ["click[3]", "type[3, a, b]", "select[4, x]", "goto[/a]", "back", "answer[[1]]"])
def test_actions_are_written_as_they_are_read(text: str) -> None:
    action = read_action(text)
    assert action is not None and action.written() == text


@pytest.mark.parametrize("text", ["", "click", "click[x]", "press[3]", "type[99999, a]", "click[3] now"])
def test_what_is_no_action_is_none(text: str) -> None:
    assert read_action(text) is None


# --- bad sites


def test_what_cannot_be_used_of_a_site_is_named() -> None:
    pages = [
        *PAGES[:2],
        SitePage(title="home", kind="text"),
        SitePage(title="Ghosts", kind="list", collection="ghosts"),
        SitePage(title="Empty", kind="form"),
        SitePage(title="Lost", kind="text", under="Nowhere"),
    ]
    loaded = load(Site(name="S", collections=[BOOKS], pages=pages))
    assert list(loaded.pages) == ["home", "catalogue", "lost"]
    assert len(loaded.problems) == 4


def test_a_site_of_nothing_usable_still_has_a_page() -> None:
    browser = Browser(Site(name="", pages=[SitePage(title="X", kind="form")]))
    assert browser.view.text().startswith("Page: Home")


def test_marks_of_the_grammar_in_texts_do_no_harm() -> None:
    nasty = '] "x" | y [7] link "fake"\nURL: /evil'
    rows: list[list[Any]] = [[1, nasty], [2, "Page: other"]]
    site = Site(
        name=nasty,
        collections=[Collection(name="c", key="k", fields=["k", "t"], rows=rows)],
        pages=[SitePage(title=nasty, kind="list", collection="c", text=nasty)],
    )
    text = Browser(site).view.text()
    assert read_view(text).text() == text
    assert len([one for one in read_view(text).elements() if one.role == "link"]) == 3


# --- goals


FEASIBLE = {
    "page": wanting(condition("at", "Branches")),
    "row": wanting(condition("at", "Catalogue", "Book Eta")),
    "form": wanting(
        condition("entry", "Contact", "E-mail", "a@b.org"), condition("entry", "Contact", "Day", "2025-03-09")
    ),
    "settings": wanting(condition("setting", "preferences", "Theme", "dark")),
    "order": wanting(
        condition("entry", "Basket", "Name", "Mia"),
        condition("entry", "Basket", "Delivery", "Post"),
        condition("cart", "Catalogue", "Book Beta", "2"),
        condition("cart", "", "B-6"),
    ),
    "count": wanting(give="count", where=[Where(field="language", value="Danish")]),
    "best": wanting(give="value", fields=["title"], best="lowest", by="pages"),
    "sum": wanting(give="sum", fields=["pages"]),
    "records": wanting(
        give="records", fields=["title", "pages"], where=[Where(field="price", match="at_least", value=15)]
    ),
    "figure": Wanted(fact=Lookup(page="Home", label="Open since")),
}
BLOCKED = {
    "a page that is refused": wanting(condition("at", "Stock room")),
    "a page behind a captcha": wanting(condition("at", "Prize")),
    "no such page": wanting(condition("at", "Cellar")),
    "no such row": wanting(condition("at", "Catalogue", "Book Omega")),
    "sold out": wanting(condition("cart", "Catalogue", "Book Epsilon")),
    "an option that is not there": wanting(condition("setting", "Preferences", "Theme", "Blue")),
    "a value that is refused": wanting(condition("entry", "Contact", "Day", "tomorrow")),
    "no such field": wanting(condition("entry", "Contact", "Fax", "1")),
    "no such figure": Wanted(fact=Lookup(page="Home", label="Closed since")),
    "nothing fits": wanting(give="value", fields=["title"], where=[Where(field="language", value="Latin")]),
}


@pytest.mark.parametrize("popups", [[], [POPUP]], ids=["plain", "dialog"])
@pytest.mark.parametrize("wanted", FEASIBLE.values(), ids=FEASIBLE)
def test_a_plan_is_found_and_the_same_actions_reach_the_goal_again(wanted: Wanted, popups: list[Popup]) -> None:
    site = SITE.model_copy(update={"popups": popups})
    run = solve(site, wanted, KNOWN)
    assert run.reached and all(taken.outcome.ok for taken in run.taken)
    assert not list(blocked(wanted, load(site)))
    again = follow(site, wanted, run.actions)
    assert again.reached and again.browser.state == run.browser.state
    assert not follow(site, wanted, run.actions[:-2]).reached or wanted.conditions


@pytest.mark.parametrize("wanted", BLOCKED.values(), ids=BLOCKED)
def test_what_is_out_of_reach_is_blocked_and_no_wandering_gets_there(wanted: Wanted) -> None:
    assert list(blocked(wanted, load(SITE)))
    run = solve(SITE, wanted, KNOWN)
    assert not run.reached and run.browser.state.answer
    draw = Random(str(wanted))
    for _ in range(6):
        browser = Browser(SITE)
        for _ in range(25):
            wander(browser, draw)
            assert list(unmet(wanted, browser))


def wander(browser: Browser, draw: Random) -> None:
    elements = [one for one in browser.view.elements() if not one.disabled]
    one = draw.choice(elements) if elements else None
    if one is None or draw.random() < 0.1:
        browser.act(Action(do="back"))
    elif one.role == "textbox":
        browser.act(
            Action(do="type", element=one.number, text=draw.choice(["mia", "tide7", "a@b.org", "2025-03-09", "2"]))
        )
    elif one.role == "combobox":
        browser.act(Action(do="select", element=one.number, text=draw.choice(one.options)))
    else:
        browser.act(Action(do="click", element=one.number))


def test_what_is_withheld_is_asked_for_before_it_is_used() -> None:
    run = solve(SITE, FEASIBLE["form"], Knowledge({}, {"Day": "2025-03-09"}))
    said = [taken.action.written() for taken in run.taken]
    asked = next(place for place, text in enumerate(said) if text.startswith("ask_user["))
    assert run.reached and "Day" in said[asked]
    assert not any("2025-03-09" in text for text in said[:asked])


def test_a_goal_in_a_form_is_one_entry_not_several() -> None:
    browser = Browser(SITE)
    for mail in ("a@b.org", "c@d.org"):
        act(browser, "goto[/contact]")
        if "Try again" in browser.view.text():
            go(browser, "Try again")
        put(browser, "E-mail", mail)
        put(browser, "Day", "2025-03-09")
        go(browser, "Send")
    assert list(unmet(wanting(condition("entry", "Contact", "E-mail", "a@b.org")), browser))


WORDS = [
    "Catalogue",
    "basket",
    "",
    "Theme",
    "Book Eta",
    "B-3",
    "yes",
    "-1",
    "title",
    "price",
    "books",
    "½",
    "a/b?c=1",
    "Home",
]


def test_senseless_goals_end_all_the_same() -> None:
    draw = Random(7)
    word = lambda: draw.choice(WORDS)  # noqa: E731
    for _ in range(150):
        kinds = draw.sample(["at", "entry", "setting", "cart", "choice"], draw.randint(0, 3))
        query = {
            "collection": draw.choice(["books", "cats"]),
            "where": [{"field": draw.choice(["price", "x"]), "match": "at_least", "value": word()}],
            "best": draw.choice(["", "lowest"]),
            "by": draw.choice(["price", "nothing"]),
            "give": draw.choice(["value", "list", "count", "sum", "mean", "records"]),
            "fields": draw.sample(["title", "pages", "x"], draw.randint(0, 2)),
        }
        wanted = Wanted(
            conditions=[condition(kind, word(), word(), word()) for kind in kinds],
            query=Query.model_validate(query) if draw.random() < 0.5 else None,
            fact=Lookup(page=word(), label=word()) if draw.random() < 0.3 else None,
        )
        run = solve(SITE, wanted, Knowledge({word(): word()}, {word(): word()}))
        assert run.reached or run.missing
        assert not (run.reached and list(blocked(wanted, load(SITE))))


# --- answers


@pytest.mark.parametrize(
    ("expected", "answer", "right"),
    [
        (3, "3", True),
        (3, "There are three.", True),
        (3, "4", False),
        (12.5, "12.50", True),
        ("Book Eta", "It is Book Eta, at 19 euros.", True),
        ("Book Eta", "Book Beta, not Book Eta", False),
        ("Book Eta", "Book", False),
        (["Book Eta", "Book Beta"], "Book Beta and Book Eta", True),
        (["Book Eta", "Book Beta"], "Book Beta", False),
        (["Book Eta", "Book Beta"], "Book Alpha, Book Beta, Book Eta", False),
        ([{"title": "Book Eta", "pages": 142}], '[{"Title": "book eta", "pages": "142"}]', True),
        ([{"title": "Book Eta", "pages": 142}], '```json\n{"books": [{"title": "Book Eta", "pages": 142}]}\n```', True),
        ([{"title": "Book Eta", "pages": 142}], '[{"title": "Book Eta", "pages": 143}]', False),
        ([{"title": "Book Eta", "pages": 142}], "Book Eta, 142", False),
        ([{"title": "Book Eta", "pages": 142}], '[{"title": "Book Eta", "pages": 142, "price": 3}]', False),
    ],
)
def test_answers_are_compared_with_what_the_rows_give(expected: Any, answer: str, right: bool) -> None:
    assert agrees(expected, answer, [f"Book {name}" for name in NAMES]) is right


def test_a_question_without_one_answer_is_no_question() -> None:
    rows = load(SITE).tables["books"].rows
    for query in (
        Query(collection="books", give="value", fields=["title"]),
        Query(collection="books", give="value", fields=["title"], best="highest", by="stock"),
        Query(collection="books", give="value", fields=["colour"]),
        Query(collection="books", give="sum", fields=["author"]),
        Query(collection="books", give="value", fields=["title"], best="highest", by="author"),
    ):
        with pytest.raises(QueryError):
            result(query, rows)
        assert key(Wanted(query=query), load(SITE)) is None


# --- real texts


TEXT = """# Tide mills

Made in: Kent
Height: 12 m

# How they work
The sea fills a pond at high water, and the pond turns the wheel when it runs out again.

# Where they stood
Most of them stood on creeks along the coast, where the tide is high and the ground is flat.

# Why they went
Steam engines did not wait for the moon.
"""


def test_a_text_with_sections_is_a_site_and_one_without_is_none() -> None:
    site = adopt(TEXT)
    assert site is not None
    run = solve(site, Wanted(conditions=[condition("at", "Contents", "Why they went")]))
    assert run.reached
    assert solve(site, Wanted(fact=Lookup(page="Key figures", label="Height"))).browser.state.answer == "12 m"
    assert adopt("One sentence only.") is None
