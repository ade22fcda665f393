// Addresses of the settings, all below one layout.
import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { rootRoute } from '../../app/root-route.ts'
import { readConfigSearch } from './config-search.ts'

const layoutRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings-layout.tsx'), 'SettingsLayout'),
})

const indexRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/keys' })
  },
})

const keysRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'keys',
  component: lazyRouteComponent(() => import('./keys-page.tsx'), 'KeysPage'),
})

const webhooksRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'webhooks',
  validateSearch: ({ endpoint }): { endpoint?: string } => (typeof endpoint === 'string' ? { endpoint } : {}),
  component: lazyRouteComponent(() => import('./webhooks-page.tsx'), 'WebhooksPage'),
})

const registriesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'registries',
  component: lazyRouteComponent(() => import('./registries-page.tsx'), 'RegistriesPage'),
})

const secretsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'secrets',
  component: lazyRouteComponent(() => import('./secrets-page.tsx'), 'SecretsPage'),
})

const volumesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'volumes',
  component: lazyRouteComponent(() => import('./volumes-page.tsx'), 'VolumesPage'),
})

const hostsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'hosts',
  component: lazyRouteComponent(() => import('./hosts-page.tsx'), 'HostsPage'),
})

const configRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'config',
  validateSearch: readConfigSearch,
  component: lazyRouteComponent(() => import('./config-page.tsx'), 'ConfigPage'),
})

const aboutRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'about',
  component: lazyRouteComponent(() => import('./about-page.tsx'), 'AboutPage'),
})

export const settingsRoutes = layoutRoute.addChildren([
  indexRoute,
  keysRoute,
  webhooksRoute,
  registriesRoute,
  secretsRoute,
  volumesRoute,
  hostsRoute,
  configRoute,
  aboutRoute,
])
