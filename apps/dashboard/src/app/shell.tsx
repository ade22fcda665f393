// What every page has around it: the five questions, the range, whether it is live, zone, theme, and who is signed in.
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { Link, Navigate, Outlet, useLocation, useMatch, useNavigate } from '@tanstack/react-router'
import type { KeyView } from '@runyard/schema/api'
import { useEffect } from 'react'
import { sessionQuery, signOut } from '../api/session.ts'
import { useLiveState, useLiveStream, type LiveState } from '../api/live.ts'
import { endpointsQuery } from '../api/queries.ts'
import { Problem } from '../ui/problem.tsx'
import { Select } from '../ui/select.tsx'
import { zoneName } from '../ui/format.ts'
import { useCurrentInSight } from '../ui/use-current-in-sight.ts'
import { chooseTheme, chooseZone, useTheme, useZone, type Theme } from './preferences.ts'
import { PAGES, titleOf } from './pages.ts'
import { keepRange, useRangeSearch, SPANS, SPAN_WORDS, type Span } from './range.ts'
import { useRefusal } from './scope.tsx'
import { Shortcuts } from './shortcuts.tsx'
import styles from './shell.module.css'

export function Shell() {
  const session = useQuery(sessionQuery)
  useEndOfSession(session.refetch)
  usePageTitle(session.data != null)
  const refusal = useRefusal('view')
  useLiveStream(session.data != null && refusal === undefined)
  return (
    <>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <header className={styles.header}>
        <Link to="/" search={keepRange} className={styles.brand}>
          Runyard
        </Link>
        {session.data && <MainNav />}
        <div className={styles.tools}>
          {session.data && <Shortcuts />}
          {session.data && <RangeSelect />}
          {session.data && <LiveMark />}
          <button type="button" popoverTarget="preferences" className={styles.more}>
            ⋯<span className="visually-hidden">Times, theme and session</span>
          </button>
          <div id="preferences" popover="auto" className={styles.preferences}>
            <ZoneSelect />
            <ThemeSelect />
            {session.data && <Identity name={session.data.name} />}
          </div>
        </div>
      </header>
      <main id="content" className={styles.main} tabIndex={-1}>
        <Content session={session} />
      </main>
    </>
  )
}

function MainNav() {
  return (
    <nav aria-label="Main" className={styles.nav} ref={useCurrentInSight()}>
      {PAGES.map(({ to, label }) => (
        <Link key={to} to={to} search={keepRange} activeOptions={{ exact: to === '/', includeSearch: false }} className={styles.link}>
          {label}
        </Link>
      ))}
    </nav>
  )
}

/** Follows the address. `isSignedIn`: names of endpoints may be asked for. */
function usePageTitle(isSignedIn: boolean): void {
  const { pathname } = useLocation()
  const { data = [] } = useQuery({ ...endpointsQuery, enabled: isSignedIn && pathname.startsWith('/endpoints/') })
  const title = titleOf(pathname, data)
  useEffect(() => {
    document.title = title
  }, [title])
}

/** A session that ends takes its stream with it. */
function useEndOfSession(lookAgain: () => unknown): void {
  const live = useLiveState()
  useEffect(() => {
    if (live === 'lost') void lookAgain()
  }, [live, lookAgain])
}

/** Nothing is asked for before it is known who asks. */
function Content({ session: { data, error, refetch } }: { readonly session: UseQueryResult<KeyView | null> }) {
  const { href, pathname } = useLocation()
  // The address changes before the page does; the page that is left would ask without a session.
  const isSignIn = useMatch({ from: '/sign-in', shouldThrow: false }) !== undefined
  if (isSignIn) return <Outlet />
  if (pathname === '/sign-in') return null
  if (data === null) return <Navigate to="/sign-in" search={href === '/' ? {} : { next: href }} replace />
  if (data !== undefined) return <Outlet />
  return error === null ? <p role="status">Asking who is signed in …</p> : <Problem error={error} onRetry={() => void refetch()} />
}

function RangeSelect() {
  const { range = '1h', from } = useRangeSearch()
  const navigate = useNavigate()
  const options = SPAN_WORDS.map((word) => ({ value: word, label: SPANS[word].label }))
  const fixed = from === undefined ? [] : [{ value: 'fixed', label: 'a fixed range' }]
  const choose = (word: string) =>
    void navigate({ to: '.', search: ({ from: _from, to: _to, ...rest }) => ({ ...rest, range: word as Span }) })
  return <Select label="Range" value={from === undefined ? range : 'fixed'} options={[...fixed, ...options]} onChange={choose} />
}

const LIVE_WORDS: Record<Exclude<LiveState, 'unused'>, string> = {
  connecting: '◐ connecting',
  live: '● live',
  away: '✕ Redis is away',
  lost: '✕ not live',
  paused: '■ paused',
}

function LiveMark() {
  const state = useLiveState()
  if (state === 'unused') return null
  return (
    <span className={styles.live} data-state={state === 'away' ? 'lost' : state} role="status">
      {LIVE_WORDS[state]}
    </span>
  )
}

function ZoneSelect() {
  const zone = useZone()
  const options = [
    { value: 'local', label: zoneName(Date.now()) === 'UTC' ? 'local time' : `local (${zoneName(Date.now())})` },
    { value: 'utc', label: 'UTC' },
  ]
  return <Select label="Times" value={zone} options={options} onChange={(value) => chooseZone(value === 'utc' ? 'utc' : 'local')} />
}

const THEME_OPTIONS = [
  { value: 'system', label: '◐ system' },
  { value: 'light', label: '○ light' },
  { value: 'dark', label: '● dark' },
]

function ThemeSelect() {
  return <Select label="Theme" value={useTheme()} options={THEME_OPTIONS} onChange={(value) => chooseTheme(value as Theme)} />
}

function Identity({ name }: { readonly name: string }) {
  return (
    <span className={styles.identity}>
      <span title={`The API key of this session: ${name}`} className={styles.name}>
        {name}
      </span>
      <button type="button" className={styles.quiet} onClick={() => void signOut()}>
        Sign out
      </button>
    </span>
  )
}
