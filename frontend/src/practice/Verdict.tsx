import { Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { JSX, ReactNode } from 'react';

import type { Receipt, Task } from '../api';
import { duration, percent } from '../lib/format';
import { Icon } from '../shell/icons';
import type { IconName } from '../shell/icons';
import { RichText } from '../text/RichText';
import { Kbd } from './Kbd';
import classes from './Practice.module.css';
import { movement } from './session';

type Kind = 'correct' | 'incorrect' | 'noted' | 'kept';

const WORDS: Record<Kind, { word: string; icon: IconName }> = {
  correct: { word: 'Correct', icon: 'check' },
  incorrect: { word: 'Not this time', icon: 'cross' },
  noted: { word: 'Noted: you don’t know this yet', icon: 'note' },
  kept: { word: 'Kept', icon: 'keep' },
};

function Moved({ before, after }: { before: number; after: number }): JSX.Element {
  const same = percent(before) === percent(after);
  return (
    <div className={classes['moved']} data-testid="forecast-moved" data-before={before} data-after={after}>
      <span>
        {same ? (
          <>
            Your forecast stayed at <strong>{percent(after)}</strong>
          </>
        ) : (
          <>
            Your forecast moved from <strong>{percent(before)}</strong> to <strong>{percent(after)}</strong>
          </>
        )}
      </span>
      <span className={classes['track']} aria-hidden="true">
        <i style={{ left: `${Math.min(before, after) * 100}%`, width: `${Math.abs(after - before) * 100}%` }} />
        <span style={{ left: `${before * 100}%` }} />
        <span style={{ left: `${after * 100}%` }} />
      </span>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The choice that stands behind a letter, or the answer as it is. */
function spelled(task: Task, answer: string): string {
  const index = /^[A-Za-z]$/.test(answer) ? answer.toUpperCase().charCodeAt(0) - 65 : -1;
  return task.options?.[index] ?? answer;
}

/**
 * What became of the answer, in words first. It takes the focus when it appears, so that Enter
 * goes on and a screen reader reads it.
 */
export function Verdict(props: {
  task: Task;
  receipt: Receipt | null;
  gaveUp: boolean;
  kept: boolean;
  showForecast: boolean;
  onNext: () => void;
  onAnother: () => void;
}): JSX.Element {
  const { task, receipt, gaveUp, kept, showForecast, onNext, onAnother } = props;
  const region = useRef<HTMLDivElement>(null);
  const correct = receipt?.is_correct ?? task.is_correct ?? false;
  const kind: Kind = kept ? 'kept' : gaveUp ? 'noted' : correct ? 'correct' : 'incorrect';
  useEffect(() => {
    region.current?.focus({ preventScroll: true });
    region.current?.scrollIntoView({ block: 'nearest' });
  }, [kind, task.id]);

  const { word, icon } = WORDS[kind];
  const answer = receipt?.answer_content ?? task.answer_content;
  const solution = receipt?.solution_content ?? task.solution_content;
  const seconds = receipt?.response_time_s ?? task.actual_time_seconds;
  const moved = receipt === null ? null : movement(receipt);
  const message = kept
    ? 'Your answer is in this browser and will be graded when you are back. You can go on meanwhile.'
    : gaveUp
      ? 'That is useful to know. Read the solution; a similar task comes again.'
      : (receipt?.message ?? 'It was answered before.');
  return (
    <>
      <div
        ref={region}
        tabIndex={-1}
        role="group"
        aria-label={`${word}. ${message}`}
        className={classes['verdict']}
        data-testid="verdict"
        data-verdict={kind}
      >
        <div className={classes['verdictHead']}>
          <span className={classes['verdictIcon']}>
            <Icon name={icon} size={22} />
          </span>
          <div>
            <h2>{word}</h2>
            {message !== '' && message !== `${word}.` && <p>{message}</p>}
          </div>
        </div>
      </div>
      {!kept && (
        <dl className={classes['facts']}>
          {receipt?.understood != null && (
            <Fact name="Read as">
              <RichText inline text={`$${receipt.understood}$`} />
            </Fact>
          )}
          {answer !== null && kind !== 'correct' && (
            <Fact name="Answer">
              <RichText inline text={spelled(task, answer)} />
            </Fact>
          )}
          {seconds !== null && <Fact name="Time">{duration(seconds)}</Fact>}
        </dl>
      )}
      {moved !== null && showForecast && (
        <Moved before={moved.before.p_correct} after={moved.after.p_correct} />
      )}
      <div className={classes['onwards']}>
        <Button onClick={onNext} data-testid="next">
          Next task<Kbd onAccent>Enter</Kbd>
        </Button>
        {!kept && (
          <Button variant="subtle" color="gray" onClick={onAnother} data-testid="another">
            Another like this<Kbd>A</Kbd>
          </Button>
        )}
      </div>
      {!kept && solution !== null && solution !== '' && (
        <section className={classes['solution']} data-testid="solution" aria-labelledby="solution-title">
          <h3 id="solution-title">Worked solution</h3>
          <RichText text={solution} />
        </section>
      )}
    </>
  );
}
