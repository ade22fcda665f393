// What a job carries: nothing until it is asked for, then its beginning, then all. It stays text; a tree is drawn only of what is complete.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { JobDetailView, JobValueView } from '@runyard/schema/api'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { formatBytes } from '../../ui/format.ts'
import { JsonTree } from '../../ui/json-tree.tsx'
import { Problem } from '../../ui/problem.tsx'
import { describeAbsent, valueQuery, type ValueName } from './job-queries.ts'
import styles from './job-page.module.css'

type Shown = 'nothing' | 'beginning' | 'all'

export interface JobValueProps {
  readonly job: Pick<JobDetailView, 'id' | 'status' | 'kept'>
  readonly name: ValueName
}

export function JobValue({ job, name }: JobValueProps) {
  const [shown, setShown] = useState<Shown>('nothing')
  const query = valueQuery(job, name, shown === 'all')
  const { data, error } = useQuery({ ...query, enabled: query.enabled === true && shown !== 'nothing' })
  const absent = data === undefined ? describeAbsent(job, name) : undefined
  const title = name === 'input' ? 'Input' : job.status === 'IN_PROGRESS' ? 'Progress' : 'Output'
  return (
    <section className={styles.section} aria-labelledby={name}>
      <h2 id={name}>{title}</h2>
      {absent !== undefined && <p className={styles.muted}>{absent}</p>}
      {shown === 'nothing' && absent === undefined && (
        <div className={styles.actions}>
          <Button onClick={() => setShown('beginning')}>Show {title.toLowerCase()}</Button>
        </div>
      )}
      {error && <Problem error={error} />}
      {data && <Value value={data} title={title} onAll={() => setShown('all')} />}
    </section>
  )
}

interface ValueProps {
  readonly value: JobValueView
  readonly title: string
  readonly onAll: () => void
}

function Value({ value: { text, bytes, isWhole }, title, onAll }: ValueProps) {
  const [isTree, setTree] = useState(false)
  const parsed = isWhole && isTree ? parse(text) : undefined
  return (
    <>
      <div className={styles.actions}>
        {!isWhole && <Button onClick={onAll}>Show all {formatBytes(bytes)}</Button>}
        {isWhole && (
          <Button aria-pressed={isTree} onClick={() => setTree(!isTree)}>
            As a tree
          </Button>
        )}
        {isWhole && <CopyButton text={text} />}
      </div>
      {parsed === undefined ? (
        <pre className={styles.text} tabIndex={0} role="region" aria-label={title}>
          {text}
          {!isWhole && '…'}
        </pre>
      ) : (
        <JsonTree value={parsed.value} />
      )}
    </>
  )
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
