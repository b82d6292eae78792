import { useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import type { JSX } from 'react';

import { signedOut } from '../api';
import { outbox, practice, queries, queryClient, wireOutbox } from '../app';
import { TrainingIndicator } from '../training/TrainingIndicator';
import { watchTraining } from '../training/watch';
import { Icon } from './icons';
import type { IconName } from './icons';
import classes from './Shell.module.css';
import { SyncState } from './SyncState';

const SignInDialog = lazy(() => import('./SignIn').then((module) => ({ default: module.SignInDialog })));

interface Page {
  to: '/dashboard' | '/dashboard/tasks' | '/dashboard/analytics' | '/dashboard/training' | '/dashboard/settings';
  word: string;
  icon: IconName;
  id: string;
  operators?: true;
}

const PAGES: Page[] = [
  { to: '/dashboard', word: 'Today', icon: 'today', id: 'nav-today' },
  { to: '/dashboard/tasks', word: 'Practice', icon: 'practice', id: 'nav-practice' },
  { to: '/dashboard/analytics', word: 'Insights', icon: 'insights', id: 'nav-analytics' },
  { to: '/dashboard/training', word: 'Training', icon: 'training', id: 'nav-training', operators: true },
  { to: '/dashboard/settings', word: 'Settings', icon: 'settings', id: 'nav-settings' },
];

/** Whoever is signed in owns the outbox and the practice loop from then on. */
function useIdentity(): void {
  const me = useQuery(queries.me);
  const learnerId = me.data?.learner_id;
  useEffect(() => {
    if (learnerId === undefined) return;
    void outbox.setLearner(learnerId);
    void practice.open(learnerId).then(() => {
      // Somebody else signed in while the practice screen was open: they need a task of their own.
      if (location.pathname === '/dashboard/tasks') practice.begin();
    });
  }, [learnerId]);
}

/** The theme kept with the learner wins over the one this browser remembers. */
function useTheme(): void {
  const preferences = useQuery(queries.preferences);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const wanted = preferences.data?.theme;
  useEffect(() => {
    if (wanted !== undefined && wanted !== colorScheme) setColorScheme(wanted);
    // Only a change on the server's side is news; a change here is on its way there.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);
}

/**
 * Parts not needed at first are fetched once the page rests, so that they are there when the
 * network is not.
 */
function useLaterParts(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      const parts = [
        import('./SyncDetails'),
        import('./SignIn'),
        import('../pages/Today'),
        import('../practice/Practice'),
        import('../practice/KeyList'),
      ];
      // Whatever does not come now is asked for again when it is needed.
      void Promise.allSettled(parts);
    }, 3_000);
    return () => clearTimeout(timer);
  }, []);
}

export function Shell(): JSX.Element {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const operator = useQuery(queries.me).data?.role === 'operator';
  const locked = useSyncExternalStore(signedOut.subscribe, signedOut.get);
  useIdentity();
  useTheme();
  useLaterParts();
  useEffect(wireOutbox, []);
  useEffect(() => (locked ? undefined : watchTraining(queryClient)), [locked]);
  useEffect(() => {
    const page = PAGES.find(({ to }) => to === path);
    document.title = page === undefined ? 'StudySmart' : `${page.word} · StudySmart`;
  }, [path]);

  return (
    <div className={classes['shell']} data-practising={path === '/dashboard/tasks' ? true : undefined}>
      <a className={classes['skip']} href="#main">
        Skip to content
      </a>
      <header className={classes['header']}>
        <Link to="/dashboard" className={classes['brand']} aria-label="StudySmart, today">
          <img src="/favicon.svg" alt="" width={26} height={26} />
          <span>StudySmart</span>
        </Link>
        <nav className={classes['nav']} aria-label="Pages">
          {PAGES.filter(({ operators }) => operators !== true || operator).map(({ to, word, icon, id }) => (
            <Link key={to} to={to} data-testid={id} activeOptions={{ exact: true, includeSearch: false }}>
              <Icon name={icon} />
              {word}
            </Link>
          ))}
        </nav>
        <div className={classes['status']}>
          <SyncState />
          <TrainingIndicator />
        </div>
      </header>
      <main id="main" className={classes['main']} tabIndex={-1}>
        <Outlet />
      </main>
      {locked && (
        <Suspense fallback={null}>
          <SignInDialog />
        </Suspense>
      )}
    </div>
  );
}
