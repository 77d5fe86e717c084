// Forms that are verbs. A `form` says by its data attributes what it sends:
//
//   data-verb="POST /v1/..."       the verb; `{name}` in any of these takes that field's value
//   data-challenge="POST /v1/..."  asked for first, with the same fields; the key's touch goes
//                                  along with the verb
//   data-enrol="POST /v1/..."      asked for before both: a new key is made for the person whom the
//                                  field `data-person` names
//   data-next="/console/..."       where to go then, `{id}` of the answer; empty: this page again;
//                                  absent: nowhere
//   data-sure="..."                asked back before anything is sent
//
// and each enabled field by its name where its value goes: `a.b` is `b` in `a`. An empty optional
// field is left out.
//
//   data-type="number" or "hours"  a number; hours from now, in hundredths of a second since 1970
//   data-into="a.list"             a checked box or button adds the JSON of its value to that list
//   data-shows="id"                a radio button whose choice shows and enables that fieldset, and
//                                  hides those of its siblings

import { enrol } from "./enrol.js";
import { touch } from "./touch.js";
import { ask, Refusal } from "./verb.js";

/**
 * This machine's clock may be ahead of the box's, and the longest time that the box takes is asked
 * for often.
 */
const SLACK_CS = 6_000;

const TOUCH_NOW =
  "Touch your key now: it signs exactly what this page says. You have a minute.";

/** Puts a value where a dotted name says. */
function put(into, name, value) {
  const names = name.split(".");
  const last = names.pop();
  let at = into;
  for (const step of names) at = at[step] ??= {};
  at[last] = value;
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  const text = field.value.trim();
  if (field.dataset.type === "hours") {
    return Math.floor(Date.now() / 10) + Math.round(Number(text) * 360_000) - SLACK_CS;
  }
  if (field.dataset.type === "number") return Number(text);
  return text;
}

/** Adds the JSON of a checked box's value to the list that a dotted name says. */
function gather(into, field) {
  const names = field.dataset.into.split(".");
  const list = names.reduce((at, name, n) => (at[name] ??= n + 1 < names.length ? {} : []), into);
  if (field.checked && field.value) list.push(JSON.parse(field.value));
}

/** Whether a field has a value that goes along under its name. */
function isFilled(field) {
  if (!field.name || field.type === "file") return false;
  if (field.type === "radio" && !field.checked) return false;
  return field.value.trim() !== "" || field.required;
}

/** The JSON that a form's enabled fields make. */
export function fieldsOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (field.matches(":disabled, fieldset, button")) continue;
    if (field.dataset.into) gather(body, field);
    else if (isFilled(field)) put(body, field.name, valueOf(field));
  }
  return body;
}

/** A template's `{name}` replaced by the value of that field. */
function filled(template, form) {
  const valueIn = (name) => form.elements.namedItem(name)?.value.trim() ?? "";
  return template.replace(/\{([\w.]+)\}/g, (_, name) => encodeURIComponent(valueIn(name)));
}

/** Takes back what was refused before. */
export function clear(form) {
  for (const wrong of form.querySelectorAll(".wrong")) wrong.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    describe(field, (ids) => ids.filter((id) => !id.endsWith("-wrong")));
  }
  const place = form.querySelector(".refusal");
  if (place) {
    place.hidden = true;
    place.replaceChildren();
  }
}

