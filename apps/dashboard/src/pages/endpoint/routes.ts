// Addresses of endpoints with their tabs, of workers and of logs.
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { rootRoute } from '../../app/root-route.ts'
import { readPreviewSearch } from '../preview/settings-search.ts'
import { readLogFilter } from '../../ui/logs/log-filter.ts'

const endpointsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/endpoints',
  component: lazyRouteComponent(() => import('../endpoints/endpoints-page.tsx'), 'EndpointsPage'),
})

const newEndpointRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/endpoints/new',
  component: lazyRouteComponent(() => import('../endpoints/new-endpoint-page.tsx'), 'NewEndpointPage'),
})

const endpointRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/endpoints/$id',
  component: lazyRouteComponent(() => import('./endpoint-page.tsx'), 'EndpointPage'),
})

const under = { getParentRoute: () => endpointRoute }
const tabRoutes = [
  createRoute({ ...under, path: '/', component: lazyRouteComponent(() => import('./overview-tab.tsx'), 'OverviewTab') }),
  createRoute({ ...under, path: '/requests', component: lazyRouteComponent(() => import('./requests-tab.tsx'), 'RequestsTab') }),
  createRoute({ ...under, path: '/workers', component: lazyRouteComponent(() => import('./workers-tab.tsx'), 'WorkersTab') }),
  createRoute({
    ...under,
    path: '/logs',
    validateSearch: readLogFilter,
    component: lazyRouteComponent(() => import('./logs-tab.tsx'), 'LogsTab'),
  }),
  createRoute({ ...under, path: '/metrics', component: lazyRouteComponent(() => import('./metrics-tab.tsx'), 'MetricsTab') }),
  createRoute({ ...under, path: '/releases', component: lazyRouteComponent(() => import('./releases-tab.tsx'), 'ReleasesTab') }),
  createRoute({ ...under, path: '/batches', component: lazyRouteComponent(() => import('./batches-tab.tsx'), 'BatchesTab') }),
  createRoute({ ...under, path: '/settings', component: lazyRouteComponent(() => import('./settings-tab.tsx'), 'SettingsTab') }),
  createRoute({
    ...under,
    path: '/preview',
    validateSearch: readPreviewSearch,
    component: lazyRouteComponent(() => import('../preview/preview-tab.tsx'), 'PreviewTab'),
  }),
] as const

const workerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/workers/$id',
  validateSearch: readLogFilter,
  component: lazyRouteComponent(() => import('../worker/worker-page.tsx'), 'WorkerPage'),
})

const logsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/logs',
  validateSearch: readLogFilter,
  component: lazyRouteComponent(() => import('../logs/logs-page.tsx'), 'LogsPage'),
})

export const endpointRoutes = [endpointsRoute, newEndpointRoute, endpointRoute.addChildren(tabRoutes), workerRoute, logsRoute] as const
