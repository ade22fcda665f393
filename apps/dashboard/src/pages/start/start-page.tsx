// From nothing to a result: what to export, what to run, and a list that ticks itself off.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { API_URL } from '../../api/client.ts'
import { endpointsQuery, poolQuery } from '../../api/queries.ts'
import { keepRange } from '../../app/range.ts'
import { CopyBlock } from '../../ui/copy.tsx'
import { Page } from '../../ui/page.tsx'
import { TabLinks } from '../../ui/tab-links.tsx'
import { exportBlock, firstScripts, WAYS } from './first-scripts.ts'
import { describeCards } from './first-steps.ts'
import { StepList } from './step-list.tsx'
import styles from './start-page.module.css'

const route = getRouteApi('/start')

export function StartPage() {
  return (
    <Page title="Start">
      <PoolSentence />
      <div className={styles.columns}>
        <div className={styles.column}>
          <section aria-labelledby="exports" className={styles.column}>
            <h2 id="exports">1. Point your tools here</h2>
            <CopyBlock text={'eval "$(./runyard env)"'} label="In a shell of this machine" />
            <p className={styles.intro}>
              If <code>up</code> was started with <code>--data DIR</code>, add it here, too: <code>./runyard env --data DIR</code>.
            </p>
            <details className={styles.more}>
              <summary>In a shell of another machine, or without the command line</summary>
              <CopyBlock text={exportBlock(API_URL)} label="Variables" />
              <p>
                <Link to="/settings/keys" search={keepRange}>
                  Make a key
                </Link>{' '}
                of its own for each program.
              </p>
            </details>
          </section>
          <FirstScript />
        </div>
        <section aria-labelledby="steps" className={styles.column}>
          <h2 id="steps">3. Watch it arrive</h2>
          <StepList />
        </section>
      </div>
    </Page>
  )
}

function PoolSentence() {
  const { data } = useQuery(poolQuery)
  if (data === undefined) return null
  const cards = data.hosts.flatMap(({ gpus }) => gpus)
  const isSimulated = cards.some(({ simulated }) => simulated)
  return (
    <p className={styles.intro}>
      {cards.length === 0 ? 'This yard has no GPU: endpoints without one run.' : `This yard has ${describeCards(cards)}.`}
      {isSimulated && ' Simulated cards take part in everything, but nothing is attached: functions find no device.'}
    </p>
  )
}

function FirstScript() {
  const { way = 'flash' } = route.useSearch()
  const { data } = useQuery(endpointsQuery)
  const scripts = firstScripts(API_URL, data?.at(-1)?.id)
  const { hint, text, label } = scripts[way]
  return (
    <section aria-labelledby="script" className={styles.column}>
      <h2 id="script">2. Run something</h2>
      <TabLinks label="Ways to run something">
        {WAYS.map((each) => (
          <Link
            key={each}
            to="/start"
            search={({ way: _way, ...rest }) => ({ ...rest, ...(each !== 'flash' && { way: each }) })}
            activeOptions={{ exact: true, explicitUndefined: true }}
          >
            {scripts[each].label}
          </Link>
        ))}
      </TabLinks>
      <p className={styles.intro}>{hint}</p>
      <CopyBlock text={text} label={label} />
    </section>
  )
}
