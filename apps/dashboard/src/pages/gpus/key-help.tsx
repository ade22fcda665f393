import { KEY_HELP } from '../../timeline/commands.ts'
import styles from './gpus.module.css'

/** What keys do on the picture; also its description for screen readers. */
export function KeyHelp() {
  return (
    <details className={styles.help}>
      <summary>Keys and pointer</summary>
      <dl className={styles.keys} id="timeline-keys">
        {KEY_HELP.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        <div>
          <dt>drag · shift and drag</dt>
          <dd>pan · select a range</dd>
        </div>
        <div>
          <dt>ctrl and wheel, pinch</dt>
          <dd>zoom at the pointer</dd>
        </div>
      </dl>
    </details>
  )
}
