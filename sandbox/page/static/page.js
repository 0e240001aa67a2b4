// Makes the page live. The server draws everything; this asks for the page again when told that something changed,
// and puts in what differs, so that what a person is typing, has opened or has focused stays as it is.
"use strict";

document.documentElement.classList.add("js");

const said = document.getElementById("said");
const drawn = new Map(); // region id -> the HTML that the server last drew there
for (const region of document.querySelectorAll("[data-live]")) drawn.set(region.id, region.innerHTML);

function say(text, isProblem) {
  said.textContent = text;
  said.classList.toggle("problem", Boolean(isProblem));
}

// What a person did to the fields of a region, to be done again after it is drawn anew.
function remember(region) {
  const opened = [...region.querySelectorAll("details[open]")].map((details) => details.id);
  const typed = [...region.querySelectorAll("input[id], select[id], textarea[id]")]
    .filter((field) => field.dataset.touched)
    .map((field) => [field.id, field.value]);
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  return () => {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field) Object.assign(field, { value }).dataset.touched = "yes";
    }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
}

function redraw(region, fresh) {
  const restore = remember(region);
  const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 40;
  const scrolled = region.scrollTop;
  const before = new Map([...region.querySelectorAll("li[id]")].map((item) => [item.id, item.textContent]));
  region.replaceChildren(...fresh.childNodes);
  for (const item of region.querySelectorAll("li[id]")) {
    if (before.size && before.get(item.id) !== item.textContent) item.classList.add("changed");
  }
  restore();
  region.scrollTop = "tail" in region.dataset && atEnd ? region.scrollHeight : scrolled;
}

// Regions of lists are drawn item by item where the same items are there: an open menu elsewhere stays open.
function patch(region, fresh) {
  const old = [...region.children];
  const items = [...fresh.children];
  const isSameList = old.length === items.length && old.every((item, at) => item.id && item.id === items[at].id);
  if (!isSameList || region.tagName !== "UL") return redraw(region, fresh);
  old.forEach((item, at) => {
    if (item.dataset.html === items[at].innerHTML) return;
    if (!item.dataset.html && item.textContent === items[at].textContent) return;
    const restore = remember(item);
    item.replaceChildren(...items[at].cloneNode(true).childNodes);
    item.dataset.html = items[at].innerHTML;
    item.classList.remove("changed");
    requestAnimationFrame(() => item.classList.add("changed"));
    restore();
  });
}

let asking = false;
let askAgain = false;

async function refresh() {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const region = document.getElementById(fresh.id);
      if (!region || drawn.get(fresh.id) === fresh.innerHTML) continue;
      drawn.set(fresh.id, fresh.innerHTML);
      for (const { name, value } of fresh.attributes) region.setAttribute(name, value);
      patch(region, fresh);
    }
  } catch {
    say("The sandbox does not answer. Is it still running?", true);
  }
  asking = false;
  if (askAgain) {
    askAgain = false;
    await refresh();
  }
}

async function go(address) {
  history.pushState(null, "", address);
  const hash = new URL(address, location.href).hash;
  await refresh();
  for (const field of document.querySelectorAll("#composer [data-touched]")) delete field.dataset.touched;
  const me = new URL(location.href).searchParams.get("me");
  if (me) document.getElementById("me").value = me;
  if (hash) document.querySelector(hash)?.scrollIntoView({ block: "center" });
}

// Go where a reply is; a reply to a command that was run from the direct messages stands in a channel.
async function showReply(answer) {
  const address = new URL(location.href);
  const place = answer.messages?.at(-1)?.channel;
  const tab = [...document.querySelectorAll("#channels a")].find((link) => link.href.includes(`channel=${place}`));
  if (place && tab) address.searchParams.set("channel", place);
  address.hash = "";
  await go(address.href);
  const messages = document.getElementById("messages");
  messages.scrollTop = messages.scrollHeight;
}

async function act(form, button) {
  const fields = new URLSearchParams(new FormData(form, button));
  form.setAttribute("aria-busy", "true");
  try {
    const headers = { Accept: "application/json" };
    // getAttribute, for a button named "action" hides the form's own property.
    const response = await fetch(form.getAttribute("action"), { method: "POST", body: fields, headers });
    const answer = await response.json();
    say(answer.error ?? answer.notice ?? "", "error" in answer);
    for (const field of form.querySelectorAll("[data-touched]")) delete field.dataset.touched;
    if ("command" in form.dataset) await showReply(answer);
    else await refresh();
  } catch {
    say("The sandbox does not answer. Is it still running?", true);
  }
  form.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if ("act" in form.dataset) {
    event.preventDefault();
    act(form, event.submitter);
  }
});

document.addEventListener("change", (event) => {
  event.target.dataset.touched = "yes";
  const form = event.target.form;
  if (form && "pick" in form.dataset) {
    delete event.target.dataset.touched;
    const picked = new URLSearchParams(new FormData(form));
    const here = new URL(location.href).searchParams;
    for (const name of ["me", "command", "channel"]) {
      if (!picked.has(name) && here.has(name)) picked.set(name, here.get(name));
    }
    go(`/?${picked}`);
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-go]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("popstate", refresh);

// Completions, as the bot offers them while a person types.
let typing = 0;
async function complete(input) {
  const form = input.form;
  const options = {};
  for (const [name, value] of new FormData(form)) {
    if (name.startsWith("options.") && value !== "") options[name.slice("options.".length)] = value;
  }
  options[input.dataset.complete] = input.value;
  const body = JSON.stringify({
    user: form.elements.user.value,
    command: form.elements.command.value,
    options,
    focused: input.dataset.complete,
  });
  const headers = { "Content-Type": "application/json" };
  const answer = await (await fetch("/discord/autocomplete", { method: "POST", body, headers })).json();
  const list = document.getElementById(input.getAttribute("list"));
  list?.replaceChildren(...(answer.choices ?? []).map((choice) => new Option("", choice.name)));
  if (answer.error) say(answer.error, true);
}

for (const kind of ["input", "focusin"]) {
  document.addEventListener(kind, (event) => {
    if (kind === "input") event.target.dataset.touched = "yes";
    if (!event.target.dataset?.complete) return;
    clearTimeout(typing);
    typing = setTimeout(() => complete(event.target).catch(() => {}), 150);
  });
}

const events = new EventSource("/events");
events.addEventListener("change", refresh);
events.addEventListener("open", refresh);
for (const tail of document.querySelectorAll("[data-tail]")) tail.scrollTop = tail.scrollHeight;
