import type { Forecast } from '../api';

const NBSP = '\u00a0';

/** A probability as whole per cent; 0 and 100 are kept for certainty, which no forecast has. */
export function percent(p: number): string {
  const rounded = Math.round(p * 100);
  if (rounded >= 100 && p < 1) return `99${NBSP}%`;
  if (rounded <= 0 && p > 0) return `1${NBSP}%`;
  return `${rounded}${NBSP}%`;
}

/** A share of counted things, where 100 % and 0 % do happen. */
export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((part / whole) * 100)}${NBSP}%`;
}

/** A probability in the words people use for chances: "about 7 in 10". */
export function chance(p: number): string {
  const tenths = Math.round(p * 10);
  if (tenths <= 0) return 'fewer than 1 in 10';
  if (tenths >= 10) return 'more than 9 in 10';
  if (tenths === 5) return 'about 1 in 2';
  return `about ${tenths} in 10`;
}

function roundedSeconds(seconds: number): number {
  if (seconds < 10) return Math.max(1, Math.round(seconds));
  if (seconds < 60) return Math.round(seconds / 5) * 5;
  return Math.round(seconds / 10) * 10;
}

/** A duration, in the unit that people would say it in. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}${NBSP}s`;
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))}${NBSP}s`;
  const minutes = seconds / 60;
  return `${minutes < 10 ? minutes.toFixed(1).replace(/\.0$/, '') : Math.round(minutes)}${NBSP}min`;
}

/** An interval of time: "40–90 s" or "2–5 min". */
export function timeRange(lowS: number, highS: number): string {
  if (highS <= 120) {
    const low = roundedSeconds(lowS);
    const high = Math.max(roundedSeconds(highS), low);
    return low === high ? `${low}${NBSP}s` : `${low}–${high}${NBSP}s`;
  }
  const low = Math.max(1, Math.round(lowS / 60));
  const high = Math.max(low, Math.round(highS / 60));
  const start = lowS < 50 ? `${roundedSeconds(lowS)}${NBSP}s to ` : `${low}–`;
  return low === high && lowS >= 50 ? `${low}${NBSP}min` : `${start}${high}${NBSP}min`;
}

/** A running clock: 0:07, 1:32. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** How much the forecast knows about this learner. */
export function acquaintance(forecast: Forecast): string {
  if (forecast.answers === 0) return "we don't know you yet";
  if (forecast.answers === 1) return 'from 1 answer of yours';
  return `from ${forecast.answers} answers of yours`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n}${NBSP}${n === 1 ? one : many}`;
}

/** A past moment in words; `now` in milliseconds. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${NBSP}min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${NBSP}h ago`;
  return plural(Math.floor(seconds / 86_400), 'day') + ' ago';
}

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
