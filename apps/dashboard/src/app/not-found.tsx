import { Link } from '@tanstack/react-router'
import { Empty } from '../ui/empty.tsx'
import { keepRange } from './range.ts'

export function NotFoundPage() {
  return (
    <Empty title="There is no such page">
      The address may be old or cut off.{' '}
      <Link to="/" search={keepRange}>
        The Yard
      </Link>{' '}
      shows what there is.
    </Empty>
  )
}
