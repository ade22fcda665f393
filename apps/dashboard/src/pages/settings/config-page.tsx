// The effective configuration: each setting, its value, and where that came from.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import type { SettingView } from '@runyard/schema/api'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { Empty } from '../../ui/empty.tsx'
import { Field } from '../../ui/field.tsx'
import { formatCounted } from '../../ui/format.ts'
import { Part } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { readConfigSearch, type ConfigSearch } from './config-search.ts'
import { configQuery } from './settings-queries.ts'
import styles from './settings.module.css'

const ALONE = 'general'

const route = getRouteApi('/settings/config')

export function ConfigPage() {
  const search = route.useSearch()
  const refused = useRefusal('view')
  const { data, error, refetch } = useQuery({ ...configQuery, enabled: refused === undefined })
  const isFiltered = search.q !== undefined || search.changed === true
  const found = data?.filter((setting) => matches(setting, search)) ?? []
  return (
    <Part id="part" title="Configuration">
      <p className={styles.intro}>
        What the gateway runs with since its start. <code>runyard config set NAME VALUE</code> writes another value into the file; it counts
        from the next start, prices at once. Secrets are not shown.
      </p>
      <ScopeNote needed="view" />
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      <Filter search={search} />
      {data && found.length === 0 && <Empty title="No setting matches">Drop the text or the tick above.</Empty>}
      <div>
        {groupsOf(found).map(([name, settings]) => (
          <Group key={`${name} ${isFiltered}`} name={name} settings={settings} isOpen={isFiltered} />
        ))}
      </div>
    </Part>
  )
}

/** `listen.port` is of `listen`; what stands alone comes first. */
function groupsOf(settings: readonly SettingView[]) {
  const groups = Map.groupBy(settings, ({ key }) => (key.includes('.') ? key.slice(0, key.indexOf('.')) : ALONE))
  return [...groups].toSorted(([a], [b]) => Number(b === ALONE) - Number(a === ALONE))
}

interface GroupProps {
  readonly name: string
  readonly settings: readonly SettingView[]
  readonly isOpen: boolean
}

/** All of them at once are some screens long. What was looked for is open. */
function Group({ name, settings, isOpen }: GroupProps) {
  const changed = settings.filter(({ from }) => from !== 'default').length
  return (
    <details className={styles.group} open={isOpen}>
      <summary>
        <b>{name}</b>{' '}
        <span className={styles.muted}>
          {formatCounted(settings.length, 'setting', 'settings')}
          {changed > 0 && `, ${changed} not the default`}
        </span>
      </summary>
      <DataTable caption={`Configuration: ${name}`} columns={COLUMNS} rows={settings} keyOf={({ key }) => key} />
    </details>
  )
}

function Filter({ search }: { readonly search: ConfigSearch }) {
  const navigate = useNavigate()
  const { q = '' } = search
  const isChanged = search.changed === true
  const change = (next: ConfigSearch): void =>
    void navigate({
      to: '/settings/config',
      replace: true,
      search: ({ q: _q, changed: _changed, ...rest }) => ({ ...rest, ...next }),
    })
  return (
    <div className={styles.filter}>
      <Field label="Find" type="search" value={q} onChange={(text) => change(readConfigSearch({ ...search, q: text }))} />
      <label>
        <input type="checkbox" checked={isChanged} onChange={({ target }) => change(readConfigSearch({ q, changed: target.checked }))} />{' '}
        only what is not the default
      </label>
    </div>
  )
}

function matches({ key, help, from }: SettingView, { q, changed }: ConfigSearch): boolean {
  const text = q?.toLowerCase() ?? ''
  return (changed !== true || from !== 'default') && (key.toLowerCase().includes(text) || help.toLowerCase().includes(text))
}

const COLUMNS: readonly TableColumn<SettingView>[] = [
  {
    name: 'setting',
    cell: ({ key, help }) => (
      <span className={styles.setting}>
        <code>{key}</code>
        <small>{help}</small>
      </span>
    ),
  },
  { name: 'value', cell: ({ value }) => <code className={styles.wrap}>{show(value)}</code> },
  {
    name: 'from',
    cell: ({ from, variable }) =>
      from === 'default' ? (
        <span className={styles.muted}>
          default, or <code className={styles.wrap}>{variable}</code>
        </span>
      ) : (
        <code className={styles.wrap}>{from}</code>
      ),
  },
]

function show(value: unknown): string {
  if (value === null) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
