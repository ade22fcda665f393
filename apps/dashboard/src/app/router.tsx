// The pages and their addresses. What a page can be asked for is in its search parameters, so that a link shows the same to somebody else; each page is a
// chunk of its own.
import { createRoute, createRouter, redirect } from '@tanstack/react-router'
import { BASE_PATH } from '../api/client.ts'
import { endpointRoutes } from '../pages/endpoint/routes.ts'
import { jobRoutes } from '../pages/jobs/routes.ts'
import { gpuRoutes } from '../pages/gpus/routes.ts'
import { settingsRoutes } from '../pages/settings/routes.ts'
import { WAYS, type Way } from '../pages/start/first-scripts.ts'
import { readUsageSearch } from '../pages/usage/describe-usage.ts'
import { lazyPage } from './lazy-page.ts'
import { rootRoute } from './root-route.ts'

const yardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  component: lazyPage(() => import('../pages/yard/yard-page.tsx'), 'YardPage'),
})

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: ({ next }): { next?: string } => (typeof next === 'string' && /^\/(?![/\\])/u.test(next) ? { next } : {}),
  component: lazyPage(() => import('../pages/sign-in/sign-in-page.tsx'), 'SignInPage'),
})

const usageRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/usage',
  validateSearch: readUsageSearch,
  component: lazyPage(() => import('../pages/usage/usage-page.tsx'), 'UsagePage'),
})

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/start',
  validateSearch: ({ way }): { way?: Way } => {
    const known = WAYS.find((each) => each === way)
    return known === undefined ? {} : { way: known }
  },
  component: lazyPage(() => import('../pages/start/start-page.tsx'), 'StartPage'),
})

/** Links that Runpod's tools print. */
const runpodStorageRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/user/storage',
  beforeLoad: () => {
    throw redirect({ to: '/settings/volumes' })
  },
})

const routeTree = rootRoute.addChildren([
  yardRoute,
  startRoute,
  ...jobRoutes,
  ...gpuRoutes,
  usageRoute,
  ...endpointRoutes,
  signInRoute,
  settingsRoutes,
  runpodStorageRoute,
])

export const router = createRouter({
  routeTree,
  basepath: BASE_PATH,
  defaultPreload: 'intent',
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    readonly router: typeof router
  }
}
