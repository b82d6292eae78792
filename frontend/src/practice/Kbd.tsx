import type { JSX } from 'react';

import classes from './Practice.module.css';

/** The key that does the same as the button it stands in; not read out, not shown on touch screens. */
export function Kbd({ children, onAccent = false }: { children: string; onAccent?: boolean }): JSX.Element {
  return (
    <kbd className={classes['kbd']} data-on-accent={onAccent || undefined} aria-hidden="true">
      {children}
    </kbd>
  );
}
