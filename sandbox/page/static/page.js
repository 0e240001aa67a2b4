// Makes the page live. The server draws everything; this asks for the page again when told that something changed,
// and puts in what differs, so that what a person is typing, has opened or has focused stays as it is.
"use strict";

document.documentElement.classList.add("js");

const said = document.getElementById("said");
const drawn = new Map(); // region id -> the HTML that the server last drew there
for (const region of document.querySelectorAll("[data-live]")) drawn.set(region.id, region.innerHTML);

// Words about the latest act lie over the page, let clicks through, and go: a problem stays as long as it takes to read.
const SAID_MS = 5000;
const PROBLEM_MS = 20000;
let hush = 0;

function say(text, isProblem) {
  said.textContent = text;
  said.classList.toggle("problem", Boolean(isProblem));
  clearTimeout(hush);
  hush = setTimeout(() => said.replaceChildren(), isProblem ? PROBLEM_MS : SAID_MS);
}
if (said.textContent) say(said.textContent, said.classList.contains("problem"));

// What belongs to the person who looks, not to the server: what they opened, what is offered to them, what is lit.
const OWN = new Set(["open", "aria-expanded", "aria-activedescendant", "aria-busy", "style"]);

function copyAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !OWN.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!OWN.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

// Turns one tree into the other and keeps every element that is in both: a button does not vanish under the pointer,
// a menu stays open, a text half typed stays typed. Elements with an id are known by it, others by their place.
function morph(old, fresh) {
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const same = next.id ? known.get(next.id) : place && !place.id ? place : null;
    if (!same || same.nodeName !== next.nodeName) {
      old.insertBefore(document.importNode(next, true), place);
      continue;
    }
    if (same === place) place = place.nextSibling;
    else old.insertBefore(same, place);
    if (next.nodeType === Node.ELEMENT_NODE) {
      copyAttributes(same, next);
      morph(same, next);
    } else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function redraw(region, fresh) {
  const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 40;
  const before = new Map([...region.querySelectorAll("li[id]")].map((item) => [item.id, item.textContent]));
  copyAttributes(region, fresh);
  morph(region, fresh);
  for (const item of region.querySelectorAll("li[id]")) {
    if (!before.size || before.get(item.id) === item.textContent) continue;
    item.classList.remove("changed");
    requestAnimationFrame(() => item.classList.add("changed"));
  }
  if ("tail" in region.dataset && atEnd) showLatest(region);
}

let asking = null; // the request under way
let next = null; // the one that begins after it

// Draws the page anew; done when a drawing is done that began after this call, so of the address as it is now.
function refresh() {
  if (asking) {
    next ??= asking.then(() => {
      next = null;
      return refresh();
    });
    return next;
  }
  asking = ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask() {
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    showMe(page);
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const region = document.getElementById(fresh.id);
      if (!region || drawn.get(fresh.id) === fresh.innerHTML) continue;
      drawn.set(fresh.id, fresh.innerHTML);
      redraw(region, fresh);
    }
    document.dispatchEvent(new Event("drawn"));
  } catch {
    say("The sandbox does not answer. Is it still running?", true);
  }
}

// The one who looks, in the list of people; somebody from a crowd may not be in it yet.
function showMe(fresh = document) {
  const me = new URL(location.href).searchParams.get("me");
  const list = document.getElementById("me");
  if (!me || list.value === me) return;
  list.value = me;
  const missing = fresh.querySelector(`#me option[value="${CSS.escape(me)}"]`);
  if (list.value !== me && missing) list.prepend(missing.cloneNode(true));
  list.value = me;
}

// The latest way somewhere else, done when that is drawn. Until then links and forms are those of where one was: who
// uses them that quickly means them as they will be.
let arrived = Promise.resolve();

// Which conversation an address shows.
function talk(address) {
  const { searchParams } = new URL(address, location.href);
  return `${searchParams.get("me")} ${searchParams.get("guild")} ${searchParams.get("channel")}`;
}

function showLatest(tail) {
  tail.scrollTop = tail.scrollHeight;
}

function go(address) {
  const isElsewhere = talk(address) !== talk(location.href);
  history.pushState(null, "", address);
  for (const form of document.querySelectorAll("#composer form")) form.reset();
  arrived = refresh().then(() => {
    showMe();
    if (isElsewhere) showLatest(document.getElementById("messages"));
    const { hash } = new URL(address, location.href);
    if (hash) document.querySelector(hash)?.scrollIntoView({ block: "center" });
  });
  return arrived;
}

// Go where a reply is; a reply to a command that was run from the direct messages stands in a channel.
async function showReply(answer) {
  const address = new URL(location.href);
  const place = answer.messages?.at(-1)?.channel;
  const tab = document.querySelector(`#channels a[data-channel="${place}"]`);
  if (place && tab) address.searchParams.set("channel", new URL(tab.href).searchParams.get("channel"));
  for (const name of [...address.searchParams.keys()]) {
    if (name === "command" || name.startsWith("options.")) address.searchParams.delete(name);
  }
  address.hash = "";
  await go(address.href);
  showLatest(document.getElementById("messages"));
}

async function act(form, button) {
  await arrived;
  const fields = new URLSearchParams(new FormData(form, button));
  form.setAttribute("aria-busy", "true");
  try {
    const headers = { Accept: "application/json" };
    // getAttribute, for a button named "action" hides the form's own property.
    const response = await fetch(form.getAttribute("action"), { method: "POST", body: fields, headers });
    const answer = await response.json();
    say(answer.error ?? answer.notice ?? "", "error" in answer);
    form.reset();
    if ("command" in form.dataset && !answer.error) await showReply(answer);
    else await refresh();
  } catch {
    say("The sandbox does not answer. Is it still running?", true);
  }
  form.removeAttribute("aria-busy");
}

// A form that chooses what is shown: everything else in the address stays, but for what the choice makes stale.
const STALE = { patron: ["page"], who: ["group", "from"] };
function pick(form) {
  const address = new URL(location.href);
  for (const [name, value] of new FormData(form)) {
    if (form.elements[name].type === "hidden") continue;
    address.searchParams.set(name, value);
    for (const stale of STALE[name] ?? []) address.searchParams.delete(stale);
  }
  address.hash = "";
  go(address.href);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if ("pick" in form.dataset) {
    event.preventDefault();
    pick(form);
  }
  if ("act" in form.dataset) {
    event.preventDefault();
    act(form, event.submitter);
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && "pick" in form.dataset && event.target.name) {
    pick(form);
  }
  if (form && "send" in form.dataset) form.requestSubmit();
  // A log that is not shown cannot be at its end.
  if (event.target.id === "view-log") showLatest(document.getElementById("log"));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-go]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  arrived.then(() => go(link.href));
});

addEventListener("popstate", refresh);

const events = new EventSource("/events");
events.addEventListener("change", refresh);
events.addEventListener("open", refresh);
for (const tail of document.querySelectorAll("[data-tail]")) showLatest(tail);
