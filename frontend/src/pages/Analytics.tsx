import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { JSX, ReactNode } from 'react';

import type { Insights } from '../api';
import { queries } from '../app';
import { capitalised, duration, percent, plural, share } from '../lib/format';
import classes from './Charts.module.css';
import page from './Page.module.css';
import { LoadProblem, Skeleton } from './parts';

const Reliability = lazy(() => import('./charts').then((module) => ({ default: module.Reliability })));

interface TopicBar {
  name: string;
  value: number;
  /** What stands at the end of the bar: figure and n. */
  label: string;
}

/** One bar a topic, labelled in words; a list, so it reads well without eyes, too. */
function TopicBars({ bars, most }: { bars: TopicBar[]; most: number }): JSX.Element {
  return (
    <ul className={classes['bars']}>
      {bars.map(({ name, value, label }) => (
        <li key={name}>
          <span>{name}</span>
          <span className={classes['bar']} aria-hidden="true">
            <i style={{ width: `${(value / most) * 100}%` }} />
          </span>
          <span className={classes['barLabel']}>{label}</span>
        </li>
      ))}
    </ul>
  );
}

/** Below this many scored forecasts a reliability chart shows noise. */
const FEWEST_FOR_RELIABILITY = 5;

function Figure(props: {
  title: string;
  caption: string;
  empty: string | null;
  height: number;
  head: string[];
  rows: (string | number)[][];
  children: ReactNode;
}): JSX.Element {
  const { title, caption, empty, height, head, rows, children } = props;
  return (
    <section className={classes['figure']} aria-label={title}>
      <h2>{title}</h2>
      <p className={classes['caption']}>{caption}</p>
      {empty !== null ? (
        <p className={classes['empty']}>{empty}</p>
      ) : (
        <>
          <div className={classes['chart']}>
            <Suspense fallback={<Skeleton height={height} />}>{children}</Suspense>
          </div>
          <details className={classes['table']}>
            <summary>As a table</summary>
            <div className={classes['scroll']}>
              <table>
                <thead>
                  <tr>
                    {head.map((cell) => (
                      <th key={cell} scope="col">
                        {cell}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row, index) => (
                    <tr key={index}>
                      {row.map((cell, at) => (
                        <td key={at}>{cell}</td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  );
}

function realitySentence(insights: Insights): string {
  const { expected_correct: expected, forecasts_scored: n } = insights;
  if (expected === null || n === 0) return 'Each forecast is compared with what happened.';
  const right = insights.reliability.reduce((sum, bin) => sum + Math.round(bin.observed * bin.n), 0);
  const times =
    insights.time_coverage_80 === null
      ? ''
      : ` ${percent(insights.time_coverage_80)} of your times fell inside their interval (80 % are meant to, n = ${insights.times_scored}).`;
  return `We expected ${expected.toFixed(1)} right answers; you gave ${right} (n = ${n}).${times} Points on the dashed line mean the forecast was right; larger points stand for more answers.`;
}

function Charts({ insights }: { insights: Insights }): JSX.Element {
  const topics = insights.topics.filter((topic) => topic.answers > 0).sort((a, b) => b.answers - a.answers);
  const timed = topics.filter((topic) => topic.timed > 0 && topic.median_time_s !== null);
  const longest = Math.max(1, ...timed.map((topic) => topic.median_time_s ?? 0));
  const bins = insights.reliability.filter((bin) => bin.n > 0);
  const missing = FEWEST_FOR_RELIABILITY - insights.forecasts_scored;
  return (
    <>
      <Figure
        title="How often you were right, by topic"
        caption={`Share of your answers that were right, over all time (n = ${insights.answers}).`}
        empty={null}
        height={topics.length * 40}
        head={['Topic', 'Right', 'Answers', 'Share', 'Forecast now']}
        rows={topics.map((topic) => [
          capitalised(topic.topic),
          topic.correct,
          topic.answers,
          share(topic.correct, topic.answers),
          topic.p_correct_now === null ? '–' : percent(topic.p_correct_now),
        ])}
      >
        <TopicBars
          most={1}
          bars={topics.map((topic) => ({
            name: capitalised(topic.topic),
            value: topic.correct / topic.answers,
            label: `${share(topic.correct, topic.answers)}, n = ${topic.answers}`,
          }))}
        />
      </Figure>
      <Figure
        title="How long a task takes you, by topic"
        caption={`Median of active time: only while the page is in view and you are at work (n = ${timed.reduce((sum, topic) => sum + topic.timed, 0)}).`}
        empty={timed.length === 0 ? 'After your first timed answer a chart appears here.' : null}
        height={timed.length * 40}
        head={['Topic', 'Median', 'Timed answers']}
        rows={timed.map((topic) => [capitalised(topic.topic), duration(topic.median_time_s ?? 0), topic.timed])}
      >
        <TopicBars
          most={longest}
          bars={timed.map((topic) => ({
            name: capitalised(topic.topic),
            value: topic.median_time_s ?? 0,
            label: `${duration(topic.median_time_s ?? 0)}, n = ${topic.timed}`,
          }))}
        />
      </Figure>
      <Figure
        title="Forecast against reality"
        caption={realitySentence(insights)}
        empty={
          missing > 0 ? `After ${plural(missing, 'more answer')} a chart appears here: how often we were right about you.` : null
        }
        height={320}
        head={['Forecast band', 'Mean forecast', 'You were right', 'Answers']}
        rows={bins.map((bin) => [`${percent(bin.low)} – ${percent(bin.high)}`, percent(bin.forecast), percent(bin.observed), bin.n])}
      >
        <Reliability bins={bins} />
      </Figure>
    </>
  );
}

/** What the log of answers says; nothing here is not computed from it. */
export function Analytics(): JSX.Element {
  const insights = useQuery(queries.insights);
  return (
    <>
      <h1 className={page['title']}>Insights</h1>
      <p className={page['lead']}>From your own answers alone. Every figure says how many it rests on.</p>
      {insights.isPending ? (
        <div style={{ marginTop: 32 }}>
          <Skeleton height={320} />
        </div>
      ) : insights.isError ? (
        <LoadProblem what="Your figures" error={insights.error} retry={() => void insights.refetch()} />
      ) : insights.data.answers === 0 ? (
        <section className={classes['figure']}>
          <h2>Nothing to show yet</h2>
          <p className={classes['caption']} style={{ marginBottom: 20 }}>
            After your first answers you will see here how often you are right, how long tasks take you, and whether our
            forecasts about you come true.
          </p>
          <Button component={Link} to="/dashboard/tasks">
            Answer a first task
          </Button>
        </section>
      ) : (
        <Charts insights={insights.data} />
      )}
    </>
  );
}
