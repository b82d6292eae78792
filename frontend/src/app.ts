import { QueryCache, QueryClient, queryOptions } from '@tanstack/react-query';

import { api, ApiError } from './api';
import { deliver } from './outbox/deliver';
import { acrossTabs, memoryShelf, openShelf, Outbox } from './outbox/outbox';
import { PracticeSession } from './practice/session';
import { TRAINING_KEY } from './training/watch';

/** Reads only. Answers go through the outbox, which survives what a query cache does not. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache(),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      networkMode: 'always',
      retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 3,
    },
  },
});

export const queries = {
  me: queryOptions({ queryKey: ['me'], queryFn: api.me, staleTime: Infinity }),
  topics: queryOptions({ queryKey: ['topics'], queryFn: api.topics, staleTime: 5 * 60_000 }),
  insights: queryOptions({ queryKey: ['insights'], queryFn: api.insights }),
  preferences: queryOptions({ queryKey: ['preferences'], queryFn: api.preferences, staleTime: Infinity }),
  welcome: queryOptions({ queryKey: ['welcome'], queryFn: api.welcome, staleTime: Infinity }),
  // The watcher writes this one; asking is only for the first moment.
  training: queryOptions({ queryKey: TRAINING_KEY, queryFn: api.training, staleTime: 60_000 }),
};

/** A browser database that neither opens nor fails within this time is treated as missing. */
const STORAGE_TIMEOUT_MS = 2_000;

async function makeOutbox(): Promise<Outbox> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('the browser database does not open')), STORAGE_TIMEOUT_MS);
  });
  const shelf = await Promise.race([openShelf(), late]).catch(() => memoryShelf());
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel('studysmart-outbox') : null;
  return new Outbox({ shelf, deliver, exclusively: acrossTabs, channel });
}

function localStore(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export const outbox = await makeOutbox();

export const practice = new PracticeSession({
  outbox,
  now: () => performance.now(),
  storage: localStore(),
  onCounted: () => {
    void queryClient.invalidateQueries({ queryKey: queries.insights.queryKey });
    void queryClient.invalidateQueries({ queryKey: queries.training.queryKey });
  },
});

/** Signals that say "try again now": back online, back in view, back in focus. */
export function wireOutbox(): () => void {
  const flush = (): void => void outbox.flush();
  const onHide = (): void => {
    practice.save();
    if (document.visibilityState === 'visible') flush();
  };
  window.addEventListener('online', flush);
  window.addEventListener('focus', flush);
  window.addEventListener('pagehide', onHide);
  document.addEventListener('visibilitychange', onHide);
  return () => {
    window.removeEventListener('online', flush);
    window.removeEventListener('focus', flush);
    window.removeEventListener('pagehide', onHide);
    document.removeEventListener('visibilitychange', onHide);
  };
}
