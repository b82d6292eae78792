import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { JSX } from 'react';

import type { Topic } from '../api';
import { practice, queries } from '../app';
import { capitalised } from '../lib/format';
import { useHotkeys } from '../lib/hotkeys';
import { preloadMaths, RichText } from '../text/RichText';
import { AnswerForm, letter, SelfMarking } from './Answer';
import { ForecastLine } from './ForecastLine';
import { Kbd } from './Kbd';
import classes from './Practice.module.css';
import type { Choice, View } from './session';
import { Verdict } from './Verdict';

void preloadMaths();

const KeyList = lazy(() => import('./KeyList').then((module) => ({ default: module.KeyList })));
const OwnTask = lazy(() => import('./OwnTask').then((module) => ({ default: module.OwnTask })));

const RECOMMENDED = '';
/** Between subject and topic in the value of one option; no label holds a control character. */
const SEPARATOR = '\u001f';
const DIFFICULTIES = ['easy', 'medium', 'hard'];

/** Feeds the session what the browser knows about presence: active time is measured from it. */
function useActivity(): void {
  useEffect(() => {
    const presence = (): void => practice.notePresence(document.visibilityState === 'visible', document.hasFocus());
    const inputs = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const;
    for (const input of inputs) document.addEventListener(input, practice.noteInput, { passive: true });
    window.addEventListener('focus', presence);
    window.addEventListener('blur', presence);
    document.addEventListener('visibilitychange', presence);
    presence();
    return () => {
      for (const input of inputs) document.removeEventListener(input, practice.noteInput);
      window.removeEventListener('focus', presence);
      window.removeEventListener('blur', presence);
      document.removeEventListener('visibilitychange', presence);
    };
  }, []);
}

/** A chip on another page may have said what to practise; that wish is taken once. */
function useWish(): void {
  const wish = useSearch({ from: '/dashboard/tasks' });
  const navigate = useNavigate();
  const me = useQuery(queries.me);
  const known = me.data !== undefined;
  useEffect(() => {
    if (!known) return;
    let stale = false;
    void practice.ready().then(() => {
      if (stale) return;
      if (wish.subject !== undefined || wish.topic !== undefined || wish.difficulty !== undefined) {
        practice.choose({
          subject: wish.subject ?? null,
          topic: wish.topic ?? null,
          difficulty: wish.difficulty ?? null,
        });
        void navigate({ to: '/dashboard/tasks', search: {}, replace: true });
      } else {
        practice.begin();
        void practice.revalidate();
      }
    });
    return () => {
      stale = true;
    };
  }, [known, wish.subject, wish.topic, wish.difficulty, navigate]);
  useEffect(() => () => practice.leave(), []);
}

function Chooser({ choice }: { choice: Choice }): JSX.Element {
  const topics = useQuery(queries.topics);
  const known = topics.data?.topics ?? [];
  const subjects = [...new Set(known.map((topic) => topic.subject))];
  const value = choice.topic === null ? RECOMMENDED : `${choice.subject ?? ''}${SEPARATOR}${choice.topic}`;
  const missing = choice.topic !== null && !known.some((topic) => isChosen(topic, choice));
  const selected = known.find((topic) => isChosen(topic, choice));
  const difficulties = [...new Set([...(selected?.difficulties ?? DIFFICULTIES), ...(choice.difficulty === null ? [] : [choice.difficulty])])];
  return (
    <div className={classes['choose']}>
      <NativeSelect
        className={classes['chooseTopic'] ?? ''}
        size="sm"
        aria-label="Topic"
        data-testid="topic-select"
        value={value}
        onChange={(event) => {
          const [subject, topic] = event.currentTarget.value.split(SEPARATOR);
          practice.choose({
            ...choice,
            subject: topic === undefined ? null : (subject ?? '') || null,
            topic: topic ?? null,
          });
        }}
      >
        <option value={RECOMMENDED}>Recommended topic</option>
        {missing && <option value={value}>{choice.topic}</option>}
        {subjects.map((subject) => (
          <optgroup key={subject} label={subject}>
            {known
              .filter((topic) => topic.subject === subject)
              .map((topic) => (
                <option key={topic.topic} value={`${subject}${SEPARATOR}${topic.topic}`}>
                  {capitalised(topic.topic)}
                </option>
              ))}
          </optgroup>
        ))}
      </NativeSelect>
      <NativeSelect
        className={classes['chooseDifficulty'] ?? ''}
        size="sm"
        aria-label="Difficulty"
        data-testid="difficulty-select"
        value={choice.difficulty ?? RECOMMENDED}
        onChange={(event) => practice.choose({ ...choice, difficulty: event.currentTarget.value || null })}
      >
        <option value={RECOMMENDED}>Recommended level</option>
        {difficulties.map((difficulty) => (
          <option key={difficulty} value={difficulty}>
            {capitalised(difficulty)}
          </option>
        ))}
      </NativeSelect>
    </div>
  );
}

