// Dark by default, light for whoever asks for it in this browser. Runs before anything is drawn, so
// that no page flashes.

const STORED = "smrt-light";

/** Says on the document which of the two it is. */
function apply() {
  document.documentElement.classList.toggle("light", localStorage.getItem(STORED) === "yes");
}

document.addEventListener("change", ({ target }) => {
  if (target.id !== "light") return;
  if (target.checked) localStorage.setItem(STORED, "yes");
  else localStorage.removeItem(STORED);
  apply();
});

document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("light");
  if (box) box.checked = localStorage.getItem(STORED) === "yes";
});

apply();
