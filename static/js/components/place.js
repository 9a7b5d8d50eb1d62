/** Places in the queue in words, as synthesis/web/places.py says them. */

import { plural, span } from "../format.js";
import { t } from "../messages.js";

/** @param {number} position jobs ahead @param {number | null | undefined} seconds until it starts; null: nobody can tell */
export function placeText(position, seconds) {
  if (!position) return seconds ? t("next_eta", { time: span(seconds) }) : t("next");
  if (seconds == null) return t(`ahead.${plural(position)}`, { count: position });
  return t(`ahead_eta.${plural(position)}`, { count: position, time: span(seconds) });
}