const isChosen = (topic: Topic, choice: Choice): boolean =>
  topic.topic === choice.topic && (choice.subject === null || topic.subject === choice.subject);

function Help({ view }: { view: View }): JSX.Element {
  const hints = view.task?.hints.length ?? 0;
  const left = hints - view.hintsShown;
  return (
    <div className={classes['helps']}>
      {hints > 0 && (
        <Button variant="subtle" color="gray" size="sm" data-testid="hint" disabled={left === 0} onClick={() => practice.hint()}>
          {left === 0 ? 'No more hints' : view.hintsShown === 0 ? 'Hint' : `Next hint (${left} left)`}
          {left > 0 && <Kbd>H</Kbd>}
        </Button>
      )}
      <Button variant="subtle" color="gray" size="sm" data-testid="dont-know" onClick={() => void practice.dontKnow()}>
        I don’t know this yet<Kbd>K</Kbd>
      </Button>
    </div>
  );
}

function Waiting(): JSX.Element {
  return (
    <div className={`${classes['panel'] ?? ''} ${classes['empty'] ?? ''}`} aria-busy="true">
      <div className={classes['ghost']} style={{ width: '100%' }}>
        <i style={{ width: '30%' }} />
        <i style={{ width: '85%' }} />
        <i style={{ width: '60%' }} />
      </div>
      <span className="visually-hidden" role="status">
        Loading a task
      </span>
    </div>
  );
}

function NoTask({ message }: { message: string | null }): JSX.Element {
  useEffect(() => {
    const again = (): void => practice.begin();
    window.addEventListener('online', again);
    const timer = setInterval(again, 8_000);
    return () => {
      window.removeEventListener('online', again);
      clearInterval(timer);
    };
  }, []);
  return (
    <div className={`${classes['panel'] ?? ''} ${classes['empty'] ?? ''}`} role="alert">
      <h2>No task to show right now</h2>
      <p>{message} Your answers are kept in this browser; practice goes on by itself when the server is back.</p>
      <Button variant="default" onClick={() => practice.begin()}>
        Try again
      </Button>
    </div>
  );
}

