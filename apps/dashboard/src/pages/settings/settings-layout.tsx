// Settings: one list after the other, each with an address of its own.
import { Link, Outlet } from '@tanstack/react-router'
import { keepRange } from '../../app/range.ts'
import { Page } from '../../ui/page.tsx'
import { TabLinks } from '../../ui/tab-links.tsx'

const PARTS = [
  { to: '/settings/keys', label: 'Keys' },
  { to: '/settings/webhooks', label: 'Webhooks' },
  { to: '/settings/registries', label: 'Registries' },
  { to: '/settings/secrets', label: 'Secrets' },
  { to: '/settings/volumes', label: 'Volumes' },
  { to: '/settings/hosts', label: 'Hosts' },
  { to: '/settings/config', label: 'Config' },
  { to: '/settings/about', label: 'About' },
] as const

export function SettingsLayout() {
  return (
    <Page title="Settings">
      <TabLinks label="Settings">
        {PARTS.map(({ to, label }) => (
          <Link key={to} to={to} search={keepRange} activeOptions={{ includeSearch: false }}>
            {label}
          </Link>
        ))}
      </TabLinks>
      <Outlet />
    </Page>
  )
}
