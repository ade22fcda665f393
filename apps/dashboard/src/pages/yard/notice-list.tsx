import type { NoticeListView } from '@runyard/schema/api'
import { Moment } from '../../ui/moment.tsx'
import { Status } from '../../ui/status.tsx'
import styles from './notice-list.module.css'

/** What needs a person, with its reason and since when. */
export function NoticeList({ notices }: { readonly notices: NoticeListView['notices'] }) {
  if (notices.length === 0) return null
  return (
    <section aria-labelledby="notices">
      <h2 id="notices">Needs you</h2>
      <ul className={styles.list}>
        {notices.map(({ event, subject, message, since }) => (
          <li key={`${event} ${subject}`} className={styles.notice}>
            <Status kind="trouble" word={subject} />
            <span>
              {message}
              {since !== null && (
                <>
                  {' · since '}
                  <Moment at={Date.parse(since)} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
