import { Button } from '@mantine/core';
import type { JSX } from 'react';

import classes from './Page.module.css';

/** Holds the place of something that is on its way. */
export function Skeleton({ height }: { height: number }): JSX.Element {
  return <div className={classes['skeleton']} style={{ height }} aria-hidden="true" />;
}

/** What could not be loaded, what was kept, and the way out. */
export function LoadProblem({ what, error, retry }: { what: string; error: Error; retry: () => void }): JSX.Element {
  return (
    <div className={classes['problem']} role="alert">
      <span>
        {what} could not be loaded: {error.message} Your answers are not affected.
      </span>
      <Button size="xs" variant="default" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}
