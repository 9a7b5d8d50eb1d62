/** Numbers as people read them. */

import { t } from "./messages.js";

const locale = document.documentElement.lang;

/** @param {number | null | undefined} seconds `75.4` as `1:15` */
export function clock(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {number | null | undefined} seconds short spans in seconds, long ones as a clock */
export function span(seconds) {
  if (seconds == null) return "–";
  return seconds < 60 ? t("seconds", { seconds: Math.max(1, Math.round(seconds)) }) : clock(seconds);
}

/** @param {number} seconds `3.24` as `3.2 s` */
export function seconds(seconds) {
  return t("seconds", { seconds: seconds.toFixed(1) });
}

/** @param {number} share rounded down: 100 is for what is finished */
export function percent(share) {
  return Math.floor(share * 100 + 1e-9);
}

/** @param {number} count */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1024 ** power;
  return `${value.toFixed(power && value < 100 ? 1 : 0)} ${units[power]}`;
}

/** @param {number} count with separators of thousands */
export function whole(count) {
  return count.toLocaleString(locale);
}

/** @param {number} timestamp Unix seconds as `14:30:52.120` */
export function logTime(timestamp) {
  const date = new Date(timestamp * 1000);
  return `${date.toLocaleTimeString("en-GB", { hour12: false })}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** @param {string} moment ISO 8601, shown in the reader's time zone: the time alone if it was today */
export function moment(moment) {
  const date = new Date(moment);
  const today = date.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  return date.toLocaleString(locale, today ? time : { year: "numeric", month: "numeric", day: "numeric", ...time });
}

/** @param {string} code `zh` as the reader's word for Chinese */
export function language(code) {
  return t(`language.${code || "unknown"}`);
}

const rules = new Intl.PluralRules(locale);

/** @param {number} count @returns {"one" | "other"} which form of a word goes with it: our languages know no others */
export function plural(count) {
  return rules.select(count) === "one" ? "one" : "other";
}
