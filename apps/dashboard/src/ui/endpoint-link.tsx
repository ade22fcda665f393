import { Link } from '@tanstack/react-router'
import { keepRange } from '../app/range.ts'

interface EndpointLinkProps {
  readonly endpoint: { readonly id: string; readonly name: string; readonly isDeleted?: true | undefined }
}

/** The name of an endpoint; one that was deleted has no page. */
export function EndpointLink({ endpoint: { id, name, isDeleted } }: EndpointLinkProps) {
  if (isDeleted === true) return <span>{name} (deleted)</span>
  return (
    <Link to="/endpoints/$id" params={{ id }} search={keepRange}>
      {name}
    </Link>
  )
}
