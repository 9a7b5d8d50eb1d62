/** The segments' sounds: fetched and decoded when they are needed, and kept while they are near. */

import { readWav } from "./pcm.js";

const KEPT = 16;

/** The server did not answer; it may do so later. */
export class Unreachable extends Error {}

/** @param {string} url */
async function fetchSound(url) {
  // A segment that was made again has the same address: the server is asked whether ours is still the one (ETag).
  const answer = await fetch(url, { cache: "no-cache" }).catch((problem) => {
    throw new Unreachable(problem.message);
  });
  if (answer.status >= 500) throw new Unreachable(answer.statusText);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const bytes = await answer.arrayBuffer().catch((problem) => {
    throw new Unreachable(problem.message);
  });
  return readWav(bytes);
}

export class SegmentStore {
  /** @type {Map<number, AudioBuffer>} the one that was asked for last stands last */
  #sounds = new Map();

  /** @param {{audio_url: string | null}[]} segments */
  constructor(segments) {
    this.segments = segments;
  }

  /** @param {number} index of a segment that has been made @returns {Promise<AudioBuffer>} */
  async get(index) {
    const sound = this.#sounds.get(index) ?? (await fetchSound(this.segments[index].audio_url));
    this.#sounds.delete(index);
    this.#sounds.set(index, sound);
    for (const oldest of this.#sounds.keys()) {
      if (this.#sounds.size <= KEPT) break;
      this.#sounds.delete(oldest);
    }
    return sound;
  }

  /** A piece of a segment that is still being made: heard once. @param {string} url @returns {Promise<AudioBuffer>} */
  chunk(url) {
    return fetchSound(url);
  }

  /** A segment has been made anew. */
  forget(index) {
    this.#sounds.delete(index);
  }
}
