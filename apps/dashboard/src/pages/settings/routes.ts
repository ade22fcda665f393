// Addresses of the settings, all below one layout.
import { createRoute, redirect } from '@tanstack/react-router'
import { lazyPage } from '../../app/lazy-page.ts'
import { rootRoute } from '../../app/root-route.ts'
import { readConfigSearch } from './config-search.ts'

const layoutRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  component: lazyPage(() => import('./settings-layout.tsx'), 'SettingsLayout'),
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
  component: lazyPage(() => import('./keys-page.tsx'), 'KeysPage'),
})

const webhooksRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'webhooks',
  validateSearch: ({ endpoint }): { endpoint?: string } => (typeof endpoint === 'string' ? { endpoint } : {}),
  component: lazyPage(() => import('./webhooks-page.tsx'), 'WebhooksPage'),
})

const registriesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'registries',
  component: lazyPage(() => import('./registries-page.tsx'), 'RegistriesPage'),
})

const secretsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'secrets',
  component: lazyPage(() => import('./secrets-page.tsx'), 'SecretsPage'),
})

const volumesRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'volumes',
  component: lazyPage(() => import('./volumes-page.tsx'), 'VolumesPage'),
})

const hostsRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'hosts',
  component: lazyPage(() => import('./hosts-page.tsx'), 'HostsPage'),
})

const configRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'config',
  validateSearch: readConfigSearch,
  component: lazyPage(() => import('./config-page.tsx'), 'ConfigPage'),
})

const aboutRoute = createRoute({
  getParentRoute: () => layoutRoute,
  path: 'about',
  component: lazyPage(() => import('./about-page.tsx'), 'AboutPage'),
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
