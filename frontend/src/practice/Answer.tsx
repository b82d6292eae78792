import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { JSX, SubmitEvent } from 'react';

import type { Task } from '../api';
import { practice } from '../app';
import { RichText } from '../text/RichText';
import { Kbd } from './Kbd';
import classes from './Practice.module.css';

/** The letter a choice goes by on the wire: the first is A. */
export const letter = (index: number): string => String.fromCharCode(65 + index);

interface Props {
  task: Task;
  draft: string;
  /** Why the last try was not counted, read out with the field. */
  message: string | null;
  busy: boolean;
  /** Judged, or on its way: shown, but no longer changed. */
  locked: boolean;
}

function TypedAnswer({ task, draft, message, busy, locked }: Props): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // On a phone the focus would push the keyboard over the task before it is read.
    if (!locked && window.matchMedia('(pointer: fine)').matches) input.current?.focus({ preventScroll: true });
  }, [task.id, locked, message]);
  return (
    <TextInput
      ref={input}
      className={classes['field'] ?? ''}
      label={task.unit === null || task.unit === '' ? 'Your answer' : `Your answer in ${task.unit}`}
      data-testid="answer-input"
      value={draft}
      onChange={(event) => practice.type(event.currentTarget.value)}
      onKeyDown={(event) => {
        // Leaves the field, so that the letter keys work.
        if (event.key === 'Escape') event.currentTarget.blur();
      }}
      readOnly={busy || locked}
      autoComplete="off"
      autoCapitalize="off"
      autoCorrect="off"
      spellCheck={false}
      enterKeyHint="done"
      maxLength={2000}
      aria-invalid={message !== null}
      aria-describedby={message === null ? undefined : 'answer-message'}
      rightSection={task.unit === null || task.unit === '' ? null : <span aria-hidden="true">{task.unit}</span>}
      rightSectionWidth={task.unit === null ? 0 : 24 + task.unit.length * 9}
      rightSectionPointerEvents="none"
    />
  );
}

function Choices({ task, draft, busy, locked }: Props): JSX.Element {
  return (
    <fieldset className={classes['options']}>
      <legend className="visually-hidden">Choose one; the keys 1 to {task.options?.length ?? 0} choose, too</legend>
      {task.options?.map((option, index) => (
        <label key={index} className={classes['option']} data-testid={`option-${index + 1}`}>
          <input
            type="radio"
            name={`choice-${task.id}`}
            value={letter(index)}
            checked={draft === letter(index)}
            disabled={busy || locked}
            onChange={() => practice.type(letter(index))}
          />
          <span className={classes['number']}>{index + 1}</span>
          <RichText inline text={option} />
        </label>
      ))}
    </fieldset>
  );
}

/** Where the learner answers: a field, or cards to choose from. Enter checks in both. */
export function AnswerForm(props: Props & { onCheck: () => void }): JSX.Element {
  const { task, message, busy, locked, onCheck } = props;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onCheck();
  };
  const check = (
    <Button type="submit" data-testid="check" loading={busy}>
      Check<Kbd onAccent>Enter</Kbd>
    </Button>
  );
  return (
    <form onSubmit={submit} noValidate>
      {task.grading === 'choice' ? (
        <>
          <Choices {...props} />
          {!locked && <div className={classes['answer']}>{check}</div>}
        </>
      ) : (
        <div className={classes['answer']}>
          <TypedAnswer {...props} />
          {!locked && check}
        </div>
      )}
      {message !== null && (
        <p id="answer-message" role="alert" className={classes['message']} data-testid="answer-message">
          {message}
        </p>
      )}
    </form>
  );
}

/** For tasks on paper: the solution, then the learner's own verdict. */
export function SelfMarking({ task, message, busy }: { task: Task; message: string | null; busy: boolean }): JSX.Element {
  const shown = task.status !== 'open';
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (shown) first.current?.focus({ preventScroll: true });
  }, [shown]);
  return (
    <>
      {message !== null && (
        <p role="alert" className={classes['message']}>
          {message}
        </p>
      )}
      {shown ? (
        <>
          <section className={classes['solution']} data-testid="solution" aria-labelledby="solution-title">
            <h3 id="solution-title">Solution</h3>
            {task.answer_content !== null && task.answer_content !== '' && (
              <p>
                <RichText inline text={task.answer_content} />
              </p>
            )}
            {task.solution_content !== null && <RichText text={task.solution_content} />}
            {(task.solution_content ?? '') === '' && (task.answer_content ?? '') === '' && (
              <p>None was given with this task. Compare with your book or notes.</p>
            )}
          </section>
          <div className={classes['onwards']}>
            <Button ref={first} data-testid="mark-right" loading={busy} onClick={() => void practice.mark(true)}>
              I had it right<Kbd onAccent>Y</Kbd>
            </Button>
            <Button variant="default" data-testid="mark-wrong" disabled={busy} onClick={() => void practice.mark(false)}>
              I had it wrong<Kbd>N</Kbd>
            </Button>
          </div>
        </>
      ) : (
        <div className={classes['onwards']}>
          <Button data-testid="show-solution" onClick={() => void practice.reveal()}>
            Show the solution<Kbd onAccent>S</Kbd>
          </Button>
          <p className={classes['aside']}>Work it out on paper, then compare and mark yourself.</p>
        </div>
      )}
    </>
  );
}
