import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { JSX } from 'react';

import { queries, queryClient } from '../app';
import page from '../pages/Page.module.css';
import { LoadProblem, Skeleton } from '../pages/parts';
import { Experiments } from './Experiments';
import { LiveQuality } from './LiveQuality';
import { Now } from './Now';
import type { Deed } from './operations';
import { Audit, Runs } from './Past';
import { ReasonDialog } from './ReasonDialog';
import classes from './TrainingPage.module.css';
import { Versions } from './Versions';

/** For operators: how training stands, what it brought, and what may be done about it. */
export function TrainingPage(): JSX.Element {
  const me = useQuery(queries.me);
  const training = useQuery(queries.training);
  const [deed, setDeed] = useState<Deed | null>(null);
  const [said, setSaid] = useState('');
  const ended = training.data?.last_result?.run;
  const live = training.data?.live_model?.version;
  useEffect(() => {
    // The stream of training events tells that a run ended, or that another version serves.
    void queryClient.invalidateQueries({ queryKey: ['operations'] });
  }, [ended, live]);
  if (me.data !== undefined && me.data.role !== 'operator') {
    return (
      <>
        <h1 className={page['title']}>Training</h1>
        <p className={page['lead']}>This page is for operators. Practice and your insights are not affected.</p>
      </>
    );
  }
  return (
    <>
      <h1 className={page['title']}>Training</h1>
      <p className={page['lead']}>Models are trained in the background and judged on answers they never saw. Nobody waits for it.</p>
      {training.isPending && <Skeleton height={140} />}
      {training.error !== null && <LoadProblem what="The training" error={training.error} retry={() => void training.refetch()} />}
      {training.data !== undefined && <Now training={training.data} ask={setDeed} />}
      <p className={classes['said']} role="status" data-testid="said">
        {said}
      </p>
      <Versions ask={setDeed} />
      <LiveQuality />
      <Experiments ask={setDeed} />
      <Runs />
      <Audit />
      {deed !== null && (
        <ReasonDialog
          deed={deed}
          onClose={() => setDeed(null)}
          onDone={(words) => {
            setDeed(null);
            setSaid(words);
          }}
        />
      )}
    </>
  );
}
