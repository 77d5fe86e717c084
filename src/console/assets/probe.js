// The probe's edits, from the closed list: crop, rotate, exposure, contrast, in this order. The box
// makes every picture, so that what is seen is what would be searched, to the byte; this page only
// says what is wanted. A face is chosen among those of the picture that is shown, and goes out with
// the edits of that picture: edits number the faces anew.

import { clear, say, send, show } from "./form.js";
import { ask, Refusal } from "./verb.js";

const WAIT_MS = 250;
const SVG = "http://www.w3.org/2000/svg";

const form = document.getElementById("choose");
const at = (id) => document.getElementById(id);

function numberIn(id) {
  const value = Number(at(id).value);
  return Number.isFinite(value) ? value : 0;
}

/** The edits as the box takes them; one that changes nothing is left out. */
function edits() {
  const list = [];
  if (at("crop-on").checked) {
    const [x, y, width, height] = ["crop-x", "crop-y", "crop-width", "crop-height"].map((id) => Math.round(numberIn(id)));
    list.push({ kind: "crop", x, y, width, height });
  }
  const tenths = Math.round(numberIn("rotate") * 10);
  const exposure = Math.round(numberIn("exposure") * 10);
  const contrast = Math.round(numberIn("contrast"));
  if (tenths) list.push({ kind: "rotate", tenths });
  if (exposure) list.push({ kind: "exposure", tenths: exposure });
  if (contrast) list.push({ kind: "contrast", hundredths: contrast });
  return list;
}

function rect(frame, name) {
  const element = document.createElementNS(SVG, "rect");
  const { x, y, width, height } = Array.isArray(frame) ? { x: frame[0], y: frame[1], width: frame[2], height: frame[3] } : frame;
  for (const [key, value] of Object.entries({ x, y, width, height })) element.setAttribute(key, value);
  if (name) element.setAttribute("class", name);
  return element;
}

function label(frame, number, high) {
  const element = document.createElementNS(SVG, "text");
  for (const [key, value] of Object.entries({ x: frame.x, y: frame.y - high / 96, "font-size": high / 24 })) element.setAttribute(key, value);
  element.textContent = number;
  return element;
}

let asked = 0;
let waiting;
/** The edits of the picture that is shown; none while another one is awaited. */
let shown = null;
/** What was chosen last: a face by its frame, and the crop and turn by which it has that frame. */
let chosen = null;

/** Of one place in a picture, and not of two people beside each other; tones move a frame by a pixel or two. */
const SAME_PLACE = 0.8;

/** What two frames share of what they cover together. */
function overlap(a, b) {
  const shared = (from, length) => Math.max(0, Math.min(a[from] + a[length], b[from] + b[length]) - Math.max(a[from], b[from]));
  const both = shared("x", "width") * shared("y", "height");
  return both / (a.width * a.height + b.width * b.height - both);
}

const geometry = (list) => JSON.stringify(list.filter(({ kind }) => kind === "crop" || kind === "rotate"));

/** Lists the faces of the picture that is shown. */
function list(faces) {
  const part = at("faces");
  const made = faces.map((face, number) => {
    const made = part.querySelector("template").content.cloneNode(true);
    const [input, name, picture, why] = ["input", "label", "img", "p"].map((kind) => made.querySelector(kind));
    input.id = name.htmlFor = `face-${number}`;
    input.value = number;
    input.checked = !face.unusable && chosen?.geometry === geometry(shown) && overlap(chosen.frame, face.frame) > SAME_PLACE;
    input.disabled = Boolean(face.unusable);
    input.addEventListener("change", () => {
      chosen = { geometry: geometry(shown), frame: face.frame };
    });
    name.textContent = `Face ${number + 1}`;
    picture.src = `data:image/jpeg;base64,${face.picture}`;
    picture.alt = `Face ${number + 1} of the photo as it would be searched`;
    if (face.unusable) {
      why.id = `face-${number}-why`;
      why.textContent = face.unusable;
      input.setAttribute("aria-describedby", why.id);
    } else why.remove();
    return made;
  });
  part.querySelector(".faces").replaceChildren(...made);
  part.disabled = false;
}

/** What was shown is no longer what would be searched. */
function stale() {
  shown = null;
  at("faces").disabled = true;
  say(form, "Making the picture as it would be searched.");
}

