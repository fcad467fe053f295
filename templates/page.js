
// A tap or the focus shows the note of a step below its picture, for devices without a pointer.
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
// The failing step is at the end of a picture, which can be wider than the page.
document.querySelectorAll(".lanes .wide").forEach((wide) => { wide.scrollLeft = wide.scrollWidth; });
