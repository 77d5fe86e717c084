// Probe and candidate side by side, over each other with a line between them, or in turns. Both
// follow one zoom, pan and rotation; one of them alone can be laid upon the other first. Nothing
// here measures: no rulers, no grids, no numbers of a face.

import { on } from "./keys.js";

const ZOOM_STEP = 1.15;
const TURN_STEP = 1;
const PAN_STEP_PX = 40;
const BLINK_MS = 700;
const FACE_SHARE = 0.62;
const STORED = "smrt-compare-mode";

const viewer = document.getElementById("viewer");
const panes = viewer ? Array.from(viewer.querySelectorAll(".pane")) : [];
const images = panes.map((pane) => pane.querySelector("img"));
const still = matchMedia("(prefers-reduced-motion: reduce)");
const fresh = () => ({ zoom: 1, x: 0, y: 0, turn: 0 });

const view = { both: fresh(), own: [fresh(), fresh()], moves: "both", mode: "side" };
let blinking;

/** What moves: both, or the one that is being laid upon the other. */
function moved() {
  return view.moves === "both" ? view.both : view.own[Number(view.moves)];
}

/**
 * Where an image's face, or its middle, is, and how much of a pane it fills at zoom 1.
 * Units: pixels of the image as shown.
 */
function rest(image, pane) {
  const [wide, high] = [image.naturalWidth, image.naturalHeight];
  const { width, height } = pane.getBoundingClientRect();
  const frame = image.dataset.frame?.split(" ").map(Number);
  const px = image.dataset.px?.split(" ").map(Number);
  if (!frame || !px) {
    return { x: wide / 2, y: high / 2, scale: Math.min(width / wide, height / high) };
  }
  // The box may show a smaller picture than the one in which the face was found.
  const shown = wide / px[0];
  const [x, y, across, down] = frame.map((value) => value * shown);
  const scale = (FACE_SHARE * Math.min(width, height)) / Math.max(across, down);
  return { x: x + across / 2, y: y + down / 2, scale };
}

function draw() {
  const { both } = view;
  images.forEach((image, n) => {
    if (!image || !image.naturalWidth) return;
    const pane = panes[n];
    const own = view.own[n];
    const { x, y, scale } = rest(image, pane);
    const { width, height } = pane.getBoundingClientRect();
    image.style.transform = [
      `translate(${width / 2 + both.x}px, ${height / 2 + both.y}px)`,
      `rotate(${both.turn}deg) scale(${both.zoom})`,
      `translate(${own.x}px, ${own.y}px) rotate(${own.turn}deg) scale(${own.zoom})`,
      `scale(${scale}) translate(${-x}px, ${-y}px)`,
    ].join(" ");
  });
}

function zoom(by, place = { x: 0, y: 0 }) {
  const at = moved();
  const next = Math.min(Math.max(at.zoom * by, 0.2), 20);
  // What lies under the pointer stays there.
  if (view.moves === "both") {
    at.x = place.x - ((place.x - at.x) * next) / at.zoom;
    at.y = place.y - ((place.y - at.y) * next) / at.zoom;
  }
  at.zoom = next;
  draw();
}

function pan(x, y) {
  const at = moved();
  const { both } = view;
  if (view.moves === "both") {
    at.x += x;
    at.y += y;
  } else {
    // A picture of its own moves in the frame that both have in common.
    const angle = (-both.turn * Math.PI) / 180;
    at.x += (x * Math.cos(angle) - y * Math.sin(angle)) / both.zoom;
    at.y += (x * Math.sin(angle) + y * Math.cos(angle)) / both.zoom;
  }
  draw();
}

function turn(by) {
  moved().turn += by;
  draw();
}

function reset() {
  Object.assign(view.both, fresh());
  view.own.forEach((own) => Object.assign(own, fresh()));
  draw();
}

function press(group, value) {
  for (const button of document.querySelectorAll(`[data-${group}]`)) {
    button.setAttribute("aria-pressed", String(button.dataset[group] === value));
  }
}

