import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ErrorComponentProps } from '@tanstack/react-router';
import type { JSX } from 'react';

import classes from './Shell.module.css';

export function NotFound(): JSX.Element {
  return (
    <div className={classes['centre']}>
      <h1>There is no page here</h1>
      <p className={classes['muted']}>The address may have changed. Nothing of yours is lost.</p>
      <Button component={Link} to="/dashboard">
        Go to today
      </Button>
    </div>
  );
}

export function Failed({ error }: ErrorComponentProps): JSX.Element {
  return (
    <div className={classes['centre']} role="alert">
      <h1>This page could not be shown</h1>
      <p className={classes['muted']}>
        Your answers are safe: they are kept in this browser until the server has them. ({error instanceof Error ? error.message : 'unknown cause'})
      </p>
      <Button onClick={() => location.reload()}>Load it again</Button>
    </div>
  );
}
