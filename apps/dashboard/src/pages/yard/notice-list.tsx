import { Link } from '@tanstack/react-router'
import { keepRange } from '../../app/range.ts'
import { Moment } from '../../ui/moment.tsx'
import { Status } from '../../ui/status.tsx'
import type { Trouble } from './describe-pool.ts'
import styles from './notice-list.module.css'

/** What needs a person, with its reason, since when, the command that mends it, and where to look. */
export function NoticeList({ troubles }: { readonly troubles: readonly Trouble[] }) {
  if (troubles.length === 0) return null
  return (
    <section aria-labelledby="notices">
      <h2 id="notices">Needs you</h2>
      <ul className={styles.list}>
        {troubles.map(({ subject, message, command, since, endpointId }) => (
          <li key={`${subject} ${message}`} className={styles.notice}>
            <Status kind={since === undefined ? 'throttled' : 'trouble'} word={subject} />
            <span>
              {message}
              {since !== undefined && (
                <>
                  {' · since '}
                  <Moment at={since} />
                </>
              )}
              {' · '}
              <code>{command}</code>
              {endpointId !== undefined && (
                <>
                  {' · '}
                  <Link to="/jobs" search={(before) => ({ ...keepRange(before), endpoint: subject, status: 'IN_QUEUE' as const })}>
                    jobs that wait<span className="visually-hidden"> at {subject}</span>
                  </Link>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
