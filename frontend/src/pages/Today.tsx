import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSyncExternalStore } from 'react';
import type { JSX } from 'react';

import type { Insights, Topic, TopicInsight, Training } from '../api';
import { practice, queries } from '../app';
import { ago, capitalised, chance, plural, share } from '../lib/format';
import classes from './Page.module.css';
import { LoadProblem, Skeleton } from './parts';

function Hero(): JSX.Element {
  const view = useSyncExternalStore(practice.view.subscribe, practice.view.get);
  const underWay = view.task !== null && view.phase !== 'judged';
  return (
    <div className={`${classes['card'] ?? ''} ${classes['hero'] ?? ''}`}>
      <div>
        <h2>{underWay ? 'Go on where you were' : 'Your next task is chosen'}</h2>
        <p>
          {underWay && view.task !== null
            ? `${view.task.topic}, ${view.task.difficulty}.${view.draft === '' ? '' : ' What you typed is still there.'}`
            : 'We pick topic and difficulty from what you have answered so far; you can change both.'}
        </p>
      </div>
      <Button component={Link} to="/dashboard/tasks" size="lg" data-testid="start-practice">
        {underWay ? 'Continue practice' : 'Start practice'}
      </Button>
    </div>
  );
}

function Stats({ insights }: { insights: Insights }): JSX.Element {
  const day = new Date().toISOString().slice(0, 10);
  const today = insights.days.find((count) => count.day === day) ?? { answers: 0, correct: 0 };
  return (
    <dl className={classes['stats']}>
      <div>
        <dt>Answers today</dt>
        <dd>
          {today.answers}
          <small>since midnight UTC</small>
        </dd>
      </div>
      <div>
        <dt>Right today</dt>
        <dd>
          {share(today.correct, today.answers)}
          <small>n = {today.answers}</small>
        </dd>
      </div>
      <div>
        <dt>Right so far</dt>
        <dd>
          {share(insights.correct, insights.answers)}
          <small>n = {insights.answers}</small>
        </dd>
      </div>
    </dl>
  );
}

const KINDS: Record<string, string> = {
  attention: 'looks back on your last answers',
  sequence: 'reads your whole history',
  lnirt: 'ability and speed',
  prior: 'what is typical',
};

function modelSentence(training: Training): string {
  const model = training.live_model;
  if (model === null) {
    return training.total_completed === 0
      ? `Nothing is known yet, so the first forecasts are only guesses. After ${plural(training.threshold, 'answer')} the first model is trained in the background.`
      : 'No model has been trained yet; forecasts rest on what is typical, and move with each answer.';
  }
  const kind = KINDS[model.kind];
  return `Forecasts come from model v${model.version} (${model.kind}${kind === undefined ? '' : `: ${kind}`}), trained on ${plural(
    model.samples,
    'answer',
  )}, ${ago(model.published_at)}.`;
}

/** What is known about a topic: so far, and now. */
function topicLines(insight: TopicInsight | undefined): string[] {
  if (insight === undefined || insight.answers === 0) return ['new to you'];
  const soFar = `${insight.correct} of ${insight.answers} right`;
  return insight.p_correct_now === null ? [soFar] : [soFar, `now ${chance(insight.p_correct_now)}`];
}

function TopicList({ topics, insights }: { topics: Topic[]; insights: TopicInsight[] }): JSX.Element {
  // A subject with one topic of the same name needs no heading of its own.
  const subjects = [...new Set(topics.map((topic) => topic.subject))];
  const flat = subjects.length === topics.length || subjects.length > topics.length * 0.6;
  const groups = flat ? [topics] : subjects.map((subject) => topics.filter((topic) => topic.subject === subject));
  return (
    <>
      {groups.map((group) => (
        <div key={group[0]?.subject}>
          {!flat && <h3 className={classes['subject']}>{group[0]?.subject}</h3>}
          <ul className={classes['topics']}>
            {group.map(({ subject, topic }) => (
              <li key={`${subject}/${topic}`} style={{ display: 'grid' }}>
                <Link to="/dashboard/tasks" search={{ subject, topic }} className={classes['topic']} data-testid="topic-chip">
                  <strong>{capitalised(topic)}</strong>
                  {topicLines(insights.find((known) => known.subject === subject && known.topic === topic)).map((line) => (
                    <span key={line}>{line}</span>
                  ))}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

/** What now: one button, the topics, and how today went. */
export function Today(): JSX.Element {
  const topics = useQuery(queries.topics);
  const insights = useQuery(queries.insights);
  const training = useQuery(queries.training);
  return (
    <>
      <h1 className={classes['title']}>What now?</h1>
      <Hero />
      {insights.isPending ? (
        <div style={{ marginTop: 16 }}>
          <Skeleton height={112} />
        </div>
      ) : insights.isError ? (
        <LoadProblem what="Your figures" error={insights.error} retry={() => void insights.refetch()} />
      ) : insights.data.answers === 0 ? (
        <p className={classes['note']} style={{ marginTop: 16 }}>
          After your first answer, today’s count and how many were right appear here.
        </p>
      ) : (
        <Stats insights={insights.data} />
      )}
      <section className={classes['section']} aria-labelledby="topics">
        <h2 id="topics" className={classes['sectionTitle']}>
          Or choose a topic
        </h2>
        {topics.isPending ? (
          <div style={{ marginTop: 16 }}>
            <Skeleton height={144} />
          </div>
        ) : topics.isError ? (
          <LoadProblem what="The topics" error={topics.error} retry={() => void topics.refetch()} />
        ) : (
          <TopicList topics={topics.data.topics} insights={insights.data?.topics ?? []} />
        )}
      </section>
      <section className={classes['section']} aria-labelledby="model">
        <h2 id="model" className={classes['sectionTitle']}>
          The forecast
        </h2>
        <p className={classes['note']} style={{ marginTop: 6 }} data-testid="model-state">
          {training.data === undefined ? ' ' : modelSentence(training.data)}
          {training.data?.worker_alive === false && ' Training rests at the moment; practice and forecasts go on.'}
        </p>
      </section>
    </>
  );
}
