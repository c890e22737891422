// Keys of the search box, and the theme. Pages work without any of it.
(() => {
  const root = document.documentElement;
  const kept = localStorage.getItem("suzani-theme");
  if (kept) root.dataset.theme = kept;

  const box = () => document.querySelector(".search input");
  const drop = () => document.querySelector(".search .drop");
  const options = () => [...document.querySelectorAll(".search .drop a.hit")];

  function activate(step) {
    const all = options();
    if (!all.length) return;
    const now = all.findIndex((option) => option.classList.contains("active"));
    const next = (now + step + all.length + (now < 0 && step < 0 ? 1 : 0)) % all.length;
    all.forEach((option, place) => option.classList.toggle("active", place === next));
    box().setAttribute("aria-activedescendant", all[next].id);
    all[next].scrollIntoView({ block: "nearest" });
  }

  function go() {
    const active = options().find((option) => option.classList.contains("active"));
    const text = box().value.trim();
    if (active) location.href = active.href;
    else if (text) location.href = "/search?q=" + encodeURIComponent(text);
  }

  const keys = {
    ArrowDown: () => activate(1),
    ArrowUp: () => activate(-1),
    Enter: go,
    Escape: () => { drop().classList.add("closed"); box().blur(); },
  };

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !field && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box()?.focus();
      box()?.select();
    } else if (event.target === box() && keys[event.key] && !event.isComposing) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  document.addEventListener("focusin", (event) => {
    drop()?.classList.toggle("closed", !event.target.closest(".search"));
  });
  document.addEventListener("input", () => drop()?.classList.remove("closed"));
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) drop()?.classList.add("closed");
    if (!event.target.closest(".theme")) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("suzani-theme", root.dataset.theme);
  });
})();
