// Completions under the fingers: slash commands as they are typed, and what the bot offers for an option.
// One list of choices serves every field; arrows move in it, Enter or Tab takes one, Escape closes it. Tab takes no command
// before something is typed: it leads on through the page, as everywhere.
"use strict";

const choices = document.getElementById("choices");
let field = null; // the field that the list belongs to, while it is open
let offered = []; // what the list shows: { label, about, take() }
let asked = 0;

function isCompleted(target) {
  return target instanceof HTMLInputElement && ("complete" in target.dataset || "commands" in target.dataset);
}

function isBegun(input) {
  return !("commands" in input.dataset) || input.value !== "";
}

function commandsLike(typed) {
  const wanted = typed.replace(/^\//, "").trim().toLowerCase();
  return [...document.querySelectorAll("#command option")]
    .filter((option) => option.value && `${option.value} ${option.textContent}`.toLowerCase().includes(wanted))
    .map((option) => ({ label: option.textContent, about: option.dataset.about, take: () => choose(option.value) }));
}

function choose(path) {
  const address = new URL(location.href);
  address.searchParams.set("command", path);
  field.value = "";
  close();
  go(address.href).then(() => document.querySelector("#composer .fields input, #composer .fields select, #run")?.focus());
}

// What the bot offers for the option that is being typed, with all other options as they stand.
async function offersOfBot(input) {
  await arrived;
  const options = {};
  for (const [name, value] of new FormData(input.form)) {
    if (name.startsWith("options.") && value !== "") options[name.slice("options.".length)] = value;
  }
  options[input.dataset.complete] = input.value;
  const { user, command } = input.form.elements;
  const body = JSON.stringify({ user: user.value, command: command.value, options, focused: input.dataset.complete });
  const headers = { "Content-Type": "application/json" };
  const answer = await (await fetch("/discord/autocomplete", { method: "POST", body, headers })).json();
  if (answer.error) say(answer.error, true);
  return (answer.choices ?? []).map(({ name }) => ({ label: name, take: () => fill(input, name) }));
}

function fill(input, text) {
  input.value = text;
  close();
}

async function offer(input) {
  const turn = ++asked;
  const found = "commands" in input.dataset ? commandsLike(input.value) : await offersOfBot(input);
  if (turn === asked && document.activeElement === input) open(input, found);
}

function open(input, found) {
  field = input;
  offered = found;
  choices.replaceChildren(...found.map(drawChoice));
  choices.hidden = !found.length;
  input.setAttribute("aria-expanded", String(found.length > 0));
  if (found.length) place();
  light("commands" in input.dataset && found.length ? 0 : -1);
}

function drawChoice({ label, about }, at) {
  const item = document.createElement("li");
  Object.assign(item, { id: `choice-${at}`, role: "option" });
  item.append(Object.assign(document.createElement("span"), { textContent: label }));
  if (about) item.append(Object.assign(document.createElement("span"), { className: "about", textContent: about }));
  return item;
}

// Above the field where there is more room, as at the foot of a conversation.
function place() {
  const box = field.getBoundingClientRect();
  const isLow = box.top > innerHeight - box.bottom;
  const top = isLow ? box.top - choices.offsetHeight - 4 : box.bottom + 4;
  const width = Math.max(box.width, Math.min(320, innerWidth - box.left - 8));
  Object.assign(choices.style, { left: `${box.left + scrollX}px`, top: `${top + scrollY}px`, width: `${width}px` });
}

function light(at) {
  [...choices.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
  const lit = choices.children[at];
  lit?.scrollIntoView({ block: "nearest" });
  if (lit) field?.setAttribute("aria-activedescendant", lit.id);
  else field?.removeAttribute("aria-activedescendant");
}

function close() {
  asked += 1;
  field?.setAttribute("aria-expanded", "false");
  field?.removeAttribute("aria-activedescendant");
  choices.hidden = true;
  field = null;
}

let typing = 0;
for (const kind of ["input", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    if (!isCompleted(target)) return;
    clearTimeout(typing);
    typing = setTimeout(() => offer(target).catch(() => {}), "commands" in target.dataset ? 0 : 150);
  });
}

document.addEventListener("focusout", ({ target }) => {
  if (target === field) close();
});

// The commands may come, go or change their language after they were asked for; a list that was closed stays closed.
document.addEventListener("drawn", () => {
  if (!field || !("commands" in field.dataset)) return;
  const found = commandsLike(field.value);
  const shows = (list) => JSON.stringify(list.map(({ label, about }) => [label, about]));
  if (shows(found) !== shows(offered)) open(field, found);
});

// Before the focus leaves the field, which would close the list under the pointer.
choices.addEventListener("mousedown", (event) => {
  event.preventDefault();
  const item = event.target.closest("li");
  if (item) offered[[...choices.children].indexOf(item)].take();
});

document.addEventListener("keydown", (event) => {
  if (event.target !== field || choices.hidden) {
    // Nothing is chosen yet: Enter must not send a form that has no command.
    if (event.key === "Enter" && "commands" in (event.target.dataset ?? {})) event.preventDefault();
    return;
  }
  const lit = [...choices.children].findIndex((item) => item.getAttribute("aria-selected") === "true");
  const last = offered.length - 1;
  const moves = { ArrowDown: lit >= last ? 0 : lit + 1, ArrowUp: lit <= 0 ? last : lit - 1 };
  if (event.key in moves) light(moves[event.key]);
  else if (event.key === "Escape") close();
  else if (lit >= 0 && (event.key === "Enter" || (event.key === "Tab" && isBegun(field)))) offered[lit].take();
  else return;
  event.preventDefault();
});
