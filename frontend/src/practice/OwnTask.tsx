import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { JSX, SubmitEvent } from 'react';

import { practice } from '../app';
import { RichText } from '../text/RichText';
import '../styles/dialog';
import shell from '../shell/Shell.module.css';
import classes from './OwnTask.module.css';
import type { Choice } from './session';

const orNothing = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** A task of the learner's own: any text, any topic. */
export function OwnTask({ choice, onClose }: { choice: Choice; onClose: () => void }): JSX.Element {
  const [subject, setSubject] = useState(choice.subject ?? '');
  const [topic, setTopic] = useState(choice.topic ?? '');
  const [difficulty, setDifficulty] = useState(choice.difficulty ?? 'medium');
  const [content, setContent] = useState('');
  const [solution, setSolution] = useState('');
  const [answer, setAnswer] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await practice.bring({
        subject: orNothing(subject),
        topic: orNothing(topic),
        difficulty: orNothing(difficulty),
        task_content: content,
        solution_content: orNothing(solution),
        answer_content: orNothing(answer),
      });
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'The task could not be saved.');
      setBusy(false);
    }
  };

  return (
    <Modal opened onClose={onClose} title="Bring your own task" size="lg">
      <form className={shell['form']} onSubmit={(event) => void submit(event)}>
        {problem !== null && (
          <p role="alert" className={shell['problem']}>
            {problem} What you typed is still here.
          </p>
        )}
        <div className={classes['three']}>
          <TextInput label="Subject" value={subject} onChange={(e) => setSubject(e.currentTarget.value)} maxLength={200} />
          <TextInput label="Topic" required value={topic} onChange={(e) => setTopic(e.currentTarget.value)} maxLength={200} />
          <TextInput
            label="Difficulty"
            required
            value={difficulty}
            onChange={(e) => setDifficulty(e.currentTarget.value)}
            maxLength={200}
          />
        </div>
        <Textarea
          label="Task"
          description="Markdown; maths between $ signs, as in $x^2$"
          required
          autosize={false}
          rows={4}
          maxLength={20_000}
          value={content}
          onChange={(e) => setContent(e.currentTarget.value)}
          data-testid="own-content"
        />
        {content.trim() !== '' && (
          <div className={classes['preview']} aria-label="Preview">
            <RichText text={content} />
          </div>
        )}
        <TextInput
          label="Answer"
          description="Leave it empty to mark yourself"
          value={answer}
          onChange={(e) => setAnswer(e.currentTarget.value)}
          maxLength={2_000}
        />
        <Textarea
          label="Worked solution"
          rows={3}
          maxLength={20_000}
          value={solution}
          onChange={(e) => setSolution(e.currentTarget.value)}
        />
        <div className={shell['formActions']}>
          <Button type="submit" loading={busy} data-testid="own-submit">
            Practise it
          </Button>
          <Button variant="subtle" color="gray" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  );
}
