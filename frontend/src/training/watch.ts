import type { QueryClient } from '@tanstack/react-query';

import { api } from '../api';
import type { Training } from '../api';

export const TRAINING_KEY = ['training'] as const;

const POLL_MS = 5_000;
/** How long polling goes on before the stream is tried again. */
const STREAM_RETRY_MS = 60_000;

/**
 * Keeps the training state in the query cache fresh: by server-sent events, by polling where those
 * do not get through, and not at all while nobody looks.
 *
 * Returns a function that stops it.
 */
export function watchTraining(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let poll: ReturnType<typeof setInterval> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const publish = (training: Training): void => {
    client.setQueryData<Training>(TRAINING_KEY, training);
  };

  const ask = async (): Promise<void> => {
    try {
      publish(await api.training());
    } catch {
      // The indicator keeps showing the last known state; the sync indicator tells of trouble.
    }
  };

  const stop = (): void => {
    source?.close();
    source = null;
    clearInterval(poll);
    clearTimeout(retry);
  };

  const startPolling = (): void => {
    stop();
    void ask();
    poll = setInterval(() => void ask(), POLL_MS);
    retry = setTimeout(startStream, STREAM_RETRY_MS);
  };

  const startStream = (): void => {
    stop();
    const stream = new EventSource('/api/training/events');
    source = stream;
    const read = (event: MessageEvent<string>): void => {
      try {
        publish(JSON.parse(event.data) as Training);
      } catch {
        startPolling();
      }
    };
    stream.addEventListener('training', read);
    stream.onerror = () => {
      // A server that restarts closes the stream, too; polling bridges the gap.
      if (source === stream) startPolling();
    };
  };

  const onVisibility = (): void => {
    if (document.visibilityState === 'visible') startStream();
    else stop();
  };

  document.addEventListener('visibilitychange', onVisibility);
  onVisibility();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    stop();
  };
}
