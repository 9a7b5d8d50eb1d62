/**
 * The portal's own WAV files (mono PCM16, synthesis/audio/wav.py) to samples, one for one.
 *
 * Not by decodeAudioData: it resamples every file by itself to the rate of its context, which bends the samples at
 * both ends of each segment, and browsers scale positive samples by 1/32767 or 1/32768 as they like.
 */

const NAMES = { riff: 0x52494646, wave: 0x57415645, fmt: 0x666d7420, data: 0x64617461 };

/** A file that is not what this module reads. */
export class NotOurs extends Error {}

/** @param {ArrayBuffer} bytes @returns {AudioBuffer} at the file's own rate */
export function readWav(bytes) {
  const view = new DataView(bytes);
  if (view.byteLength < 12 || view.getUint32(0) !== NAMES.riff || view.getUint32(8) !== NAMES.wave) throw new NotOurs("no WAV");
  const chunks = chunksOf(view);
  const rate = rateOf(view, chunks.get(NAMES.fmt));
  const { at, length } = chunks.get(NAMES.data) ?? { at: 0, length: 0 };
  if (length < 2) throw new NotOurs("no samples");
  const samples = Float32Array.from(new Int16Array(bytes, at, length >> 1), (sample) => sample / 32768);
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
  buffer.copyToChannel(samples, 0);
  return buffer;
}

/** Place and length in bytes of every chunk, by name. A file cut short counts as far as it goes. */
function chunksOf(view) {
  const chunks = new Map();
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const length = Math.min(view.getUint32(at + 4, true), view.byteLength - at - 8);
    chunks.set(view.getUint32(at), { at: at + 8, length });
    at += 8 + length + (length % 2);
  }
  return chunks;
}

function rateOf(view, chunk) {
  if (!chunk || chunk.length < 16) throw new NotOurs("no format");
  const [kind, channels, bits] = [0, 2, 14].map((offset) => view.getUint16(chunk.at + offset, true));
  if (kind !== 1 || channels !== 1 || bits !== 16) throw new NotOurs("not mono PCM16");
  return view.getUint32(chunk.at + 4, true);
}
