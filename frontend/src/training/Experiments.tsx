import { Button, NativeSelect, TextInput } from '@mantine/core';
import '@mantine/core/styles/Input.css';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { JSX } from 'react';

import { ago, plural } from '../lib/format';
import page from '../pages/Page.module.css';
import { LoadProblem } from '../pages/parts';
import { armChoices, armOf, band, operations } from './operations';
import type { Deed, Experiment, ExperimentInFull } from './operations';
import classes from './TrainingPage.module.css';

const number = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3));

function Path({ arm, control, path }: { arm: string; control: string; path: [number, number, number, number][] }): JSX.Element | null {
  const last = path[path.length - 1];
  const shape = band(path, 600, 120);
  if (last === undefined || shape === null) return null;
  const [answers, mean, low, high] = last;
  const words = `${mean.toFixed(4)}, from ${low.toFixed(4)} to ${high.toFixed(4)}, after ${plural(answers, 'answer')}`;
  return (
    <>
      <svg className={classes['band']} viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label={`Loss of ${arm} less that of ${control}: ${words}`}>
        <polygon points={shape.area} />
        <line x1="0" x2="600" y1={shape.zero} y2={shape.zero} />
        <polyline points={shape.line} />
      </svg>
      <p className={page['note']}>
        Loss of {arm} less that of {control}, as answers came: {words}. The dashed line is no difference; below it {arm} is better.
      </p>
    </>
  );
}

function Found({ found }: { found: ExperimentInFull }): JSX.Element {
  const control = found.arms[0]?.name ?? '';
  return (
    <>
      {found.waiting !== null && <p className={classes['warning']}>Nobody is in it at the moment: {found.waiting}.</p>}
      {Object.entries(found.paths).map(([arm, path]) => (
        <Path key={arm} arm={arm} control={control} path={path} />
      ))}
      <div className={classes['table']}>
        <table>
          <thead>
            <tr>
              <th scope="col">arm</th>
              <th scope="col">learners shown</th>
              <th scope="col">their answers</th>
              <th scope="col">log loss of all</th>
              <th scope="col">ECE</th>
              <th scope="col">log-time error</th>
            </tr>
          </thead>
          <tbody>
            {found.arms_found.map((arm) => (
              <tr key={arm.name}>
                <td>{arm.name}</td>
                <td>{arm.learners}</td>
                <td>{arm.answers}</td>
                <td>{number(arm.scores.log_loss)}</td>
                <td>{number(arm.scores.ece)}</td>
                <td>{number(arm.scores.log_time_rmse)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={page['note']}>
        Fixed at the start: decided from {plural(found.plan.at_least, 'answer')} on; ends when the interval leaves zero or lies within{' '}
        {found.plan.margin} of it, after {plural(found.plan.at_most, 'answer')}, or after {plural(found.plan.days, 'day')}. The interval holds
        however often you look.
      </p>
    </>
  );
}

function One({ experiment, open, ask }: { experiment: Experiment; open: boolean; ask: (deed: Deed) => void }): JSX.Element {
  const found = useQuery({
    queryKey: ['operations', 'experiments', experiment.name],
    queryFn: () => operations.experiment(experiment.name),
    enabled: open,
    refetchInterval: experiment.stopped_at === null ? 10_000 : false,
  });
  const running = experiment.stopped_at === null;
  return (
    <li data-testid={`experiment-${experiment.name}`}>
      <div>
        <div className={classes['head']}>
          <strong>{experiment.name}</strong>
          <span className={classes['tag']} data-tone={running ? 'good' : undefined}>
            {running ? 'under way' : `ended ${ago(experiment.stopped_at ?? experiment.started_at)}`}
          </span>
        </div>
        <p>{found.data?.sentence ?? experiment.sentence ?? experiment.arms.map((arm) => arm.name).join(' against ')}</p>
        {found.error !== null && <LoadProblem what="The experiment" error={found.error} retry={() => void found.refetch()} />}
        {found.data !== undefined && <Found found={found.data} />}
      </div>
      {running && (
        <Button variant="default" onClick={() => ask({ what: 'stop-experiment', name: experiment.name })}>
          Stop
        </Button>
      )}
    </li>
  );
}

function Start({ ask }: { ask: (deed: Deed) => void }): JSX.Element | null {
  const versions = useQuery({ queryKey: ['operations', 'versions'], queryFn: operations.versions });
  const [name, setName] = useState('');
  const [chosen, choose] = useState<{ control?: string; other?: string }>({});
  const choices = armChoices(versions.data ?? []);
  const control = chosen.control ?? choices[0] ?? '';
  const other = chosen.other ?? choices[1] ?? '';
  if (choices.length < 2) return <p className={page['note']}>The first training brings models to try against each other.</p>;
  return (
    <form
      className={classes['compare']}
      onSubmit={(event) => {
        event.preventDefault();
        ask({ what: 'start-experiment', name: name.trim(), arms: [armOf(control), armOf(other)] });
      }}
    >
      <TextInput label="New experiment" placeholder="its name" value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
      <NativeSelect label="Control" data={choices} value={control} onChange={(event) => choose({ ...chosen, control: event.currentTarget.value })} />
      <NativeSelect label="Against" data={choices} value={other} onChange={(event) => choose({ ...chosen, other: event.currentTarget.value })} />
      <Button type="submit" variant="default" disabled={name.trim() === '' || control === other}>
        Start
      </Button>
    </form>
  );
}

/** Which of two models forecasts better for the people here: under way, ended, and a new one. */
export function Experiments({ ask }: { ask: (deed: Deed) => void }): JSX.Element {
  const experiments = useQuery({ queryKey: ['operations', 'experiments'], queryFn: operations.experiments });
  const all = experiments.data ?? [];
  const first = all[0];
  const running = all.some(({ stopped_at }) => stopped_at === null);
  return (
    <section className={page['section']} aria-labelledby="experiments">
      <h2 id="experiments" className={page['sectionTitle']}>
        Experiments
      </h2>
      <p className={page['note']}>
        Each learner gets the forecasts of one model, and what the others would have said is kept beside them. So every answer judges all.
      </p>
      {experiments.error !== null && <LoadProblem what="The experiments" error={experiments.error} retry={() => void experiments.refetch()} />}
      {all.length > 0 && (
        <ul className={classes['list']}>
          {all.map((experiment) => (
            <One key={experiment.name} experiment={experiment} open={experiment === first} ask={ask} />
          ))}
        </ul>
      )}
      {experiments.data !== undefined && !running && <Start ask={ask} />}
    </section>
  );
}
