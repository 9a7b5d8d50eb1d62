// Runs before the first paint, so that a chosen theme never flashes. A classic script: modules come too late.
(() => {
  const wish = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // storage may be forbidden: the system's wish decides
    }
    document.documentElement.dataset.theme = chosen ?? (wish.matches ? "dark" : "light");
  };
  apply();
  wish.addEventListener("change", apply);
})();
