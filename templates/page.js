
// What a step did is shown below its picture, for whoever has no pointer to hover with.
for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const column = event.target.closest("[data-note]");
    if (!column) return;
    const figure = column.closest("figure");
    figure.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
    column.classList.add("chosen");
    figure.querySelector("output").textContent = column.dataset.note;
  });
}
// What went wrong is at the end of a picture, which may be wider than the page.
document.querySelectorAll(".lanes .wide").forEach((wide) => { wide.scrollLeft = wide.scrollWidth; });
