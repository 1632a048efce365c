"""The viewer in a real browser: its keys, its labels, its look in the dark. Where no Chromium is, these say so."""

import json
import re
import shutil
import subprocess
import sys
import time

import pytest

websockets = pytest.importorskip("websockets.sync.client")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]
TEXT = """The harbour froze on 4 January 1907, and forty ships waited outside until the ice broke in March of that year.

The keeper of the house, Ida Brandt, wrote down every ship that came in, with its cargo and its master's name.

In 1911 the council bought the old customs house and gave the ground floor to the pilots for their meetings.
"""


class Tab:
    """A tab, driven by the browser's own protocol."""

    def __init__(self, socket):
        self._socket, self._number, self.wrong = socket, 0, []

    def ask(self, method, **given):
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": given}))
        while True:
            told = json.loads(self._socket.recv(timeout=20))
            if told.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.wrong.append(told["params"])
            if told.get("id") == self._number:
                return told.get("result", {})

    def run(self, script):
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def press(self, key, text=None):
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text or key} if kind == "keyDown" and len(key) == 1 else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, **typed)

    def until(self, script):
        deadline = time.monotonic() + 15
        while not (found := self.run(script)):
            assert time.monotonic() < deadline, script
            time.sleep(0.05)
        return found


@pytest.fixture
def tab(tmp_path):
    (tmp_path / "harbour.md").write_text(TEXT)
    run = [*PROGRAM, "run", tmp_path / "harbour.md", "--model", "scripted", "-s", "reading_comprehension"]
    run += ["--rounds", "1", "--transforms", "identity", "--out", tmp_path / "run"]
    subprocess.run([*map(str, run)], check=True, capture_output=True, cwd=tmp_path)
    view = [*PROGRAM, "view", str(tmp_path / "run"), "--no-browser"]
    server = subprocess.Popen(view, stdout=subprocess.PIPE, text=True)
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "about:blank"]
    browser = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        line = next(line for line in browser.stderr if "DevTools listening" in line)
        port = re.search(r":(\d+)/", line)[1]
        with websockets.connect(page_of(port), max_size=None, proxy=None) as socket:
            tab = Tab(socket)
            for part in ("Page", "Runtime", "Log"):
                tab.ask(f"{part}.enable")
            tab.ask("Page.navigate", url=address)
            all_read = "!document.getElementById('reading') && document.readyState === 'complete'"
            tab.until(f"{all_read} && document.querySelectorAll('.rows > li[data-n]').length > 2")
            yield tab
    finally:
        for process in (browser, server):
            process.terminate()
            process.wait(20)
            (process.stdout or process.stderr).close()


def page_of(port):
    from urllib.request import ProxyHandler, build_opener

    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/json", timeout=10) as told:
        return next(one["webSocketDebuggerUrl"] for one in json.load(told) if one["type"] == "page")


def test_rows_are_labelled_and_walked_through_by_keyboard(tab):
    tab.press("j")
    tab.press("j")
    assert tab.run("[...document.querySelectorAll('.rows > li')].findIndex(r => r.classList.contains('chosen'))") == 1
    tab.press("a")
    tab.until("document.querySelector('.chosen .mark').textContent === 'accept'")
    tab.press("r")
    tab.until("document.querySelector('.chosen .mark').textContent === 'reject'")
    tab.press("r")
    tab.until("document.querySelector('.chosen .mark').textContent === ''")
    tab.run("document.activeElement.click()")
    here = "!!document.querySelector('.labelling') && document.readyState === 'complete'"
    tab.until(here)
    first = tab.run("location.pathname")
    tab.press("a")
    tab.until("document.querySelector('[data-put=accept]').getAttribute('aria-pressed') === 'true'")
    tab.press("n")
    tab.ask("Input.insertText", text="good one")
    tab.ask("Input.dispatchKeyEvent", type="keyDown", key="Enter", modifiers=2)
    tab.until("document.querySelector('.labelling').dataset.note === 'good one'")
    tab.press("j")
    tab.until(f"location.pathname !== '{first}' && {here}")
    tab.press("k")
    tab.until(f"location.pathname === '{first}' && {here}")
    assert tab.run("document.getElementById('note').value") == "good one"
    tab.press("?")
    assert tab.run("document.getElementById('help').open") is True
    assert tab.wrong == []


def test_it_is_readable_in_the_dark_and_on_a_phone(tab):
    light = tab.run("getComputedStyle(document.body).backgroundColor")
    tab.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert tab.run("getComputedStyle(document.body).backgroundColor") != light
    tab.ask("Emulation.setDeviceMetricsOverride", width=380, height=800, deviceScaleFactor=1, mobile=True)
    assert tab.run("document.documentElement.scrollWidth") <= 380
    assert tab.wrong == []
