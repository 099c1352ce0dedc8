// Draws the charts: those near the screen first, the others when the browser is idle, all of them before printing.
(() => {
  "use strict";
  const PRINT_WIDTH = 900; // pixels: A4 less its margins, at the zoom of the print style
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const templates = read("templates");
  const waiting = new Set(document.querySelectorAll(".chart"));
  const drawn = new Set();
  const opened = new Set(); // for printing only
  const night = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => (night.matches ? templates.dark : templates.light);
  let loading;

  // The bar of links stays on top, as high as it needs to be: what a link leads to begins below it.
  const bar = document.querySelector("nav");
  new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 8}px`;
  }).observe(bar);

  async function load() {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // Where columns are too narrow for words, names stand upright and cells lose their numbers, which the table has.
  function fit({ data, layout }, width) {
    const column = (width - 140) / (layout.meta?.columns ?? 1);
    if (layout.annotations && column < 60) for (const words of layout.annotations) words.font.size = 8.5;
    if (layout.xaxis.side === "top" && column < 62) {
      layout.xaxis.ticktext = layout.meta.upright;
      layout.xaxis.tickangle = -90;
      layout.height += 6.5 * Math.max(...layout.meta.upright.map((name) => name.length)) - 40;
      if (column < 44) {
        data[0].texttemplate = "";
        data[0].colorbar.tickvals = [-2, 0, 2];
        data[0].colorbar.ticktext = ["-2 sd", "0", "+2 sd"];
      }
    }
  }

  function paint(chart, template, width) {
    const figure = read(chart.dataset.figure);
    fit(figure, width ?? chart.clientWidth);
    Object.assign(figure.layout, { template, width, autosize: width === undefined });
    const config = { responsive: width === undefined, displayModeBar: false, doubleClick: false };
    Plotly.react(chart, figure.data, figure.layout, config);
  }

  function draw(chart) {
    if (!waiting.delete(chart)) return;
    chart.replaceChildren();
    paint(chart, theme());
    drawn.add(chart);
  }

  function repaint(template, width) {
    for (const chart of drawn) paint(chart, template, width);
  }

  async function ready() {
    loading ??= load();
    await loading;
  }

  const idle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
  async function drawRest() {
    await ready();
    const [next] = waiting;
    if (next === undefined) {
      document.documentElement.dataset.charts = "drawn";
      return;
    }
    draw(next);
    idle(drawRest);
  }

  if (!("DecompressionStream" in window)) {
    for (const chart of waiting) chart.textContent = "Charts need a browser of 2023 or later. The tables say the same.";
    return;
  }
  const near = new IntersectionObserver(async (entries) => {
    await ready();
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
  }, { rootMargin: "300px" });
  for (const chart of waiting) near.observe(chart);
  idle(drawRest);

  night.addEventListener("change", () => repaint(theme()));
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not([open], .twin)")) {
      part.open = true;
      opened.add(part);
    }
    if (window.Plotly === undefined) return;
    for (const chart of [...waiting]) draw(chart);
    repaint(templates.light, PRINT_WIDTH);
  });
  addEventListener("afterprint", () => {
    for (const part of opened) part.open = false;
    opened.clear();
    repaint(theme());
  });
})();
