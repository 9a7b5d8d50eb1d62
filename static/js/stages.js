/** How far each stage of a job is. The same rule as synthesis/web/stages.py. */

import { Stage, Status } from "./vocabulary.js";

const MAX_STEP_GAP_S = 60;

/** @param {{status: string, stage: string, step: number, segments_total: number}} job @returns {Record<string, number>} */
export function stageShares({ status, stage, step, segments_total }) {
  const all = (share) => Object.fromEntries(Object.values(Stage).map((name) => [name, share]));
  if (status === Status.COMPLETED) return all(1);
  if (!stage || step < 1) return all(0);
  const whole = Math.max(1, segments_total);
  const passed = Math.max(0, step - 2);
  const done = Math.floor(passed / 2);
  const saving = stage === Stage.SAVE;
  const share = (count) => (saving ? 1 : step > 1 ? Math.min(1, count / whole) : 0);
  return {
    [Stage.EXTRACT]: step === 1 ? 0 : 1,
    [Stage.ACOUSTIC]: share(done + (passed % 2)),
    [Stage.VOCODER]: share(done),
    [Stage.SAVE]: 0,
  };
}

/** Seconds spent in each stage: from each progress to the next counts for the stage of the first, without pauses. */
export class StageClock {
  /** @type {{at: number, stage: string} | null} */
  #last;

  /** @param {{seconds: Record<string, number>, at: number, stage: string | null}} first as the server counted so far */
  constructor({ seconds, at, stage }) {
    this.seconds = { ...seconds };
    this.#last = stage ? { at, stage } : null;
  }

  /** @param {any} frame */
  hear(frame) {
    if (frame.status !== Status.RUNNING) this.#last = null;
    else if (frame.kind === "progress") {
      const gap = this.#last ? frame.at - this.#last.at : 0;
      if (gap > 0 && gap <= MAX_STEP_GAP_S) this.seconds[this.#last.stage] += gap;
      this.#last = { at: frame.at, stage: frame.stage };
    }
  }
}
