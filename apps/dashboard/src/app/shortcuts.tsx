// Keys of the whole page: `?` what there is, `/` and ⌘K find, `g` and a letter go. What they open is loaded when it is first wanted.
import { useNavigate } from '@tanstack/react-router'
import { Suspense, useEffect, useRef, useState } from 'react'
import { isTyping } from '../ui/keys.ts'
import { lazyPage } from './lazy-page.ts'
import { PAGES } from './pages.ts'
import { keepRange } from './range.ts'
import styles from './shell.module.css'

const FindDialog = lazyPage(() => import('./find-dialog.tsx'), 'FindDialog')
const HelpDialog = lazyPage(() => import('./help-dialog.tsx'), 'HelpDialog')

/** For the letter after `g`. */
const SECOND_KEY_MS = 1500

type Opened = 'find' | 'help'

export function Shortcuts() {
  const [opened, open] = useState<Opened>()
  useGlobalKeys(open)
  const close = (): void => open(undefined)
  return (
    <>
      <button type="button" className={styles.quiet} onClick={() => open('find')}>
        Find{' '}
        <kbd aria-hidden className={styles.forKeys}>
          /
        </kbd>
      </button>
      <button
        type="button"
        className={`${styles.quiet} ${styles.forKeys}`}
        aria-label="Keys of this page"
        title="Keys of this page"
        onClick={() => open('help')}
      >
        ?
      </button>
      <Suspense>
        {opened === 'find' && <FindDialog onClose={close} />}
        {opened === 'help' && <HelpDialog onClose={close} />}
      </Suspense>
    </>
  )
}

function useGlobalKeys(open: (what: Opened) => void): void {
  const navigate = useNavigate()
  const goUntil = useRef(0)
  useEffect(() => {
    const act = (event: KeyboardEvent): boolean => {
      if (isFindKey(event)) open('find')
      else if (isTyping(event)) return false
      else if (performance.now() < goUntil.current) return go(event.key)
      else if (event.key === 'g') goUntil.current = performance.now() + SECOND_KEY_MS
      else if (event.key === '?') open('help')
      else if (event.key === '/') open('find')
      else return false
      return true
    }
    const go = (key: string): boolean => {
      goUntil.current = 0
      const page = PAGES.find((one) => one.key === key)
      if (page !== undefined) void navigate({ to: page.to, search: keepRange })
      return page !== undefined
    }
    // Before the page's own keys: the `j` of `g j` is none of theirs.
    const onKey = (event: KeyboardEvent): void => {
      if (act(event)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey, { capture: true })
    return () => document.removeEventListener('keydown', onKey, { capture: true })
  }, [navigate, open])
}

function isFindKey({ key, metaKey, ctrlKey }: KeyboardEvent): boolean {
  return key === 'k' && (metaKey || ctrlKey) && document.querySelector('dialog[open]') === null
}