function describe(field, change) {
  const ids = change((field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

/**
 * The field that a refusal is about; an attestation's refusal names all of them, so the first open
 * one is meant. What is gathered into a list has no one field: such a refusal is said for the form.
 */
function fieldOf(form, name) {
  if (!name) return null;
  const fields = Array.from(form.elements).filter((field) => {
    return !field.matches(":disabled") && field.name && field.type !== "hidden";
  });
  const under = fields.filter((field) => field.name === name || field.name.startsWith(`${name}.`));
  return under.find((field) => field.type !== "checkbox" || !field.checked) ?? null;
}

/** Says a refusal beside the form, at its field where it has one, and moves the focus there. */
export function show(form, refusal) {
  const place = form.querySelector(".refusal");
  const field = fieldOf(form, refusal.field);
  const words = `${refusal.message.charAt(0).toUpperCase()}${refusal.message.slice(1)}`;
  const said = document.createElement("p");
  said.textContent = /[.!?]$/.test(words) ? words : `${words}.`;
  if (field) {
    const wrong = said.cloneNode(true);
    wrong.className = "wrong";
    wrong.id = `${field.id}-wrong`;
    (field.closest(".field") ?? field.parentElement).append(wrong);
    field.setAttribute("aria-invalid", "true");
    describe(field, (ids) => [...ids, wrong.id]);
  }
  if (place) {
    place.replaceChildren(said);
    if (refusal.kind === "changed-meanwhile") place.append(again());
    if (refusal.status >= 500 && refusal.request) {
      const request = document.createElement("p");
      request.className = "small";
      request.textContent =
        `Request ${refusal.request}: the box's journal has the cause under this number.`;
      place.append(request);
    }
    place.hidden = false;
  }
  (field ?? place)?.focus();
}

function again() {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Look at it again";
  const line = document.createElement("p");
  line.append(link);
  return line;
}

/** Says what goes on, for eyes and ears. */
export function say(form, words, now = false) {
  const status = form.querySelector(".status");
  if (!status) return;
  status.textContent = words;
  status.classList.toggle("now", now);
}

/**
 * Sends a form once; a second press while it is under way does nothing. `more` is merged into its
 * fields.
 */
export async function send(form, more = {}) {
  if (form.dataset.sending) return undefined;
  if (form.dataset.sure && !window.confirm(form.dataset.sure)) return undefined;
  const buttons = form.querySelectorAll('button:not([type="button"])');
  form.dataset.sending = "yes";
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  clear(form);
  try {
    const { verb, challenge } = form.dataset;
    let body = { ...fieldsOf(form), ...more };
    body = await withNewKey(form, body);
    if (challenge) {
      say(form, TOUCH_NOW, true);
      body = { ...body, ...(await touch(filled(challenge, form), unlessEmpty(body))) };
    }
    say(form, "One moment.");
    const answer = await ask(filled(verb, form), unlessEmpty(body));
    say(form, "");
    go(form, answer);
    return answer ?? {};
  } catch (error) {
    say(form, "");
    if (!(error instanceof Refusal)) throw error;
    show(form, error);
    form.dispatchEvent(new CustomEvent("smrt:refused", { detail: error }));
    return undefined;
  } finally {
    delete form.dataset.sending;
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }
}

function unlessEmpty(body) {
  return Object.keys(body).length ? body : undefined;
}

/** The fields with a new key's registration, where the form makes one. */
async function withNewKey(form, body) {
  const { enrol: makes, person, enrolFields } = form.dataset;
  const name = makes && form.elements.namedItem(person)?.value.trim();
  if (!name || !wantsKey(form)) return body;
  say(form, "Touch the new key to make its credential.", true);
  const made = await enrol(filled(makes, form), enrolFields === "none" ? undefined : body, name);
  return withKey(form, body, made);
}

/** A form may leave it to a box whether a key is made. */
function wantsKey(form) {
  const asked = form.querySelector("[data-wants-key]");
  return !asked || asked.checked;
}

/**
 * The first key goes with its own challenge; an order carries the registration and names the
 * challenge beside.
 */
function withKey(form, body, { nonce, registration }) {
  if (form.dataset.enrolFields !== "none") return { ...body, nonce, registration };
  return { ...body, order: { ...body.order, registration }, key_nonce: nonce };
}

function go(form, answer) {
  const { next } = form.dataset;
  if (next === undefined) return;
  if (next === "") return void location.reload();
  const valueOf = (name) => encodeURIComponent(answer?.[name] ?? "");
  location.assign(next.replace(/\{(\w+)\}/g, (_, name) => valueOf(name)));
}

/** Shows what belongs to the chosen radio button, hides and disables what belongs to the others. */
function unfold(radio) {
  const group = `input[type="radio"][name="${radio.name}"][data-shows]`;
  for (const other of radio.form.querySelectorAll(group)) {
    const part = document.getElementById(other.dataset.shows);
    part.hidden = !other.checked;
    part.disabled = !other.checked;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-verb]");
  if (!form) return;
  event.preventDefault();
  // A module of the page may take a form into its own hands.
  if (!form.dispatchEvent(new CustomEvent("smrt:send", { cancelable: true }))) return;
  send(form);
});

document.addEventListener("change", (event) => {
  const group = event.target.name && event.target.type === "radio" ? event.target.form : null;
  if (group?.querySelector(`[name="${event.target.name}"][data-shows]`)) unfold(event.target);
});

for (const radio of document.querySelectorAll('input[type="radio"][data-shows]')) unfold(radio);
