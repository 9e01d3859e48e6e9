// Makes the page quicker to use; without it, the form still works.
"use strict";
const form = document.getElementById("choose");
const boxes = [...form.querySelectorAll('input[name="place"]')];
const count = document.getElementById("count");

function tell() {
  const chosen = boxes.filter((box) => box.checked).length;
  count.textContent = chosen ? `${chosen}地点を選択中` : "未選択";
  for (const region of form.querySelectorAll("details")) {
    const own = [...region.querySelectorAll("input")];
    const some = own.filter((box) => box.checked).length;
    region.querySelector("summary small").textContent = some ? `${some}/${own.length}` : `${own.length}`;
  }
}

// Whoever looks for a place means those that are shown.
function isShown(box) {
  return !box.closest("label").hidden;
}

form.addEventListener("change", tell);
for (const button of form.querySelectorAll("[data-select]")) {
  button.addEventListener("click", () => {
    const all = button.dataset.select === "all";
    for (const box of boxes) box.checked = all && (box.checked || isShown(box));
    tell();
  });
}
for (const button of form.querySelectorAll("[data-region]")) {
  button.addEventListener("click", () => {
    const own = [...button.parentElement.querySelectorAll("input")].filter(isShown);
    const all = own.every((box) => box.checked);
    for (const box of own) box.checked = !all;
    tell();
  });
}

// All places take a while; whoever comes back by the browser's button finds the form as it was.
const go = form.querySelector(".go");
const goes = go.textContent;
form.addEventListener("submit", () => {
  go.textContent = "作っています…";
  go.disabled = true;
});
window.addEventListener("pageshow", () => {
  go.textContent = goes;
  go.disabled = false;
});

const search = document.getElementById("search");
search.addEventListener("input", () => {
  const typed = search.value.trim();
  for (const region of form.querySelectorAll("details")) {
    let found = 0;
    for (const label of region.querySelectorAll("label")) {
      const hit = !typed || label.textContent.includes(typed) || label.dataset.reading.includes(typed);
      label.hidden = !hit;
      found += hit ? 1 : 0;
    }
    region.hidden = found === 0;
    if (typed) region.open = found > 0;
  }
  document.getElementById("nothing").hidden = boxes.some(isShown);
});
// Enter looks for a place and makes nothing; the only one found is chosen.
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  const found = boxes.filter(isShown);
  if (found.length === 1) {
    found[0].checked = true;
    tell();
  }
});

async function copy(text, button) {
  button.dataset.label ??= button.textContent;
  clearTimeout(button.dataset.timer);
  try {
    // Without HTTPS there is no clipboard, and a browser may refuse it, too.
    await navigator.clipboard.writeText(text);
    button.textContent = "コピーしました";
  } catch {
    button.textContent = "コピーできません（文字を選んでコピーしてください）";
  }
  button.dataset.timer = setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
}

// What was taken rests tomorrow, so the service must know.
async function take(row) {
  const told = row.querySelector(".taken");
  told.textContent = "";
  const id = row.dataset.id;
  const request = { method: "POST", headers: { "Content-Type": "application/json" } };
  let kept = false;
  try {
    kept = (await fetch("/take", { ...request, body: JSON.stringify({ location: row.dataset.place, id }) })).ok;
  } catch { /* said below */ }
  if (row.dataset.id === id) {
    told.textContent = kept ? "この候補を記録しました" : "この候補を記録できませんでした（コピーはできます）";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target;
  const row = button.closest?.("tr[data-comment]");
  if (button.id === "copy-all") {
    const rows = [...document.querySelectorAll("tr[data-comment]")];
    copy(rows.map((it) => `${it.dataset.place}\t${it.dataset.comment}`).join("\n"), button);
  } else if (row && button.matches(".copy")) {
    copy(row.dataset.comment, button);
  } else if (row && button.matches(".take")) {
    const shown = row.querySelector(".comment");
    const before = row.dataset.comment;
    row.dataset.comment = button.textContent;
    shown.textContent = button.textContent;
    button.textContent = before;
    [row.dataset.id, button.dataset.id] = [button.dataset.id, row.dataset.id];
    // The reasons go with the words.
    const [mine, its] = [row.querySelector(".why"), button.parentElement.querySelector(".why")];
    const reasons = [...its.children];
    its.replaceChildren(...mine.children);
    mine.replaceChildren(...reasons);
    row.querySelector(".length").textContent = `${[...row.dataset.comment].length - 1}文字`;
    take(row);
  }
});
tell();
