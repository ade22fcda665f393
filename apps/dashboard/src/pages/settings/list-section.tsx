// What all lists of the settings have: what it is, the one thing to do, who may, and the rows.
import { useMutation, useQuery, useQueryClient, type QueryKey, type UseQueryOptions } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { KeyScope } from '@runyard/schema'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { Part } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import styles from './settings.module.css'

export interface ListSectionProps<Row> {
  readonly title: string
  readonly intro: ReactNode
  /** Scope that reading needs. */
  readonly reads: KeyScope
  /** Scope that changes need. */
  readonly needs?: KeyScope
  readonly query: UseQueryOptions<readonly Row[]>
  readonly columns: readonly TableColumn<Row>[]
  readonly keyOf: (row: Row) => string
  readonly empty: { readonly title: string; readonly hint: ReactNode }
  /** The thing to do here; it needs `admin`. */
  readonly action?: { readonly label: string; readonly onClick: () => void }
  readonly children?: ReactNode
}

export function ListSection<Row>({
  title,
  intro,
  reads,
  needs = 'admin',
  query,
  columns,
  keyOf,
  empty,
  action,
  children,
}: ListSectionProps<Row>) {
  const refused = useRefusal(reads)
  const { data, error, refetch } = useQuery({ ...query, enabled: refused === undefined })
  const mayChange = useRefusal(needs) === undefined
  return (
    <Part
      id="part"
      title={title}
      actions={
        action && (
          <Button kind="primary" disabled={!mayChange} onClick={action.onClick}>
            {action.label}
          </Button>
        )
      }
    >
      <div className={styles.intro}>{intro}</div>
      <ScopeNote needed={refused === undefined ? needs : reads} />
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && <Empty title={empty.title}>{empty.hint}</Empty>}
      {data !== undefined && data.length > 0 && <DataTable caption={title} columns={columns} rows={data} keyOf={keyOf} />}
      {children}
    </Part>
  )
}

/** A change after which a list is read again. */
export function useChange<Given, Answer>(list: QueryKey, change: (given: Given) => Promise<Answer>) {
  const cache = useQueryClient()
  return useMutation({ mutationFn: change, onSuccess: () => cache.invalidateQueries({ queryKey: list }) })
}

/** A button in a row. */
export function RowButton({ label, about, ...rest }: RowButtonProps) {
  const mayChange = useRefusal(rest.needs ?? 'admin') === undefined
  return (
    <Button kind={rest.kind ?? 'plain'} disabled={!mayChange || rest.disabled === true} title={rest.title} onClick={rest.onClick}>
      {label}
      <span className="visually-hidden"> {about}</span>
    </Button>
  )
}

interface RowButtonProps {
  readonly label: string
  /** What the row is, for screen readers. */
  readonly about: string
  readonly kind?: 'plain' | 'danger'
  readonly needs?: KeyScope
  readonly disabled?: boolean
  readonly title?: string | undefined
  readonly onClick: () => void
}
