// A probe on its way to the box: named by its digest first, then sent in pieces, each sealed when
// it is acknowledged. A connection that breaks costs one piece; the box says where to go on.

import { clear, say, show } from "./form.js";
import { ask, Refusal } from "./verb.js";

const TRIES_MAX = 5;
const PAUSE_MS = 1_000;

const form = document.getElementById("upload");
const file = document.getElementById("probe-file");
const bar = document.getElementById("sent");

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function mebibytes(bytes) {
  return (bytes / (1 << 20)).toFixed(1);
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

/**
 * Whether another try may end otherwise: the box was out of reach or busy, or has less than this
 * page thought.
 */
function mayPass(refusal) {
  return refusal instanceof Refusal && [0, 409, 503].includes(refusal.status);
}

async function sendPieces(base, probe, sha256, piece) {
  let { received } = await ask(`POST ${base}/upload`, { bytes: probe.size, sha256 });
  let tries = 0;
  while (received < probe.size) {
    bar.value = received;
    say(form, `${mebibytes(received)} of ${mebibytes(probe.size)} MiB have been received.`);
    try {
      const place = `offset=${received}&bytes=${probe.size}&sha256=${sha256}`;
      const next = probe.slice(received, received + piece);
      ({ received } = await ask(`PUT ${base}/upload?${place}`, next));
      tries = 0;
    } catch (refusal) {
      tries += 1;
      if (tries > TRIES_MAX || !mayPass(refusal)) throw refusal;
      say(form, "The connection broke. Going on from where the box says.");
      await pause(PAUSE_MS * tries);
      ({ received } = await ask(`POST ${base}/upload`, { bytes: probe.size, sha256 }));
    }
  }
  bar.value = probe.size;
}

/** Why a file isn't sent; nothing where it is. */
function wrongWith(probe, bytesMax) {
  if (!probe) return "Choose the photo's file first";
  if (probe.size > 0 && probe.size <= bytesMax) return null;
  const [found, most] = [probe.size, bytesMax].map(mebibytes);
  return `The file has ${found} MiB, wanted a photo of up to ${most} MiB`;
}

async function upload() {
  const probe = file.files[0];
  const { inquiry, revision, piece, bytesMax } = form.dataset;
  clear(form);
  const detail = wrongWith(probe, Number(bytesMax));
  if (detail) {
    show(form, new Refusal({ kind: "form", status: 0, field: "probe", detail }));
    return;
  }
  const base = `/v1/inquiries/${inquiry}`;
  bar.max = probe.size;
  bar.value = 0;
  say(form, "Computing the file's SHA-256.");
  const sha256 = hex(await crypto.subtle.digest("SHA-256", await probe.arrayBuffer()));
  document.getElementById("probe-sha256").textContent = sha256;
  await sendPieces(base, probe, sha256, Number(piece));
  say(form, "All of it is here. Looking for faces.");
  await ask(`POST ${base}/probe`, { revision: Number(revision), bytes: probe.size, sha256 });
  location.reload();
}

let under_way = false;
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (under_way) return;
  under_way = true;
  const button = form.querySelector("button");
  button.setAttribute("aria-disabled", "true");
  try {
    await upload();
  } catch (refusal) {
    say(form, "");
    if (!(refusal instanceof Refusal)) throw refusal;
    show(form, refusal);
  } finally {
    under_way = false;
    button.removeAttribute("aria-disabled");
  }
});
