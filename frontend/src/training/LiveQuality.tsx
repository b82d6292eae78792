import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { JSX } from 'react';

import { percent, plural } from '../lib/format';
import page from '../pages/Page.module.css';
import { LoadProblem, Skeleton } from '../pages/parts';
import { operations } from './operations';
import type { Group, Quality } from './operations';
import classes from './TrainingPage.module.css';

const Reliability = lazy(() => import('../pages/charts').then((module) => ({ default: module.Reliability })));

const FEWEST_FOR_A_CHART = 20;
const KNOWN_ORDER = ['none', '1 to 4', '5 to 19', '20 to 99', '100 and more'];

const number = (value: number | null): string => (value === null ? '–' : value.toFixed(3));

function Table({ title, groups }: { title: string; groups: Group[] }): JSX.Element {
  return (
    <div className={classes['table']}>
      <table>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col">answers</th>
            <th scope="col">log loss (95 %)</th>
            <th scope="col">ECE</th>
            <th scope="col">by chance</th>
            <th scope="col">log-time error</th>
            <th scope="col">in the 80 % interval</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.name}>
              <td>{group.name}</td>
              <td>{group.n}</td>
              <td>
                {number(group.log_loss)}
                {group.log_loss_low !== null && group.log_loss_high !== null && ` (${number(group.log_loss_low)}–${number(group.log_loss_high)})`}
              </td>
              <td>{number(group.ece)}</td>
              <td>{number(group.ece_by_chance)}</td>
              <td>{number(group.log_time_rmse)}</td>
              <td>{group.coverage_80 === null ? '–' : `${percent(group.coverage_80)} of ${group.times}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Warnings({ quality }: { quality: Quality }): JSX.Element | null {
  if (quality.warnings.length === 0) return null;
  return (
    <div className={classes['warning']} role="status" data-testid="warnings">
      <strong>Look at this</strong>
      <ul>
        {quality.warnings.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </div>
  );
}

/** Every forecast that was shown, against what happened. */
export function LiveQuality(): JSX.Element {
  const quality = useQuery({ queryKey: ['operations', 'quality'], queryFn: operations.quality, refetchInterval: 30_000 });
  const { data } = quality;
  const bins = (data?.reliability ?? []).flatMap(({ low, high, n, p, correct }) =>
    p === null || correct === null ? [] : [{ low, high, n, forecast: p, observed: correct }],
  );
  const known = [...(data?.by_known ?? [])].sort((a, b) => KNOWN_ORDER.indexOf(a.name) - KNOWN_ORDER.indexOf(b.name));
  return (
    <section className={page['section']} aria-labelledby="quality">
      <h2 id="quality" className={page['sectionTitle']}>
        Forecasts against what happened
      </h2>
      {quality.isPending && <Skeleton height={160} />}
      {quality.error !== null && <LoadProblem what="The quality" error={quality.error} retry={() => void quality.refetch()} />}
      {data?.overall.n === 0 && (
        <p className={page['note']}>No forecast was answered in the last {data.days} days. Each one that is gets scored here.</p>
      )}
      {data !== undefined && data.overall.n > 0 && (
        <>
          <p className={page['note']}>
            {plural(data.overall.n, 'forecast')} of the last {data.days} days, each made before its answer. Log loss: lower is better, 0.693
            is a coin. ECE: how far forecasts lie from what happened, on average; “by chance” is what perfect forecasts would show here.
          </p>
          <Warnings quality={data} />
          {data.overall.n >= FEWEST_FOR_A_CHART && (
            <Suspense fallback={<Skeleton height={320} />}>
              <Reliability bins={bins} />
            </Suspense>
          )}
          <Table title="all" groups={[{ ...data.overall, name: 'all' }, ...data.by_version]} />
          <Table title="answers of the learner before" groups={known} />
          <Table title="topic" groups={data.by_topic} />
        </>
      )}
    </section>
  );
}
