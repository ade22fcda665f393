// Where no job matches: which filter to drop, found out by asking without each.
import { useQueries } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { client } from '../../api/client.ts'
import { NOTHING_MEANWHILE } from '../../api/queries.ts'
import { gatewayNow } from '../../app/clock.ts'
import { SPANS, toRange, type RangeSearch } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { FILTER_NAMES, FILTERS, toSearch, without, type FilterName, type JobFilter } from './job-filter.ts'
import styles from './jobs-page.module.css'

const WIDEST: RangeSearch = { range: '7d' }

interface Way {
  readonly label: string
  readonly filter: JobFilter
  readonly range: RangeSearch
}

const labelOf = (filter: JobFilter, name: FilterName): string => `Drop ${FILTERS[name]}: ${filter[name] ?? ''}`

function waysOut(filter: JobFilter, range: RangeSearch): readonly Way[] {
  const used = FILTER_NAMES.filter((name) => filter[name] !== undefined)
  const single = used.map((name) => ({ label: labelOf(filter, name), filter: without(filter, name), range }))
  const wider = range.range === WIDEST.range ? [] : [{ label: 'Look at the last 7 days', filter, range: WIDEST }]
  return [...single, ...wider, ...(used.length === 0 ? [] : [{ label: 'Drop all filters', filter: {}, range: WIDEST }])]
}

export interface NothingFoundProps {
  readonly filter: JobFilter
  readonly range: RangeSearch
}

export function NothingFound({ filter, range }: NothingFoundProps) {
  const navigate = useNavigate()
  const ways = waysOut(filter, range)
  const answers = useQueries({
    queries: ways.map((way) => ({
      queryKey: ['jobs', 'any', way.filter, way.range],
      ...NOTHING_MEANWHILE,
      queryFn: () => client.history.findJobs({ ...toSearch(way.filter, toRange(way.range, gatewayNow())), limit: 1 }),
    })),
  })
  const helping = ways.filter((_way, index) => (answers[index]?.data?.jobs.length ?? 0) > 0)
  const isAsking = answers.some(({ isPending }) => isPending)
  const where = range.from === undefined ? `within the ${SPANS[range.range ?? '1h'].label}` : 'in this range'
  const isPlain = Object.keys(filter).length === 0
  return (
    <Empty title={isPlain ? `No job ended ${where}, and none waits or runs` : `No job ${where} matches`}>
      {helping.length > 0 && (
        <>
          <p>There are some otherwise:</p>
          <div className={styles.actions}>
            {helping.map(({ label, filter: next, range: other }) => (
              <Button key={label} onClick={() => void navigate({ to: '/jobs', search: { ...next, ...other } })}>
                {label}
              </Button>
            ))}
          </div>
        </>
      )}
      {helping.length === 0 && !isAsking && (
        <p>
          Nothing was submitted within 7 days. Run one: <code>{`runyard run NAME '{"prompt": "a red barn"}'`}</code>
        </p>
      )}
    </Empty>
  )
}
