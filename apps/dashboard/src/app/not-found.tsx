import { Link } from '@tanstack/react-router'
import { Page } from '../ui/page.tsx'
import { keepRange } from './range.ts'

export function NotFoundPage() {
  return (
    <Page title="There is no such page">
      <p>
        The address may be old or cut off.{' '}
        <Link to="/" search={keepRange}>
          The Yard
        </Link>{' '}
        shows what there is.
      </p>
    </Page>
  )
}
