import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { JSX } from 'react';

import { queries } from '../app';
import classes from '../shell/Shell.module.css';

/** More dots than this are a smear; a bar says it better. */
const MOST_DOTS = 8;
const NEWS_MS = 6_000;

/** The number of a model that went live while the page was open, for a few seconds. */
function useNews(version: number | null | undefined): number | null {
  const [news, setNews] = useState<number | null>(null);
  const seen = useRef<number | null | undefined>(undefined);
  useEffect(() => {
    const before = seen.current;
    seen.current = version;
    if (version === undefined || version === null || before === undefined || before === version) return;
    setNews(version);
    const timer = setTimeout(() => setNews(null), NEWS_MS);
    return () => clearTimeout(timer);
  }, [version]);
  return news;
}

/** How far it is to the next training, how far a running one is, and what came of it. */
export function TrainingIndicator(): JSX.Element {
  const { data } = useQuery(queries.training);
  const news = useNews(data === undefined ? undefined : (data.live_model?.version ?? null));
  const attributes = {
    'data-testid': 'training-indicator',
    'data-count': data?.completed_since_training,
    'data-running': data === undefined ? undefined : data.running !== null,
    'data-version': data?.live_model?.version ?? '',
    'data-fresh': news === null ? undefined : true,
  };
  if (data === undefined) return <span className={classes['training']} {...attributes} />;

  const { running, threshold, completed_since_training: count } = data;
  const fraction = running?.fraction ?? Math.min(1, count / threshold);
  const inWords =
    running !== null
      ? `A new model is being trained in the background, ${Math.round(running.fraction * 100)} per cent done.`
      : `${Math.min(count, threshold)} of ${threshold} answers towards the next training.`;
  const word = news !== null ? `new model v${news}` : running !== null ? 'learning' : `${Math.min(count, threshold)} of ${threshold}`;
  return (
    <Link
      to="/dashboard/settings"
      hash="model"
      className={classes['training']}
      title={inWords}
      aria-label={news !== null ? `${word} is live now.` : running !== null ? `${word}: ${inWords}` : inWords}
      {...attributes}
    >
      {news === null &&
        (running !== null || threshold > MOST_DOTS ? (
          <span className={classes['bar']}>
            <i style={{ width: `${fraction * 100}%` }} />
          </span>
        ) : (
          <span className={classes['dots']}>
            {Array.from({ length: threshold }, (_, index) => (
              <i key={index} data-on={index < count || undefined} />
            ))}
          </span>
        ))}
      <span>{word}</span>
    </Link>
  );
}
