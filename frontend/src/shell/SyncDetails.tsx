import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import type { JSX } from 'react';

import { outbox } from '../app';
import type { Entry, SyncView } from '../outbox/outbox';
import '../styles/dialog';
import classes from './Shell.module.css';

function Refused({ entry }: { entry: Entry }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(JSON.stringify(entry, null, 2));
    setCopied(true);
  };
  return (
    <li>
      <strong>{entry.label}</strong>
      <span className={classes['muted']}>{entry.problem}</span>
      <div className={classes['shelfActions']}>
        <Button size="xs" variant="default" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={() => void outbox.discard(entry.id)}>
          Throw away
        </Button>
      </div>
    </li>
  );
}

/** What waits, what the server refused, and what can be done about it. */
export function SyncDetails(props: { view: SyncView; sentence: string; onClose: () => void }): JSX.Element {
  const { view, sentence, onClose } = props;
  return (
    <Modal opened onClose={onClose} title="Your answers">
      <p>{sentence}</p>
      {view.shelved.length > 0 && (
        <ul className={classes['shelf']}>
          {view.shelved.map((entry) => (
            <Refused key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
      {view.state === 'offline' && (
        <Button mt="md" variant="default" onClick={() => void outbox.flush()}>
          Try now
        </Button>
      )}
    </Modal>
  );
}
