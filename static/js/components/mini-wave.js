/** Small still waveforms: `<canvas class="mini-wave" data-peaks="[…]">`. */

const BAR = 2;
const GAP = 1.5;

/**
 * How high a bar is that stands for a stretch of peaks: as the highest of them, bent so that quiet speech shows too.
 * @param {number[]} peaks @param {number} from share of the peaks where the stretch begins @param {number} to
 * @param {number} top what fills the whole height @returns {number} 0 to 1
 */
export function heightOf(peaks, from, to, top) {
  const first = Math.floor(from * peaks.length);
  const last = Math.max(first + 1, Math.floor(to * peaks.length));
  return (Math.max(...peaks.slice(first, last)) / top) ** 0.8;
}

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
    const size = Math.max(BAR, height * heightOf(peaks, bar / bars, (bar + 1) / bars, top));
    context.fillRect(bar * (BAR + GAP), (height - size) / 2, BAR, size);
  }
}

export function drawPeaks(root = document) {
  root.querySelectorAll("canvas.mini-wave").forEach(draw);
}

addEventListener("themechange", () => drawPeaks());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawPeaks());
