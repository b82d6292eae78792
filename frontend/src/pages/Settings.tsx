import { Button, SegmentedControl, Switch, useMantineColorScheme } from '@mantine/core';
import '@mantine/core/styles/FloatingIndicator.css';
import '@mantine/core/styles/InlineInput.css';
import '@mantine/core/styles/SegmentedControl.css';
import '@mantine/core/styles/Switch.css';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, useSyncExternalStore } from 'react';
import type { JSX } from 'react';

import { api } from '../api';
import type { LiveModel, Me, Preferences, Training } from '../api';
import { queries, queryClient } from '../app';
import { ago, capitalised, duration, plural } from '../lib/format';
import { letterKeys, setLetterKeys } from '../lib/hotkeys';
import { AccountForm, becomeSignedIn } from '../shell/SignIn';
import shell from '../shell/Shell.module.css';
import classes from './Page.module.css';
import { LoadProblem } from './parts';

const FALLBACK: Preferences = { theme: 'auto', show_forecast: true, show_timer: true };

/** Shown at once, saved behind; a failure brings the old value back and says so. */
function usePreferences(): { value: Preferences; change: (part: Partial<Preferences>) => void; error: Error | null } {
  const query = useQuery(queries.preferences);
  const value = query.data ?? FALLBACK;
  const save = useMutation({
    mutationFn: api.savePreferences,
    networkMode: 'always',
    onMutate: (next) => {
      const before = queryClient.getQueryData(queries.preferences.queryKey);
      queryClient.setQueryData(queries.preferences.queryKey, next);
      return before;
    },
    onError: (_error, _next, before) => queryClient.setQueryData(queries.preferences.queryKey, before),
  });
  return { value, change: (part) => save.mutate({ ...value, ...part }), error: save.error };
}

function Row(props: { title: string; detail: string; labelId: string; children: JSX.Element }): JSX.Element {
  return (
    <div className={classes['row']}>
      <div>
        <div id={props.labelId}>{props.title}</div>
        <p>{props.detail}</p>
      </div>
      {props.children}
    </div>
  );
}

function Display(): JSX.Element {
  const { value, change, error } = usePreferences();
  const { setColorScheme } = useMantineColorScheme();
  const letters = useSyncExternalStore(letterKeys.subscribe, letterKeys.get);
  return (
    <section className={classes['section']} aria-labelledby="display">
      <h2 id="display" className={classes['sectionTitle']}>
        Display
      </h2>
      {error !== null && (
        <p role="alert" className={shell['problem']}>
          That could not be saved: {error.message}
        </p>
      )}
      <div className={classes['rows']}>
        <Row title="Theme" detail="Light, dark, or as your device says." labelId="theme">
          <SegmentedControl
            aria-labelledby="theme"
            value={value.theme}
            data={[
              { value: 'auto', label: 'Auto' },
              { value: 'light', label: 'Light' },
              { value: 'dark', label: 'Dark' },
            ]}
            onChange={(theme) => {
              setColorScheme(theme);
              change({ theme });
            }}
          />
        </Row>
        <Row title="Show the forecast" detail="How likely you are to be right, and how long it usually takes." labelId="show-forecast">
          <Switch
            size="md"
            aria-labelledby="show-forecast"
            checked={value.show_forecast}
            onChange={(event) => change({ show_forecast: event.currentTarget.checked })}
          />
        </Row>
        <Row title="Show the timer" detail="Time is measured either way; only what you see changes." labelId="show-timer">
          <Switch
            size="md"
            aria-labelledby="show-timer"
            checked={value.show_timer}
            onChange={(event) => change({ show_timer: event.currentTarget.checked })}
          />
        </Row>
        <Row
          title="Letter keys"
          detail="H for a hint, K for “I don’t know”, and so on. Off for speech input. Kept in this browser."
          labelId="letter-keys"
        >
          <Switch
            size="md"
            aria-labelledby="letter-keys"
            checked={letters}
            onChange={(event) => setLetterKeys(event.currentTarget.checked)}
          />
        </Row>
      </div>
    </section>
  );
}