/** Has the box make the picture; only the newest one asked for is shown. */
async function preview() {
  clearTimeout(waiting);
  stale();
  const turn = ++asked;
  const wanted = edits();
  try {
    const seen = await ask(`POST ${form.dataset.preview}`, { edits: wanted });
    if (turn !== asked) return;
    clear(form);
    shown = wanted;
    at("edited").src = `data:image/jpeg;base64,${seen.picture}`;
    at("edited").alt = "The probe as it would be searched";
    const over = at("edited-faces");
    over.setAttribute("viewBox", `0 0 ${seen.width} ${seen.height}`);
    over.replaceChildren(
      ...seen.faces.flatMap(({ frame }, number) => [rect(frame), rect(frame, "over"), label(frame, number + 1, seen.height)]),
    );
    list(seen.faces);
    const count = seen.faces.length === 1 ? "1 face is seen" : `${seen.faces.length} faces are seen`;
    say(form, `${wanted.length ? "With these edits" : "Without edits"}, ${seen.width} × ${seen.height} px: ${count}.`);
  } catch (refusal) {
    if (turn !== asked) return;
    say(form, "");
    if (!(refusal instanceof Refusal)) throw refusal;
    show(form, refusal);
  }
}

function later() {
  stale();
  clearTimeout(waiting);
  waiting = setTimeout(preview, WAIT_MS);
}

function drawCrop() {
  const box = at("crop-box");
  const [x, y, width, height] = ["crop-x", "crop-y", "crop-width", "crop-height"].map(numberIn);
  box.replaceChildren();
  if (at("crop-on").checked) {
    const frame = { x, y, width, height };
    box.append(rect(frame), rect(frame, "crop"));
  }
}

/** A place on the screen in pixels of the original, held within it. */
function place(event) {
  const over = at("original-faces");
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(over.getScreenCTM().inverse());
  const { width, height } = over.viewBox.baseVal;
  return { x: Math.min(Math.max(point.x, 0), width), y: Math.min(Math.max(point.y, 0), height) };
}

function dragCrop() {
  const original = at("original");
  let from = null;
  original.addEventListener("pointerdown", (event) => {
    from = place(event);
    original.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  original.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    at("crop-on").checked = true;
    const [left, top] = [Math.min(from.x, to.x), Math.min(from.y, to.y)].map(Math.round);
    at("crop-x").value = left;
    at("crop-y").value = top;
    at("crop-width").value = Math.round(Math.max(from.x, to.x)) - left;
    at("crop-height").value = Math.round(Math.max(from.y, to.y)) - top;
    drawCrop();
  });
  original.addEventListener("pointerup", () => {
    from = null;
    if (at("crop-on").checked) later();
  });
}

/** A number and its slider say the same. */
function tie(name) {
  const [number, slider] = [at(name), at(`${name}-slider`)];
  slider.addEventListener("input", () => {
    number.value = slider.value;
    later();
  });
  number.addEventListener("input", () => {
    slider.value = number.value;
    later();
  });
}

if (form) {
  ["rotate", "exposure", "contrast"].forEach(tie);
  for (const id of ["crop-on", "crop-x", "crop-y", "crop-width", "crop-height"]) {
    at(id).addEventListener("input", () => {
      drawCrop();
      later();
    });
  }
  at("no-edits").addEventListener("click", () => {
    at("crop-on").checked = false;
    for (const name of ["rotate", "exposure", "contrast"]) at(name).value = at(`${name}-slider`).value = 0;
    drawCrop();
    preview();
  });
  dragCrop();
  drawCrop();
  if (at("faces").dataset.chosen) chosen = { geometry: geometry(edits()), frame: JSON.parse(at("faces").dataset.chosen) };
  form.addEventListener("smrt:send", (event) => {
    event.preventDefault();
    if (shown) send(form, { edits: shown });
    else say(form, "Wait for the picture as it would be searched, then choose a face of it.");
  });
  // A poor face is searched only with a reason, which is asked for when the box says so.
  form.addEventListener("smrt:refused", ({ detail }) => {
    if (detail.kind !== "poor-probe") return;
    const poor = at("poor");
    poor.hidden = false;
    poor.disabled = false;
    poor.querySelector("textarea").focus();
  });
  preview();
}
