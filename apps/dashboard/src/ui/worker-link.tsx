import { Link } from '@tanstack/react-router'
import { keepRange } from '../app/range.ts'
import { shortId } from './format.ts'

export function WorkerLink({ id }: { readonly id: string }) {
  return (
    <Link to="/workers/$id" params={{ id }} search={keepRange} title={id}>
      <code>{shortId(id)}</code>
    </Link>
  )
}