function Account({ me }: { me: Me | undefined }): JSX.Element {
  const [form, setForm] = useState<'register' | 'sign-in' | null>(null);
  const leave = useMutation({
    mutationFn: api.logout,
    networkMode: 'always',
    // A page begun anew holds nothing of the person who left; unsent answers wait for them on disk.
    onSuccess: () => location.assign('/dashboard'),
  });
  const local = me === undefined || me.local;
  return (
    <section className={classes['section']} aria-labelledby="account">
      <h2 id="account" className={classes['sectionTitle']}>
        Account
      </h2>
      <p className={classes['note']} style={{ margin: '6px 0 16px' }}>
        {local
          ? 'You practise without an account; everything is kept for this server’s one local learner. The first account takes all of it over.'
          : `Signed in as ${me.name}${me.email === null ? '' : ` (${me.email})`}, ${me.role}.`}
      </p>
      {leave.isError && (
        <p role="alert" className={shell['problem']}>
          {leave.error.message}
        </p>
      )}
      {!local ? (
        <Button variant="default" loading={leave.isPending} onClick={() => leave.mutate()}>
          Sign out
        </Button>
      ) : form === null ? (
        <Button variant="default" onClick={() => setForm('register')} data-testid="create-account">
          Create an account
        </Button>
      ) : (
        <div style={{ maxWidth: 420 }}>
          <AccountForm
            start={form}
            done={(now) => {
              becomeSignedIn(now);
              setForm(null);
            }}
          />
        </div>
      )}
    </section>
  );
}

function figure(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(3);
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

const inWords = (name: string): string => capitalised(name.replace(/_/g, ' '));

function ModelFacts({ model }: { model: LiveModel }): JSX.Element {
  const flat = Object.entries(model.metrics).filter(([, value]) => value === null || typeof value !== 'object');
  return (
    <dl className={classes['facts']}>
      <dt>Live model</dt>
      <dd data-testid="live-model">
        v{model.version}, {model.kind}, since {ago(model.published_at)}
      </dd>
      <dt>Trained on</dt>
      <dd>{plural(model.samples, 'answer')}</dd>
      {flat.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{inWords(name)}</dt>
          <dd>{figure(value)}</dd>
        </div>
      ))}
      {Object.keys(model.vocabulary).length > 0 && (
        <>
          <dt>Knows</dt>
          <dd>
            {Object.entries(model.vocabulary)
              .map(([name, size]) => `${size} ${name.replace(/_/g, ' ')}`)
              .join(', ')}
          </dd>
        </>
      )}
    </dl>
  );
}

function lastResult({ last_result: result }: Training): string | null {
  if (result === null) return null;
  const end = { live: 'went live', kept_out: 'was kept out', failed: 'failed', cancelled: 'was cancelled', tried: 'was tried' }[
    result.outcome
  ];
  return `Run ${result.run} ${end} after ${duration(result.seconds)}, ${ago(result.ended_at)}. ${result.reason}`;
}

function Model({ operator }: { operator: boolean }): JSX.Element {
  const training = useQuery(queries.training);
  const run = useMutation({ mutationFn: () => api.runTraining('asked for on the settings page'), networkMode: 'always' });
  const { data } = training;
  const result = data === undefined ? null : lastResult(data);
  return (
    <section className={classes['section']} aria-labelledby="model">
      <h2 id="model" className={classes['sectionTitle']}>
        The model
      </h2>
      {training.isError && <LoadProblem what="The model’s state" error={training.error} retry={() => void training.refetch()} />}
      {data !== undefined && (
        <>
          <p className={classes['note']} style={{ marginTop: 6 }}>
            After every {plural(data.threshold, 'answer')} a new model is trained in the background; it goes live only if it
            forecasts the newest answers no worse. {data.completed_since_training} since the last training,{' '}
            {data.total_completed} in all.
            {!data.worker_alive && ' The training process is not running at the moment.'}
          </p>
          {data.live_model === null ? (
            <p className={classes['note']} style={{ marginTop: 12 }}>
              No model is live yet.
            </p>
          ) : (
            <ModelFacts model={data.live_model} />
          )}
          {result !== null && (
            <p className={classes['note']} style={{ marginTop: 16 }} data-testid="last-result">
              {result}
            </p>
          )}
          {operator && (
            <div style={{ marginTop: 16 }}>
              <Button
                variant="default"
                disabled={data.running !== null}
                loading={run.isPending}
                onClick={() => run.mutate()}
                data-testid="train-now"
              >
                {data.running === null ? 'Train now' : 'Training runs'}
              </Button>
              {run.isError && <LoadProblem what="A training" error={run.error} retry={() => run.mutate()} />}
            </div>
          )}
        </>
      )}
    </section>
  );
}

export function Settings(): JSX.Element {
  const me = useQuery(queries.me);
  const welcome = useQuery(queries.welcome);
  return (
    <>
      <h1 className={classes['title']}>Settings</h1>
      <Display />
      <Account me={me.data} />
      <Model operator={me.data?.role === 'operator'} />
      <section className={classes['section']} aria-labelledby="about">
        <h2 id="about" className={classes['sectionTitle']}>
          About
        </h2>
        <dl className={classes['facts']}>
          <dt>StudySmart</dt>
          <dd>{welcome.data === undefined ? '…' : `version ${welcome.data.version}`}</dd>
          <dt>API</dt>
          <dd>{welcome.data !== undefined && <a href={welcome.data.docs}>{welcome.data.docs}</a>}</dd>
        </dl>
      </section>
    </>
  );
}
