// Addresses of jobs.
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../app/root-route.ts'
import { readJobFilter } from './job-filter.ts'

const jobsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/jobs',
  validateSearch: readJobFilter,
  component: lazyRouteComponent(() => import('./jobs-page.tsx'), 'JobsPage'),
})

const jobRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/jobs/$id',
  component: lazyRouteComponent(() => import('../job/job-page.tsx'), 'JobPage'),
})

export const jobRoutes = [jobsRoute, jobRoute] as const
