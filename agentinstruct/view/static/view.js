// Keys and labels. The page works without it, but for labels.
"use strict";
const token = document.querySelector("meta[name=token]").content;
const rows = [...document.querySelectorAll(".rows > li[data-n]")];
const labelling = document.querySelector(".labelling");
const note = document.getElementById("note");
const help = document.getElementById("help");
const said = document.getElementById("said");
let at = -1;

function say(text) {
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 2500);
}

function choose(place) {
  if (!rows.length) return;
  at = Math.max(0, Math.min(rows.length - 1, place));
  rows.forEach((row, one) => row.classList.toggle("chosen", one === at));
  rows[at].querySelector("a").focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

function subject() {
  return labelling || rows[at] || null;
}

async function put(label, words) {
  const of = subject();
  if (!of) return;
  const body = JSON.stringify({ n: Number(of.dataset.n), label, note: words });
  const headers = { "content-type": "application/json", "x-token": token };
  try {
    const answer = await fetch("/label", { method: "POST", headers, body });
    const kept = await answer.json();
    if (!answer.ok) throw new Error(kept.error);
    of.dataset.label = kept.label;
    of.dataset.note = kept.note;
    show(of);
    say(kept.label ? `${kept.label}ed` : kept.note ? "note kept" : "label taken back");
  } catch (error) {
    say(`Not kept: ${error.message}`);
  }
}

function show(of) {
  const mark = of.querySelector(".mark");
  if (mark) mark.textContent = of.dataset.label + (of.dataset.note ? " ✎" : "");
  for (const button of of.querySelectorAll("[data-put]")) {
    button.setAttribute("aria-pressed", String(button.dataset.put === of.dataset.label));
  }
}

function toggle(label) {
  const of = subject();
  if (of) put(of.dataset.label === label ? "" : label, of.dataset.note);
}

function keepNote() {
  put(labelling.dataset.label, note.value);
  note.blur();
}

const go = (id) => { const link = document.getElementById(id); if (link) location.assign(link.href); };
const keys = {
  j: () => (labelling ? go("after") : choose(at + 1)),
  k: () => (labelling ? go("before") : choose(at < 0 ? 0 : at - 1)),
  u: () => go("back"),
  a: () => toggle("accept"),
  r: () => toggle("reject"),
  n: () => { if (note) note.focus(); else if (rows[at]) location.assign(rows[at].querySelector("a").href + "#note"); },
  "/": () => { const search = document.getElementById("search"); if (search) search.select(); else go("back"); },
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.target === note && event.key === "Enter" && (event.ctrlKey || event.metaKey)) return keepNote();
  if (event.key === "Escape" && event.target.matches("input, textarea")) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  const act = keys[event.key];
  if (act && !help.open) { event.preventDefault(); act(); }
});

document.getElementById("help-button").addEventListener("click", () => help.showModal());
if (labelling) {
  for (const button of labelling.querySelectorAll("[data-put]")) {
    button.addEventListener("click", () => toggle(button.dataset.put));
  }
  document.getElementById("keep").addEventListener("click", keepNote);
  if (location.hash === "#note") note.focus();
}
const order = document.getElementById("order");
if (order) order.addEventListener("change", () => order.form.submit());

const reading = document.getElementById("reading");
if (reading) {
  const bar = reading.querySelector("progress");
  const [begun, since] = [bar.value, performance.now()];
  const busy = () => at >= 0 || document.activeElement === document.getElementById("search");
  const look = setInterval(async () => {
    const now = await (await fetch("/progress")).json();
    bar.value = now.read;
    bar.max = now.size;
    const seconds = (now.size - now.read) * (performance.now() - since) / 1000 / Math.max(1, now.read - begun);
    const left = now.read > begun ? `, about ${wait(seconds)} to go` : "";
    document.getElementById("since").textContent = `${now.rows.toLocaleString("en")} are read by now${left}.`;
    if (now.read < now.size) return;
    clearInterval(look);
    if (busy()) reading.firstElementChild.textContent = "All is read.";
    else location.reload();
  }, 1500);
}

function wait(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
