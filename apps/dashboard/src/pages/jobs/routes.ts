// Addresses of jobs, and of failures, which are jobs in groups.
import { createRoute } from '@tanstack/react-router'
import { lazyPage } from '../../app/lazy-page.ts'
import { rootRoute } from '../../app/root-route.ts'
import { readJobFilter } from './job-filter.ts'
import { beginJobList } from './list-query.ts'

const jobsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/jobs',
  validateSearch: readJobFilter,
  loader: ({ location }) => void beginJobList(location.search),
  component: lazyPage(() => import('./jobs-page.tsx'), 'JobsPage'),
})

const jobRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/jobs/$id',
  component: lazyPage(() => import('../job/job-page.tsx'), 'JobPage'),
})

const failuresRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/failures',
  validateSearch: ({ endpoint }): { endpoint?: string } => (typeof endpoint === 'string' && endpoint !== '' ? { endpoint } : {}),
  component: lazyPage(() => import('../failures/failures-page.tsx'), 'FailuresPage'),
})

export const jobRoutes = [jobsRoute, jobRoute, failuresRoute] as const
