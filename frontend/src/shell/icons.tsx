import type { JSX } from 'react';

const PATHS = {
  check: 'M4 10.5l4 4 8-9',
  cross: 'M5.5 5.5l9 9m0-9l-9 9',
  saved: 'M5.5 14.5a3.5 3.5 0 01-.3-7 5 5 0 019.5 1.2 3 3 0 01-.2 5.8zM7.8 11l1.7 1.6 2.9-3.2',
  saving: 'M5.5 14.5a3.5 3.5 0 01-.3-7 5 5 0 019.5 1.2 3 3 0 01-.2 5.8zM10 12.5V9m-1.6 1.4L10 8.8l1.6 1.6',
  offline: 'M3 3l14 14M6 7.4a3.5 3.5 0 00-.5 7.1h8M9 5.2a5 5 0 015.7 3.5 3 3 0 012 4.6',
  attention: 'M10 3.5l7 12.5H3zM10 8.5v3.2m0 2.2v.1',
  today: 'M3.5 9L10 3.5 16.5 9v7.5h-4.8V12H8.3v4.5H3.5z',
  practice: 'M4 15.8l.8-3.6L13.2 3.8l2.9 2.9-8.4 8.4zM11.5 5.5l2.9 2.9',
  insights: 'M3.5 16.5h13M6 13.5V9.5m4 4V4.5m4 9V7.5',
  training: 'M3.5 16.5h13M4.5 5c2.5 7 5 8.5 11.5 9M4.5 5v.1m3.5 6.6v.1',
  settings: 'M3.5 6h6.5m4 0h2.5M3.5 14H6m4 0h6.5M12 4v4M8 12v4',
  keep: 'M5 3.5h10v13l-5-3.5-5 3.5z',
  note: 'M10 5.5v5.5m0 3v.1',
  back: 'M12 4.5L6.5 10l5.5 5.5',
  plus: 'M10 4.5v11M4.5 10h11',
} as const;

export type IconName = keyof typeof PATHS;

/** A line icon of 20 × 20 px that says nothing to screen readers; a word always stands beside it. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
