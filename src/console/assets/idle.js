// Nobody at the desk: after half an hour without input the whole page gives way to the lock screen,
// and the box is told. What was typed stays in this page's memory, out of the document, and comes
// back with the person's touch. All pages of one browser lock together.

import { send } from "./form.js";
import { ask } from "./verb.js";

const root = document.documentElement;
const { locksMinutes, wakesMinutes } = root.dataset;
const LOCKS_MS = Number(locksMinutes) * 60_000;
const WARNS_MS = LOCKS_MS - 60_000;
const WAKES_MS = Number(wakesMinutes) * 60_000;
const LOOKS_MS = 1_000;

const pages = new BroadcastChannel("smrt-desk");
const warning = document.getElementById("idle-warning");
const template = document.getElementById("lock-screen");
const title = document.title;
/** Stands from a lock until the box has heard of it: a page that comes in between hides itself. */
const LOCKING = "smrt-locking";
let used = Date.now();
let told = Date.now();
let hidden = null;

/** Somebody is here. Typing alone asks the box for nothing, so it is told now and then. */
function use(from) {
  used = Date.now();
  if (warning) warning.hidden = true;
  if (hidden) return;
  if (from === "here" && used - told > WAKES_MS) {
    told = used;
    pages.postMessage("used");
    ask("GET /console/awake").catch(() => {});
  }
}

/** Puts the lock screen in the place of everything. */
function hide() {
  if (hidden) return;
  hidden = document.createDocumentFragment();
  hidden.append(...document.body.childNodes);
  document.body.append(template.content.cloneNode(true));
  document.title = "Locked";
  root.classList.add("locked");
  const form = document.querySelector("form[data-unlocks]");
  delete form.dataset.next;
  form.addEventListener("smrt:send", async (event) => {
    event.preventDefault();
    if (await send(form)) {
      pages.postMessage("unlocked");
      reveal();
    }
  });
  form.querySelector("button").focus();
}

function reveal() {
  if (!hidden) return;
  document.body.replaceChildren(hidden);
  hidden = null;
  localStorage.removeItem(LOCKING);
  document.title = title;
  root.classList.remove("locked");
  used = told = Date.now();
  document.getElementById("main")?.focus();
}

/**
 * Hides first, then tells: a box that doesn't answer must not keep a screen open. The screen says
 * whether the box hides its pages too.
 */
async function lock() {
  localStorage.setItem(LOCKING, "yes");
  hide();
  pages.postMessage("locked");
  const screen = document.getElementById("locked");
  const told = await ask("POST /v1/session/lock").then(() => true, () => false);
  if (told) localStorage.removeItem(LOCKING);
  screen.querySelector(`[data-lock="${told ? "told" : "untold"}"]`).hidden = false;
}

function look() {
  if (hidden) return;
  const idle = Date.now() - used;
  if (idle >= LOCKS_MS) lock();
  else if (warning) warning.hidden = idle < WARNS_MS;
}

if (root.dataset.session && template) {
  for (const input of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"]) {
    document.addEventListener(input, () => use("here"), { passive: true, capture: true });
  }
  document.addEventListener("smrt:locked", hide);
  // A page that slept through the time looks as soon as it wakes.
  document.addEventListener("visibilitychange", look);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-locks]")) lock();
  });
  pages.addEventListener("message", ({ data }) => {
    if (data === "used") use("elsewhere");
    if (data === "locked") hide();
    if (data === "unlocked") reveal();
  });
  setInterval(look, LOOKS_MS);
  if (localStorage.getItem(LOCKING)) lock();
} else {
  localStorage.removeItem(LOCKING);
}
