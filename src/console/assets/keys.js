// Single keys for what is done all day. An element's `data-keys` names the keys that press it; '?'
// shows them all. They rest while somebody types, and can be switched off for good in the same
// dialogue.

const STORED = "smrt-keys-off";
const dialog = document.getElementById("keys");
const more = new Map();

/** Lets a page's module act on a key. */
export function on(key, act) {
  more.set(key, act);
}

function areOff() {
  return localStorage.getItem(STORED) === "yes";
}

/** Whether keys mean something to what has the focus. */
function isBusy(target, key) {
  if (target.closest("textarea, select, [contenteditable], dialog")) return true;
  const input = target.closest("input");
  if (!input) return false;
  const pressed = ["checkbox", "radio", "button", "file"].includes(input.type);
  // Arrows walk through radio buttons, and move a slider.
  return !pressed || key.startsWith("Arrow");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (document.documentElement.classList.contains("locked")) return;
  if (isBusy(event.target, event.key)) return;
  if (event.key === "?" && dialog) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  if (areOff()) return;
  const act = more.get(event.key);
  if (act) {
    event.preventDefault();
    act(event);
    return;
  }
  const withKeys = Array.from(document.querySelectorAll("[data-keys]"));
  const meant = withKeys.find(({ dataset }) => dataset.keys.split(" ").includes(event.key));
  if (!meant) return;
  event.preventDefault();
  meant.focus();
  meant.click();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
});

const off = document.getElementById("keys-off");
if (off) {
  off.checked = areOff();
  off.addEventListener("change", () => {
    if (off.checked) localStorage.setItem(STORED, "yes");
    else localStorage.removeItem(STORED);
  });
}
