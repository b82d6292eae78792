import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';

import { ago, duration, plural } from '../lib/format';
import page from '../pages/Page.module.css';
import { LoadProblem } from '../pages/parts';
import { LossCurve } from './Now';
import { operations } from './operations';
import type { Run } from './operations';
import classes from './TrainingPage.module.css';

const OUTCOME: Record<NonNullable<Run['outcome']>, { word: string; tone?: 'good' | 'attention' }> = {
  live: { word: 'went live', tone: 'good' },
  kept_out: { word: 'kept out' },
  failed: { word: 'failed', tone: 'attention' },
  cancelled: { word: 'cancelled' },
  tried: { word: 'tried' },
};
const WHY: Record<Run['trigger'], string> = { due: 'due', asked: 'asked for', tune: 'search' };

/** What was run, and what became of it. */
export function Runs(): JSX.Element {
  const runs = useQuery({ queryKey: ['operations', 'runs'], queryFn: operations.runs, refetchInterval: 5_000 });
  const ended = (runs.data ?? []).filter((run) => run.outcome !== null);
  return (
    <section className={page['section']} aria-labelledby="runs">
      <h2 id="runs" className={page['sectionTitle']}>
        Last runs
      </h2>
      {runs.error !== null && <LoadProblem what="The runs" error={runs.error} retry={() => void runs.refetch()} />}
      {runs.data !== undefined && ended.length === 0 && (
        <p className={page['note']}>None yet. Each training leaves a line here: how long it took, and why its model went live or did not.</p>
      )}
      {ended.length > 0 && (
        <ul className={classes['list']}>
          {ended.map((run) => (
            <li key={run.run}>
              <div>
                <div className={classes['head']}>
                  <strong>Run {run.run}</strong>
                  {run.outcome !== null && (
                    <span className={classes['tag']} data-tone={OUTCOME[run.outcome].tone}>
                      {OUTCOME[run.outcome].word}
                    </span>
                  )}
                </div>
                <p>{run.reason}</p>
                {run.curve.length > 1 && (
                  <details>
                    <summary className={classes['figures']}>Loss by epoch</summary>
                    <LossCurve curve={run.curve} />
                    <p>{run.curve.map(([epoch, loss]) => `${epoch}: ${loss.toFixed(4)}`).join(', ')}</p>
                  </details>
                )}
              </div>
              <span className={classes['figures']}>
                {WHY[run.trigger]}, {plural(run.samples, 'answer')}
                {run.seconds !== null && `, ${duration(run.seconds)}`}
                {run.ended_at !== null && `, ${ago(run.ended_at)}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What operators did, and why. */
export function Audit(): JSX.Element | null {
  const acts = useQuery({ queryKey: ['operations', 'audit'], queryFn: operations.audit });
  if (acts.data === undefined || acts.data.length === 0) return null;
  return (
    <section className={page['section']} aria-labelledby="audit">
      <h2 id="audit" className={page['sectionTitle']}>
        Who did what, and why
      </h2>
      <ul className={classes['list']}>
        {acts.data.map((act, index) => (
          <li key={index}>
            <div>
              <div className={classes['head']}>
                <strong>{act.action}</strong>
                <span className={classes['figures']}>{act.subject}</span>
              </div>
              <p>{act.reason}</p>
            </div>
            <span className={classes['figures']}>
              {act.actor}, {ago(act.at)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
