// The probe's edits, from the closed list: crop, rotate, exposure, contrast, in this order. The box
// makes every picture, so that what is seen is what would be searched, to the byte; this page only
// says what is wanted. A face is chosen among those of the picture that is shown, and goes out with
// the edits of that picture: edits number the faces anew.

import { clear, say, send, show } from "./form.js";
import { ask, Refusal } from "./verb.js";

const WAIT_MS = 250;
const SVG = "http://www.w3.org/2000/svg";

const CROP = ["crop-x", "crop-y", "crop-width", "crop-height"];

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
    const [x, y, width, height] = CROP.map((id) => Math.round(numberIn(id)));
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

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function rect({ x, y, width, height }, name) {
  return drawn("rect", { x, y, width, height, ...(name ? { class: name } : {}) });
}

function label(frame, number, high) {
  const element = drawn("text", {
    x: frame.x,
    y: frame.y - high / 96,
    "font-size": high / 24,
  });
  element.textContent = number;
  return element;
}

let asked = 0;
let waiting;
/** The edits of the picture that is shown; none while another one is awaited. */
let shown = null;
/** What was chosen last: a face by its frame, and the crop and turn by which it has that frame. */
let chosen = null;

/**
 * Of one place in a picture, and not of two people beside each other; tones move a frame by a pixel
 * or two.
 */
const SAME_PLACE = 0.8;

/** What two frames share of what they cover together. */
function overlap(a, b) {
  const shared = (from, length) => {
    const begin = Math.max(a[from], b[from]);
    const end = Math.min(a[from] + a[length], b[from] + b[length]);
    return Math.max(0, end - begin);
  };
  const both = shared("x", "width") * shared("y", "height");
  return both / (a.width * a.height + b.width * b.height - both);
}

/** Those edits by which a face lies somewhere else in the picture. */
function geometry(list) {
  return JSON.stringify(list.filter(({ kind }) => kind === "crop" || kind === "rotate"));
}

/** Whether a face of the picture that is shown is the one that was chosen last. */
function wasChosen(face) {
  if (face.unusable || chosen?.geometry !== geometry(shown)) return false;
  return overlap(chosen.frame, face.frame) > SAME_PLACE;
}

/** A face in the list, which can be chosen unless the box says why not. */
function listed(face, number) {
  const made = at("faces").querySelector("template").content.cloneNode(true);
  const parts = ["input", "label", "img", "p"].map((kind) => made.querySelector(kind));
  const [input, name, picture, why] = parts;
  input.id = name.htmlFor = `face-${number}`;
  input.value = number;
  input.checked = wasChosen(face);
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
}

/** Lists the faces of the picture that is shown. */
function list(faces) {
  const part = at("faces");
  part.querySelector(".faces").replaceChildren(...faces.map(listed));
  part.disabled = false;
}

/** What was shown is no longer what would be searched. */
function stale() {
  shown = null;
  at("faces").disabled = true;
  say(form, "Making the picture as it would be searched.");
}

/** Shows the picture that the box made, its faces framed and numbered. */
function draw({ picture, width, height, faces }) {
  at("edited").src = `data:image/jpeg;base64,${picture}`;
  at("edited").alt = "The probe as it would be searched";
  const over = at("edited-faces");
  over.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const framed = ({ frame }, number) => {
    return [rect(frame), rect(frame, "over"), label(frame, number + 1, height)];
  };
  over.replaceChildren(...faces.flatMap(framed));
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
    draw(seen);
    list(seen.faces);
    const many = seen.faces.length;
    const count = many === 1 ? "1 face is seen" : `${many} faces are seen`;
    const how = wanted.length ? "With these edits" : "Without edits";
    say(form, `${how}, ${seen.width} × ${seen.height} px: ${count}.`);
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
  const [x, y, width, height] = CROP.map(numberIn);
  box.replaceChildren();
  if (at("crop-on").checked) {
    const frame = { x, y, width, height };
    box.append(rect(frame), rect(frame, "crop"));
  }
}

/** A place on the screen in pixels of the original, held within it. */
function place(event) {
  const over = at("original-faces");
  const onScreen = new DOMPoint(event.clientX, event.clientY);
  const point = onScreen.matrixTransform(over.getScreenCTM().inverse());
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
  for (const id of ["crop-on", ...CROP]) {
    at(id).addEventListener("input", () => {
      drawCrop();
      later();
    });
  }
  at("no-edits").addEventListener("click", () => {
    at("crop-on").checked = false;
    for (const name of ["rotate", "exposure", "contrast"]) {
      at(name).value = at(`${name}-slider`).value = 0;
    }
    drawCrop();
    preview();
  });
  dragCrop();
  drawCrop();
  const kept = at("faces").dataset.chosen;
  if (kept) chosen = { geometry: geometry(edits()), frame: JSON.parse(kept) };
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