function show(mode) {
  view.mode = mode;
  sessionStorage.setItem(STORED, mode);
  viewer.classList.toggle("over", mode !== "side");
  viewer.classList.toggle("blink", mode === "blink");
  viewer.classList.remove("other");
  document.getElementById("swipe-tool").classList.toggle("held", mode !== "swipe");
  clearInterval(blinking);
  if (mode === "blink" && !still.matches) {
    blinking = setInterval(() => viewer.classList.toggle("other"), BLINK_MS);
  }
  press("mode", mode);
  draw();
}

/** In turns by itself, or one step a press where nothing may move by itself. */
function blink() {
  if (view.mode === "blink" && still.matches) viewer.classList.toggle("other");
  else show(view.mode === "blink" ? "side" : "blink");
}

function move(which) {
  view.moves = which;
  press("moves", which);
}

/** Where the pointer is, from the middle of the pane that it is in. */
function placeIn(event) {
  const below = document.elementsFromPoint(event.clientX, event.clientY);
  const pane = below.map((each) => each.closest(".pane")).find(Boolean) ?? panes[0];
  const { left, top, width, height } = pane.getBoundingClientRect();
  return { x: event.clientX - left - width / 2, y: event.clientY - top - height / 2 };
}

function drag() {
  let from = null;
  viewer.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX, y: event.clientY };
    viewer.setPointerCapture(event.pointerId);
  });
  viewer.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    from = { x: event.clientX, y: event.clientY };
    if (event.shiftKey) turn(x / 4);
    else pan(x, y);
  });
  viewer.addEventListener("pointerup", () => {
    from = null;
  });
  // For those who can't drag.
  viewer.addEventListener("dblclick", (event) => {
    const { x, y } = placeIn(event);
    pan(-x, -y);
  });
  const wheel = (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, placeIn(event));
  };
  viewer.addEventListener("wheel", wheel, { passive: false });
}

/** Left and right go to the candidates beside, with shift they pan. */
function arrow(key, x, y, rel) {
  on(key, (event) => {
    if (event.shiftKey) pan(x * PAN_STEP_PX, y * PAN_STEP_PX);
    else if (rel) document.querySelector(`a[rel="${rel}"]`)?.click();
  });
}

if (viewer) {
  const tools = {
    in: () => zoom(ZOOM_STEP),
    out: () => zoom(1 / ZOOM_STEP),
    left: () => turn(-TURN_STEP),
    right: () => turn(TURN_STEP),
    reset,
  };
  document.addEventListener("click", (event) => {
    const { tool, mode, moves } = event.target.closest("button")?.dataset ?? {};
    if (tool) tools[tool]();
    if (mode === "blink") blink();
    else if (mode) show(mode);
    if (moves) move(moves);
  });
  document.getElementById("swipe").addEventListener("input", (event) => {
    viewer.style.setProperty("--swipe", `${event.target.value}%`);
  });
  arrow("ArrowRight", -1, 0, "next");
  arrow("ArrowLeft", 1, 0, "prev");
  arrow("ArrowUp", 0, 1, "prev");
  arrow("ArrowDown", 0, -1, "next");
  on("m", () => move(String({ both: 0, 0: 1, 1: "both" }[view.moves])));
  drag();
  images.forEach((image) => image?.addEventListener("load", draw));
  new ResizeObserver(draw).observe(viewer);
  const kept = sessionStorage.getItem(STORED);
  show(["side", "swipe", "blink"].includes(kept) ? kept : "side");
  draw();
}

// What was noted, and the way to a feature by its name.

const judged = document.getElementById("judge");

function count() {
  const of = (seen) => {
    return judged.querySelectorAll(`.feature input:checked[data-seen="${seen}"]`).length;
  };
  const [alike, different] = [of("similarity"), of("difference")];
  document.getElementById("noted").textContent = `${alike} alike, ${different} different`;
}

function find(words) {
  const wanted = words.trim().toLowerCase();
  for (const component of judged.querySelectorAll(".component")) {
    let any = false;
    for (const feature of component.querySelectorAll(".feature")) {
      const text = `${component.dataset.words} ${feature.dataset.words}`;
      feature.hidden = wanted !== "" && !text.includes(wanted);
      any ||= !feature.hidden;
    }
    component.hidden = !any;
  }
}

if (judged) {
  judged.addEventListener("change", count);
  const field = document.getElementById("find-feature");
  field.addEventListener("input", () => find(field.value));
  count();
}
