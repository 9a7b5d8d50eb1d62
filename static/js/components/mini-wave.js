/** Small still waveforms: `<canvas class="mini-wave" data-peaks="[…]">`. */

const BAR = 2;
const GAP = 1.5;

/** @param {HTMLCanvasElement} canvas */
function draw(canvas) {
  const peaks = JSON.parse(canvas.dataset.peaks || "[]");
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !peaks.length) return;
  const ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = getComputedStyle(canvas).color;
  const bars = Math.floor(width / (BAR + GAP));
  const top = Math.max(...peaks, 1);
  for (let bar = 0; bar < bars; bar++) {
    const peak = peaks[Math.floor((bar * peaks.length) / bars)] / top;
    const size = Math.max(BAR, peak * height);
    context.fillRect(bar * (BAR + GAP), (height - size) / 2, BAR, size);
  }
}

export function drawPeaks(root = document) {
  root.querySelectorAll("canvas.mini-wave").forEach(draw);
}

addEventListener("themechange", () => drawPeaks());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawPeaks());
