import { lazy, Suspense, useState, useSyncExternalStore } from 'react';
import type { JSX } from 'react';

import { outbox } from '../app';
import { plural } from '../lib/format';
import type { SyncView } from '../outbox/outbox';
import { Icon } from './icons';
import type { IconName } from './icons';
import classes from './Shell.module.css';

const SyncDetails = lazy(() => import('./SyncDetails').then((module) => ({ default: module.SyncDetails })));

type Shown = 'saved' | 'saving' | 'offline' | 'attention';

function summary(view: SyncView): { shown: Shown; word: string; icon: IconName; sentence: string } {
  const needing = view.shelved.length + view.foreign;
  if (view.state === 'offline') {
    return {
      shown: 'offline',
      word: `Offline: ${view.waiting} waiting`,
      icon: 'offline',
      sentence: `The server cannot be reached. ${plural(view.waiting, 'answer')} ${
        view.durable ? 'kept in this browser' : 'held by this page (do not close it: this browser stores nothing)'
      } and sent as soon as it is back.`,
    };
  }
  if (needing > 0 || view.state === 'signed-out') {
    return {
      shown: 'attention',
      word: view.state === 'signed-out' && needing === 0 ? 'Sign in' : `Needs you: ${Math.max(1, needing)}`,
      icon: 'attention',
      sentence:
        view.state === 'signed-out'
          ? `${plural(view.waiting, 'answer')} waiting: sign in and they are sent.`
          : view.shelved.length > 0
            ? `${plural(view.shelved.length, 'answer')} could not be saved. They stay here until you throw them away.`
            : `${plural(view.foreign, 'answer')} belong to another account on this browser and are sent when that person signs in.`,
    };
  }
  if (view.state === 'saving') return { shown: 'saving', word: 'Saving', icon: 'saving', sentence: 'Sending your last answer.' };
  return { shown: 'saved', word: 'Saved', icon: 'saved', sentence: 'Everything you answered is on the server.' };
}

/** Whether the server has everything, always in sight; details on a click. */
export function SyncState(): JSX.Element {
  const view = useSyncExternalStore(outbox.view.subscribe, outbox.view.get);
  const [open, setOpen] = useState(false);
  const { shown, word, icon, sentence } = summary(view);
  return (
    <>
      <button
        type="button"
        className={classes['sync']}
        data-testid="sync-state"
        data-state={shown}
        data-waiting={view.waiting}
        onClick={() => setOpen(true)}
      >
        <Icon name={icon} size={18} />
        <span className={classes['word']}>{word}</span>
      </button>
      <span className="visually-hidden" role="status">
        {shown === 'offline' || shown === 'attention' ? word : ''}
      </span>
      {open && (
        <Suspense fallback={null}>
          <SyncDetails view={view} sentence={sentence} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
