import { Button } from '@mantine/core';
import type { JSX } from 'react';

import type { Running, Training } from '../api';
import { duration, plural } from '../lib/format';
import page from '../pages/Page.module.css';
import { polyline, wordsOf } from './operations';
import type { Deed } from './operations';
import classes from './TrainingPage.module.css';

/** The loss of the network after each epoch; the figure beside it says the same in words. */
export function LossCurve({ curve }: { curve: [number, number][] }): JSX.Element | null {
  const first = curve[0];
  const last = curve[curve.length - 1];
  if (first === undefined || last === undefined || curve.length < 2) return null;
  const label = `Loss of the network: ${first[1].toFixed(3)} after epoch ${first[0]}, ${last[1].toFixed(3)} after epoch ${last[0]}`;
  return (
    <svg className={classes['curve']} viewBox="0 0 600 96" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={polyline(curve, 600, 96)} />
    </svg>
  );
}

function Live({ running }: { running: Running }): JSX.Element {
  return (
    <>
      <div
        className={classes['progress']}
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(running.fraction * 100)}
      >
        <i style={{ width: `${running.fraction * 100}%` }} />
      </div>
      <div className={classes['facts']}>
        <span>{running.phase}</span>
        {running.epoch !== null && <span>epoch {running.epoch}</span>}
        {running.loss !== null && <span>loss {running.loss.toFixed(4)}</span>}
        {running.seconds_left !== null && <span>about {duration(running.seconds_left)} left</span>}
      </div>
      <LossCurve curve={running.curve} />
    </>
  );
}

/** The counter, the run under way, and what may be done about them. */
export function Now({ training, ask }: { training: Training; ask: (deed: Deed) => void }): JSX.Element {
  const { running, paused, threshold, completed_since_training: count, worker_alive: alive } = training;
  const deeds: Deed[] = [
    ...(running === null ? [{ what: 'run' } as const] : [{ what: 'cancel' } as const]),
    paused ? { what: 'resume' } : { what: 'pause' },
  ];
  const title =
    running !== null
      ? `Run ${running.run} is under way`
      : paused
        ? 'Training is paused'
        : `${Math.min(count, threshold)} of ${plural(threshold, 'answer')} until the next training`;
  return (
    <section className={`${page['card']} ${classes['now']}`} aria-labelledby="now" data-testid="training-now">
      <div className={page['hero']} style={{ marginTop: 0 }}>
        <div>
          <h2 id="now">{title}</h2>
          <p>
            {running !== null && `${count} more since it began. `}
            {paused && `${plural(count, 'answer')} waiting. `}
            {plural(training.total_completed, 'answer')} in all.{' '}
            {alive ? 'The worker is there.' : 'No worker is there: nothing will train until one is.'}
          </p>
        </div>
        <div className={classes['actions']}>
          {deeds.map((deed) => (
            <Button key={deed.what} variant="default" onClick={() => ask(deed)} data-testid={`do-${deed.what}`}>
              {wordsOf(deed).button}
            </Button>
          ))}
        </div>
      </div>
      {running !== null && <Live running={running} />}
    </section>
  );
}
