import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { PAGES } from './pages.ts'
import styles from './find-dialog.module.css'

interface Shortcut {
  readonly keys: readonly string[]
  readonly what: string
}

const ANYWHERE: readonly Shortcut[] = [
  { keys: ['/'], what: 'find: a page, an endpoint, a worker, a card or a job' },
  { keys: ['⌘K', 'Ctrl K'], what: 'the same, also while typing' },
  { keys: ['?'], what: 'this list' },
  { keys: ['Esc'], what: 'close what is open' },
]
const ON_LISTS: readonly Shortcut[] = [
  { keys: ['j', 'k'], what: 'next and previous row' },
  { keys: ['Enter'], what: 'open it' },
  { keys: ['x'], what: 'select it' },
  { keys: ['r'], what: 'retry it, or what is selected; asks first' },
  { keys: ['c'], what: 'cancel it, or what is selected; asks first' },
]
const ON_STEPS: readonly Shortcut[] = [{ keys: ['q'], what: 'give the wait a scale of its own, or not' }]

export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <Keys title="Anywhere" shortcuts={ANYWHERE} />
      <Keys title="Go to" shortcuts={PAGES.map(({ key, label }) => ({ keys: [`g ${key}`], what: label }))} />
      <Keys title="Jobs" shortcuts={ON_LISTS} />
      <Keys title="Steps of a job or a start" shortcuts={ON_STEPS} />
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  )
}

function Keys({ title, shortcuts }: { readonly title: string; readonly shortcuts: readonly Shortcut[] }) {
  return (
    <section className={styles.keys}>
      <h3>{title}</h3>
      <dl>
        {shortcuts.map(({ keys, what }) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
