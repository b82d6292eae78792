import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { Failed, NotFound } from './shell/Failed';
import { Shell } from './shell/Shell';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed });

const home = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/dashboard', replace: true, throw: true });
  },
});

const today = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dashboard',
  component: lazyRouteComponent(() => import('./pages/Today'), 'Today'),
});

export interface PracticeSearch {
  subject?: string;
  topic?: string;
  difficulty?: string;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

const practice = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dashboard/tasks',
  validateSearch: (search: Record<string, unknown>): PracticeSearch => {
    const subject = text(search['subject']);
    const topic = text(search['topic']);
    const difficulty = text(search['difficulty']);
    return {
      ...(subject !== undefined && { subject }),
      ...(topic !== undefined && { topic }),
      ...(difficulty !== undefined && { difficulty }),
    };
  },
  component: lazyRouteComponent(() => import('./practice/Practice'), 'Practice'),
});

const analytics = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dashboard/analytics',
  component: lazyRouteComponent(() => import('./pages/Analytics'), 'Analytics'),
});

const training = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dashboard/training',
  component: lazyRouteComponent(() => import('./training/TrainingPage'), 'TrainingPage'),
});

const settings = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dashboard/settings',
  component: lazyRouteComponent(() => import('./pages/Settings'), 'Settings'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([home, today, practice, analytics, training, settings]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
