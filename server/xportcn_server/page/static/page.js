// Keeps the page fresh and counts down. Everything works without it.
"use strict";

const fresh = document.getElementById("fresh");

function countDown() {
  for (const clock of document.querySelectorAll("[data-until]")) {
    const left = Math.floor((Date.parse(clock.dataset.until) - Date.now()) / 1000);
    if (left > 0) {
      const shown = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      clock.textContent = clock.textContent.replace(/\d+:\d\d/, shown);
    } else {
      clock.textContent = clock.dataset.expired;
      // Not hidden: what stands below would move, perhaps under a finger.
      for (const button of clock.parentElement.querySelectorAll(".answers button")) button.disabled = true;
    }
  }
}

// What a form is about, whatever its token.
function subjectOf(form) {
  const fields = [...form.querySelectorAll("input[type=hidden]:not([name=token])")];
  return [form.getAttribute("action"), ...fields.map((field) => field.value)].join(" ");
}

async function refresh() {
  let text;
  try {
    const answer = await fetch(fresh.dataset.from, { credentials: "same-origin" });
    if (answer.status === 401) return window.location.reload();
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    return; // the server has ended, or begins again
  }
  const part = new DOMParser().parseFromString(text, "text/html").querySelector("[data-version]");
  const shown = fresh.querySelector("[data-version]");
  // What a person is about to press or fill in is not taken away.
  if (!part || part.dataset.version === shown.dataset.version) return;
  const fields = [...fresh.querySelectorAll("input:not([type=hidden])")];
  if (fields.some((field) => field === document.activeElement || field.value)) return;
  if (fresh.querySelector(".answers:hover")) return;
  const held = document.activeElement.closest("#fresh form");
  shown.replaceWith(document.adoptNode(part));
  countDown();
  const again = held && [...fresh.querySelectorAll("form")].find((form) => subjectOf(form) === subjectOf(held));
  if (again) again.querySelector("button").focus();
}

document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button")) button.disabled = true; // a double click
});
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
if (window.location.search) window.history.replaceState(null, "", "/");
if (fresh) {
  setInterval(countDown, 1000);
  setInterval(refresh, 3000);
  countDown();
}