function TaskPanel({ view }: { view: View }): JSX.Element | null {
  const preferences = useQuery(queries.preferences);
  const prompt = useRef<HTMLDivElement>(null);
  const { task, phase } = view;
  const taskId = task?.id;
  const typed = task?.grading === 'numeric';
  useEffect(() => {
    // A new task: the reader begins at its text, unless a field is there to type in.
    if (taskId !== undefined && (!typed || !window.matchMedia('(pointer: fine)').matches)) {
      prompt.current?.focus({ preventScroll: true });
    }
    window.scrollTo({ top: 0 });
  }, [taskId, typed]);
  if (task === null) return null;

  const showForecast = preferences.data?.show_forecast ?? true;
  const showTimer = preferences.data?.show_timer ?? true;
  const done = phase === 'judged' || phase === 'kept';
  const busy = phase === 'sending';
  return (
    <>
      <article className={classes['panel']} aria-label="Task">
        <div className={classes['where']}>
          <span>{capitalised(task.topic)}</span>
          <span aria-hidden="true">·</span>
          <span>{task.difficulty}</span>
        </div>
        {task.notice !== null && <p className={classes['notice']}>{task.notice}</p>}
        <div ref={prompt} tabIndex={-1} className={classes['prompt']} data-testid="task-prompt" data-task-id={task.id} data-grading={task.grading}>
          <RichText text={task.task_content} />
        </div>
        {view.hintsShown > 0 && (
          <ol className={classes['hints']} aria-live="polite" aria-label="Hints">
            {task.hints.slice(0, view.hintsShown).map((hint, index) => (
              <li key={index} data-testid="hint-text">
                <b>
                  Hint {index + 1} of {task.hints.length}
                </b>
                <RichText text={hint} />
              </li>
            ))}
          </ol>
        )}
        {task.grading === 'self' ? (
          !done && <SelfMarking task={task} message={view.message} busy={busy} />
        ) : done && view.gaveUp && view.draft === '' ? null : (
          <AnswerForm
            task={task}
            draft={view.draft}
            message={view.message}
            busy={busy}
            locked={done}
            onCheck={() => void practice.check()}
          />
        )}
        {!done && task.status === 'open' && <Help view={view} />}
        {done && (
          <Verdict
            task={task}
            receipt={view.receipt}
            gaveUp={view.gaveUp}
            kept={phase === 'kept'}
            showForecast={showForecast}
            onNext={() => practice.next()}
            onAnother={() => practice.another()}
          />
        )}
      </article>
      <ForecastLine forecast={task.forecast} showForecast={showForecast} showTimer={showTimer} running={phase === 'open'} />
    </>
  );
}

/** The practice loop: one task, its answer, what became of it, the next. */
export function Practice(): JSX.Element {
  const view = useSyncExternalStore(practice.view.subscribe, practice.view.get);
  const [keysOpen, setKeysOpen] = useState(false);
  const [ownOpen, setOwnOpen] = useState(false);
  useActivity();
  useWish();

  const { phase, task } = view;
  const open = phase === 'open' && task !== null;
  const judged = phase === 'judged' || phase === 'kept';
  const selfMarked = open && task.grading === 'self';
  const marking = selfMarked && task.status !== 'open';
  const choices = open && task.grading === 'choice' ? (task.options ?? []) : [];
  useHotkeys({
    ...Object.fromEntries(choices.slice(0, 9).map((_, index) => [String(index + 1), () => practice.type(letter(index))])),
    h: open ? () => practice.hint() : undefined,
    k: open && task.status === 'open' ? () => void practice.dontKnow() : undefined,
    s: selfMarked && !marking ? () => void practice.reveal() : undefined,
    y: marking ? () => void practice.mark(true) : undefined,
    n: marking ? () => void practice.mark(false) : undefined,
    a: phase === 'judged' ? () => practice.another() : undefined,
    Enter: judged ? () => practice.next() : open && !selfMarked ? () => void practice.check() : undefined,
    '?': () => setKeysOpen(true),
  });

  return (
    <div className={classes['column']}>
      <h1 className="visually-hidden">Practice</h1>
      <Chooser choice={view.choice} />
      {phase === 'failed' ? <NoTask message={view.message} /> : task === null ? <Waiting /> : <TaskPanel view={view} />}
      <div className={classes['foot']}>
        <button type="button" className={classes['quiet']} onClick={() => setOwnOpen(true)} data-testid="own-task">
          Bring your own task
        </button>
        <button type="button" className={classes['quiet']} onClick={() => setKeysOpen(true)} data-testid="keys">
          Keys<Kbd>?</Kbd>
        </button>
      </div>
      <Suspense fallback={null}>
        {keysOpen && <KeyList onClose={() => setKeysOpen(false)} />}
        {ownOpen && <OwnTask choice={view.choice} onClose={() => setOwnOpen(false)} />}
      </Suspense>
    </div>
  );
}
