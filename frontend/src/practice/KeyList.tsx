import { Modal } from '@mantine/core';
import type { JSX } from 'react';

import '../styles/dialog';
import classes from './Practice.module.css';

const KEYS: [string, string][] = [
  ['Enter', 'Check the answer; then, the next task'],
  ['1 – 9', 'Choose an answer'],
  ['H', 'Show a hint, one at a time'],
  ['K', 'I don’t know this yet'],
  ['S', 'Show the solution of a task you mark yourself'],
  ['Y  N', 'I had it right, I had it wrong'],
  ['A', 'Another task like this one, once it is answered'],
  ['Esc', 'Leave the answer field, so that the letters work'],
  ['?', 'This list'],
];

/** The keys of the practice screen. */
export function KeyList({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Modal opened onClose={onClose} title="Keys">
      <dl className={classes['keys']}>
        {KEYS.map(([key, act]) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{act}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
