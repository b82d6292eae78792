import { Button, NativeSelect } from '@mantine/core';
import '@mantine/core/styles/Input.css';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { JSX } from 'react';

import { ago, plural } from '../lib/format';
import page from '../pages/Page.module.css';
import { LoadProblem, Skeleton } from '../pages/parts';
import { deedsFor, judged, operations, wordsOf } from './operations';
import type { Comparison, Deed, Version } from './operations';
import classes from './TrainingPage.module.css';

const STATUS: Record<Version['status'], string> = { live: 'live', retired: 'retired', challenger: 'challenger' };
const SHOWN = 8;

function figures(version: Version): string {
  const n = judged(version, 'n');
  const told = [
    ['log loss', judged(version, 'log_loss')],
    ['AUC', judged(version, 'auc')],
    ['ECE', judged(version, 'ece')],
    ['80 % interval covers', judged(version, 'coverage_80')],
  ]
    .filter((pair): pair is [string, number] => typeof pair[1] === 'number')
    .map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return n === null || told.length === 0 ? 'Not judged here.' : `On ${plural(n, 'later answer')}: ${told.join(', ')}.`;
}

function Row({ version, ask }: { version: Version; ask: (deed: Deed) => void }): JSX.Element {
  const tone = version.fault !== null ? 'attention' : version.status === 'live' ? 'good' : undefined;
  return (
    <li data-testid={`version-${version.version}`}>
      <div>
        <div className={classes['head']}>
          <strong>Version {version.version}</strong>
          <span className={classes['tag']} data-tone={tone}>
            {version.fault !== null ? 'damaged' : STATUS[version.status]}
          </span>
          {version.pinned && <span className={classes['tag']}>pinned</span>}
          {version.source === 'imported' && <span className={classes['tag']}>imported</span>}
        </div>
        <p>
          {version.kind}, {plural(version.samples, 'answer')}, {ago(version.published_at)}. {version.fault ?? figures(version)}
        </p>
      </div>
      <div className={classes['actions']}>
        {deedsFor(version).map((deed) => (
          <Button
            key={deed.what}
            size="xs"
            variant="default"
            aria-label={`${wordsOf(deed).button} version ${version.version}`}
            onClick={() => ask(deed)}
          >
            {wordsOf(deed).button}
          </Button>
        ))}
      </div>
    </li>
  );
}

function Differences({ found }: { found: Comparison }): JSX.Element {
  const rows = [
    ['log loss of an answer', found.differences.log_loss],
    ['loss of the time', found.differences.time_loss],
    ['both together', found.differences.joint],
  ] as const;
  return (
    <div role="status" data-testid="comparison">
      <p className={classes['facts']}>{found.sentence}</p>
      <div className={classes['table']}>
        <table>
          <thead>
            <tr>
              <th scope="col">
                version {found.b.version} less version {found.a.version}; below 0 version {found.b.version} is better
              </th>
              <th scope="col">mean</th>
              <th scope="col">95 % interval</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, { mean, low, high }]) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{mean === null ? '–' : mean.toFixed(4)}</td>
                <td>{low === null || high === null ? 'too few answers' : `${low.toFixed(4)} to ${high.toFixed(4)}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={page['note']}>
        On the same {plural(found.answers, 'newest answer')} of {plural(found.learners, 'learner')}; {found.unseen} of them neither
        was fitted on.
      </p>
    </div>
  );
}

function Compare({ versions }: { versions: Version[] }): JSX.Element | null {
  const sound = versions.filter(({ has_data, fault }) => has_data && fault === null).map(({ version }) => String(version));
  // Until somebody chooses: the two newest, also those that came after the page.
  const [chosen, choose] = useState<{ a?: string; b?: string }>({});
  const a = chosen.a ?? sound[1] ?? '';
  const b = chosen.b ?? sound[0] ?? '';
  const compare = useMutation({ mutationFn: () => operations.compare(Number(a), Number(b)), networkMode: 'always' });
  if (sound.length < 2) return null;
  return (
    <>
      <form
        className={classes['compare']}
        onSubmit={(event) => {
          event.preventDefault();
          compare.mutate();
        }}
      >
        <NativeSelect label="Compare version" data={sound} value={a} onChange={(event) => choose({ ...chosen, a: event.currentTarget.value })} />
        <NativeSelect label="with version" data={sound} value={b} onChange={(event) => choose({ ...chosen, b: event.currentTarget.value })} />
        <Button type="submit" variant="default" loading={compare.isPending} disabled={a === b}>
          Compare
        </Button>
      </form>
      {compare.error !== null && (
        <p role="alert" className={classes['warning']}>
          {compare.error.message}
        </p>
      )}
      {compare.data !== undefined && <Differences found={compare.data} />}
    </>
  );
}

/** Every version of the model, the newest first, and what may be done with it. */
export function Versions({ ask }: { ask: (deed: Deed) => void }): JSX.Element {
  const versions = useQuery({ queryKey: ['operations', 'versions'], queryFn: operations.versions, refetchInterval: 5_000 });
  const [all, setAll] = useState(false);
  return (
    <section className={page['section']} aria-labelledby="versions">
      <div className={page['row']} style={{ border: 0, padding: 0 }}>
        <h2 id="versions" className={page['sectionTitle']}>
          Versions of the model
        </h2>
        {(versions.data?.length ?? 0) > 1 && (
          <Button size="xs" variant="default" onClick={() => ask({ what: 'rollback' })} data-testid="do-rollback">
            Roll back
          </Button>
        )}
      </div>
      {versions.isPending && <Skeleton height={160} />}
      {versions.error !== null && (
        <LoadProblem what="The versions" error={versions.error} retry={() => void versions.refetch()} />
      )}
      {versions.data?.length === 0 && (
        <p className={page['note']}>None yet. After the first training the model that it made stands here; until then the prior answers.</p>
      )}
      {versions.data !== undefined && versions.data.length > 0 && (
        <>
          <ul className={classes['list']}>
            {versions.data.slice(0, all ? undefined : SHOWN).map((version) => (
              <Row key={version.version} version={version} ask={ask} />
            ))}
          </ul>
          {versions.data.length > SHOWN && !all && (
            <Button mt="sm" size="xs" variant="subtle" color="gray" onClick={() => setAll(true)}>
              Show all {versions.data.length}
            </Button>
          )}
          <Compare versions={versions.data} />
        </>
      )}
    </section>
  );
}
