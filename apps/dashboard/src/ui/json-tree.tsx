// JSON to fold and unfold. Values stay text: nothing of a job is ever drawn as HTML.
import styles from './json-tree.module.css'

/** What is open at first. */
const OPEN_LEVELS = 3
const MOST_MEMBERS = 200

export interface JsonTreeProps {
  readonly value: unknown
  readonly name?: string
  readonly level?: number
}

export function JsonTree({ value, name, level = 0 }: JsonTreeProps) {
  if (typeof value !== 'object' || value === null) {
    return (
      <div className={styles.leaf}>
        <Name name={name} />
        <code data-type={value === null ? 'null' : typeof value}>{JSON.stringify(value)}</code>
      </div>
    )
  }
  const members = Object.entries(value)
  const size = Array.isArray(value) ? `[${members.length}]` : `{${members.length}}`
  return (
    <details className={styles.branch} open={level < OPEN_LEVELS}>
      <summary>
        <Name name={name} />
        <span className={styles.size}>{size}</span>
      </summary>
      <div className={styles.members}>
        {members.slice(0, MOST_MEMBERS).map(([key, member]) => (
          <JsonTree key={key} name={key} value={member} level={level + 1} />
        ))}
        {members.length > MOST_MEMBERS && <div className={styles.size}>and {members.length - MOST_MEMBERS} more, which the text shows</div>}
      </div>
    </details>
  )
}

function Name({ name }: { readonly name: string | undefined }) {
  return name === undefined ? null : <span className={styles.name}>{name}: </span>
}
