// Endpoints, workers and logs on the page: what somebody sends by hand, reads and saves there is compared with what the API says.
import { NO_NUMBERS, packNumbers } from '@runyard/core'
import type { Store } from '@runyard/store'
import { playWorker } from '@runyard/testing'
import type { EndpointView, JobSearchView, JobView, MergedLogView, SeriesView, WorkerLifeView } from '@runyard/schema/api'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PageSite } from '../../harness/page.ts'
import { addWorker, openTestStore } from '../../harness/store.ts'
import { waitFor } from '../../harness/wait.ts'
import { COUNT, ECHO, NAP, sourceCall } from '../calls.ts'

const HTML = '<img src=x onerror="document.title = 1">'
const TALK = `
def talk(rounds, text):
    import json, sys, time
    for number in range(rounds):
        print(f"INFO {text} {number}")
        print(json.dumps({"level": "warning", "msg": f"slow disk {number}", "path": "/models"}))
        print("\\x1b[31mred\\x1b[0m line", file=sys.stderr)
        time.sleep(0.02)
`
/** A minute of the past, epoch ms. */
const MINUTE = Date.now() - (Date.now() % 60_000) - 600_000
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

export function endpointScenarios(of: () => PageSite): void {
  describe('endpoints', () => {
    let caption: string
    const site = (): PageSite => of()
    const get = <T>(path: string): Promise<T> => site().stack.api.read(path)
    const open = (path: string) => site().open(path)
    const endpoint = async (): Promise<EndpointView> => get<EndpointView>(`/v2/serverless/${caption}`)
    const jobs = async (): Promise<JobSearchView['jobs']> => (await get<JobSearchView>(`/runyard/v1/jobs?endpoint=${caption}`)).jobs

    beforeAll(async () => {
      const { api } = site().stack
      caption = await api.saveEndpoint({ name: 'caption', idleTimeout: 600 })
      await using store = await openPageStore(site())
      const numbers = { ...NO_NUMBERS, accepted: 3, completed: 2, failed: 1, throttled: 1, busy: 1, reason: 'gpus_busy' }
      await store.history.add('minutes', packNumbers(MINUTE, new Map([[caption, numbers]])), MINUTE)
      await api.settled(caption, await api.run(caption, sourceCall('echo', ECHO)))
    })

    test('a request by hand is one job, however often its button is clicked, and its output stays text', async () => {
      await using opened = await open('/endpoints/caption/requests')
      const { page } = opened
      const before = (await jobs()).length
      await write(page, '{"input": {\n  "a": 1,\n}}')
      await page.getByText('Line 3, column 1: ').waitFor()
      await write(page, JSON.stringify({ input: sourceCall('echo', ECHO, { value: HTML }) }))
      await page.getByRole('button', { name: 'Run', exact: true }).dblclick()
      const output = page.getByRole('region', { name: 'Output' }).last()
      await output.waitFor()
      const [job] = await jobs()
      const answer = await get<JobView>(`/v2/${caption}/status/${job?.id}`)
      expect(JSON.parse(await output.innerText())).toEqual(answer.output)
      expect([await page.locator('img').count(), await page.title()]).toEqual([0, 'caption · Requests · Runyard'])
      expect((await jobs()).length).toBe(before + 1)
      await page.getByText('Copy as').click()
      await page.getByRole('region', { name: 'The call by runpod', exact: true }).getByText('run_sync').waitFor()
      expect(await page.content()).not.toContain(site().stack.key)
      expect(await opened.look('endpoint-requests')).toEqual([])
    })

    test('a job that was sent asynchronously is followed, and cancelled', async () => {
      await using opened = await open(`/endpoints/${caption}/requests`)
      const { page } = opened
      await send(page, 'async', { input: sourceCall('nap', NAP, { seconds: 600 }) })
      await page.getByText('IN_PROGRESS').first().waitFor()
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByText('CANCELLED').first().waitFor()
      const [job] = await jobs()
      expect((await get<JobView>(`/v2/${caption}/status/${job?.id}`)).status).toBe('CANCELLED')
      await page.getByRole('button', { name: 'Run', exact: true }).waitFor()
    })

    test('chunks appear as they come, and a picture in the output on request', async () => {
      await using opened = await open(`/endpoints/${caption}/requests`)
      const { page } = opened
      await send(page, 'stream', { input: sourceCall('count', COUNT, { to: 3 }) })
      const chunks = page.getByRole('list', { name: 'Chunks with their times' }).getByRole('listitem')
      await page.getByText('3 chunks').waitFor()
      expect(await chunks.allInnerTexts()).toEqual([0, 1, 2].map((number) => expect.stringContaining(`{"number":${number}}`)))
      await page.getByText('first chunk after').waitFor()
      await send(page, 'sync', { input: sourceCall('echo', ECHO, { value: PIXEL }) })
      await page.getByRole('button', { name: /^Show image/u }).click()
      const image = page.getByRole('img', { name: /^The image in/u })
      await image.waitFor()
      expect(await image.evaluate((node) => [(node as unknown as { naturalWidth: number }).naturalWidth])).toEqual([1])
    })

    test('an OpenAI chat shows what the assistant says, piece by piece', async () => {
      const talk = await site().stack.api.saveEndpoint({ name: 'talk', workersMax: 1 })
      await using opened = await open(`/endpoints/${talk}/requests`)
      const { page } = opened
      await using store = await openPageStore(site())
      const worker = playWorker({ planeUrl: site().stack.planeUrl, endpointId: talk, ...(await addWorker(store, talk)) })
      const body = { model: 'parrot', stream: true, messages: [{ role: 'user', content: 'hello' }] }
      await send(page, 'OpenAI chat', body)
      const { id = '', input } = (await worker.take()) ?? {}
      expect(input).toMatchObject({ openai_route: '/v1/chat/completions', openai_input: body })
      await worker.stream(id, { output: delta('pretty ') })
      await page.getByRole('region', { name: 'Answer' }).getByText('pretty').last().waitFor()
      await worker.stream(id, { output: `${delta('polly')}data: [DONE]\n\n` })
      await worker.done(id, { output: [] })
      await page.getByText('COMPLETED').first().waitFor()
      expect(await page.getByRole('region', { name: 'Answer' }).last().innerText()).toBe('pretty polly')
      await page.getByRole('list', { name: 'Steps of this job' }).waitFor()
      // The page would ask for what is gone.
      await page.goto('about:blank')
      await site().stack.api.deleteEndpoint(talk)
    })

    test('logs are merged, filtered by the address, followed, and held where somebody reads', async () => {
      const { api } = site().stack
      const run = async (text: string, rounds: number): Promise<string> => {
        const id = await api.run(caption, sourceCall('talk', TALK, { rounds, text }))
        await api.settled(caption, id)
        return id
      }
      const first = await run('before', 60)
      // A line that is read after the end of its job has no job.
      const lines = await waitFor('the lines of the job', async () => {
        const found = (await get<MergedLogView>(`/runyard/v1/logs?endpoint=${caption}&job=${first}&limit=2000`)).lines
        return found.filter(({ line }) => line.startsWith('INFO before')).length > 50 ? found : undefined
      })
      await using opened = await open(`/logs?endpoint=${caption}&job=${first}`)
      const { page } = opened
      const log = page.getByRole('log', { name: 'Log lines' })
      const latest = lines.findLast(({ line }) => line.startsWith('INFO'))
      await log.getByText(latest?.line ?? '', { exact: true }).waitFor()
      await log.getByRole('button', { name: 'Members of this line' }).last().click()
      await log.getByText('"path": "/models"').waitFor()
      expect(await opened.look('logs')).toEqual([])
      await opened.show({ theme: 'light', width: 1440 })

      await page.getByRole('searchbox', { name: 'Job id' }).fill('')
      await page.waitForURL((url) => !url.searchParams.has('job'))
      await log.getByText('INFO before 59').waitFor()
      await run('after', 1)
      await log.getByText('INFO after 0').waitFor()
      await log.evaluate((box) => (box as unknown as { scrollTo(x: number, y: number): void }).scrollTo(0, 0))
      await page.getByRole('button', { name: '↓ Follow' }).waitFor()
      await run('unseen', 1)
      const jump = page.getByRole('button', { name: /↓ \d+ new lines?/u })
      await jump.waitFor()
      expect(await log.getByText('INFO unseen 0').count()).toBe(0)
      await jump.click()
      await log.getByText('INFO unseen 0').waitFor()

      await page.getByRole('combobox', { name: 'Level' }).selectOption('warn')
      await page.waitForURL((url) => url.searchParams.get('level') === 'warn')
      await log.getByText('INFO').first().waitFor({ state: 'detached' })
      await page.getByRole('searchbox', { name: 'Text' }).fill('never written')
      await page.getByText('No line matches').waitFor()
      await page.getByRole('button', { name: 'text: never written' }).click()
      await log.getByText('slow disk').last().waitFor()
      await page.getByRole('searchbox', { name: 'Text' }).fill('slow disk 58')
      await log.getByText('slow disk 57').first().waitFor({ state: 'detached' })
      await log
        .getByRole('link', { name: /^\d\d:\d\d:\d\d/u })
        .last()
        .click()
      await page.waitForURL((url) => url.searchParams.has('at') && !url.searchParams.has('q'))
      await log.getByText('INFO before 58').waitFor()
      await page.goBack()
      await log.getByText('INFO before 58').waitFor({ state: 'detached' })
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Download' }).click()
      expect((await download).suggestedFilename()).toBe(`${caption}.log`)
    })

    test('settings show their changes before they save them, and save what the API then says', async () => {
      const before = await endpoint()
      await using opened = await open('/endpoints/caption/settings')
      const { page } = opened
      await page.getByLabel('Max workers').fill('-1')
      await page.getByText('must be a whole number of at least 0').waitFor()
      expect(await page.getByRole('button', { name: 'Review and save' }).isDisabled()).toBe(true)
      await page.getByLabel('Max workers').fill('2')
      await page.getByLabel('Environment variables').fill('MODE=fast')
      expect(await opened.look('endpoint-settings')).toEqual([])
      await page.getByRole('link', { name: 'Overview', exact: true }).click()
      await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Keep' }).click()
      await page.getByRole('button', { name: 'Review and save' }).click()
      const dialog = page.getByRole('dialog', { name: 'Save caption?' })
      await dialog.getByText('A new release').waitFor()
      await dialog.getByText('The same by').click()
      await dialog.getByText('runyard endpoints update caption --workers 0..2 --env MODE=fast').waitFor()
      expect(await opened.findBarriers()).toEqual([])
      expect(await endpoint()).toEqual(before)
      await dialog.getByRole('button', { name: 'Save', exact: true }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(await endpoint()).toEqual({ ...before, workers: { ...before.workers, max: 2 }, env: { MODE: 'fast' } })
      await page.getByText('Nothing is changed.').waitFor()
    })

    test('a form makes a new endpoint, shows faults beside their fields, and leads to the endpoint', async () => {
      await using opened = await site().open('/endpoints', { expected: [/status of (?:400|409|422) /u] })
      const { page } = opened
      const label = (name: string) => page.getByLabel(name)
      const make = page.getByRole('button', { name: 'Make the endpoint' })
      const command = page.getByRole('region', { name: 'Command line' })
      await page.getByRole('link', { name: 'New endpoint' }).click()
      await page.getByText('3 cards match now').waitFor()
      await make.click()
      await page.getByText('✕ must not be empty').waitFor()
      expect(await page.evaluate('document.activeElement.labels[0].textContent')).toBe('Endpoint name')
      await label('Endpoint name').fill('caption')
      await page.getByText('an endpoint of this name is there already').waitFor()
      await label('Endpoint name').fill('made here')
      await label('Environment variables').fill('HF_TOKEN=hf_12345\nMODE=fast')
      await command.getByText("--name 'made here'").waitFor()
      expect(await page.getByRole('complementary').innerText()).not.toContain('hf_12345')
      await label('GPU pools or types').fill('NOPE')
      await page.getByText('No card matches now').waitFor()
      await make.click()
      await page.getByText('✕ Invalid GPU Pool ID: "NOPE"').waitFor()
      expect(await opened.look('endpoint-new')).toEqual([])
      await label('GPU pools or types').fill('')
      await page.getByRole('button', { name: 'ADA_24' }).click()
      await page.getByText('2 cards match now').waitFor()
      // Each member that the API refuses, at its field.
      await label('Run on').selectOption('CPUs only')
      await label('CPU sizes').fill('cpu3g-3-8')
      await label('Auto scaling type').selectOption('Request count')
      await label('Seconds of delay').fill('1.5')
      await make.click()
      await page.getByText('✕ must be a power of 2').waitFor()
      await page.getByText('✕ must be a whole number').waitFor()
      await label('Run on').selectOption('GPUs')
      await label('Auto scaling type').selectOption('Queue delay')
      // Somebody takes the name meanwhile; that endpoint is not changed.
      const taken = await site().stack.api.saveEndpoint({ name: 'made here', workersMax: 0 })
      await make.click()
      await page.getByText(/There is an endpoint "made here" already|an endpoint of this name is there already/u).waitFor()
      expect((await get<EndpointView>(`/v2/serverless/${taken}`)).workers.max).toBe(0)
      await site().stack.api.deleteEndpoint(taken)
      await label('Endpoint name').fill('made there')
      await make.click()
      await page.getByRole('heading', { level: 1, name: 'made there' }).waitFor()
      const id = new URL(page.url()).pathname.split('/').at(-1)
      const { gpu, env, workers } = await get<EndpointView>(`/v2/serverless/${id}`)
      expect({ pools: gpu?.pools, env, workers }).toEqual({
        pools: ['ADA_24'],
        env: { HF_TOKEN: 'hf_12345', MODE: 'fast' },
        workers: { min: 0, max: 3, idleTimeout: 10 },
      })
    })

    test('a load balancer is made with its ports, and scales by requests', async () => {
      await using opened = await site().open('/endpoints/new')
      const { page } = opened
      await page.getByLabel('Endpoint type').selectOption('load balancer: HTTP requests')
      await page.getByLabel('Endpoint name').fill('served')
      await page.getByRole('textbox', { name: 'Container image' }).fill('me/server:1')
      await page.getByLabel('Ports of the server').fill('8000/http')
      await page.getByLabel('Requests in flight per worker').fill('2')
      expect(await page.getByLabel('Execution timeout').count()).toBe(0)
      await page.getByLabel('Environment variables').fill('PORT=8000')
      await page.getByRole('button', { name: 'ADA_24' }).waitFor()
      expect(await opened.look('endpoint-new-balancer')).toEqual([])
      await page.getByRole('button', { name: 'Make the endpoint' }).click()
      await page.getByRole('heading', { level: 1, name: 'served' }).waitFor()
      const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
      expect(await get<EndpointView>(`/v2/serverless/${id}`)).toMatchObject({
        type: 'LOAD_BALANCER',
        ports: ['8000/http'],
        env: { PORT: '8000' },
        scaling: { type: 'REQUEST_COUNT', requestCount: 2 },
      })
      await page.getByRole('link', { name: 'Requests' }).click()
      await page.getByRole('region', { name: 'A request' }).getByText(`${site().stack.url}/lb/${id}/ping`).waitFor()
      expect(await page.getByRole('link', { name: /^(?:Batches|Preview)$/u }).count()).toBe(0)
      expect(await opened.findBarriers()).toEqual([])
      await page.goto('about:blank')
      await site().stack.api.deleteEndpoint(id)
    })

    test('a release is rolled back after a question', async () => {
      await using opened = await open('/endpoints/caption/releases')
      const { page } = opened
      await page.getByText('env.MODE').waitFor()
      await page.getByRole('button', { name: 'Roll back to 1' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
      await page.getByRole('heading', { name: /^Release 3/u }).waitFor()
      expect((await endpoint()).env).toEqual({})
      expect(await opened.findBarriers()).toEqual([])
    })

    test('the numbers of a range and every tab are what the API says, without barriers', async () => {
      const read = async (): Promise<SeriesView> => get(`/runyard/v1/series?endpoint=${caption}&from=${Date.now() - 900_000}`)
      await using opened = await open('/endpoints/caption?range=15m')
      const { page } = opened
      const numbers = page.getByRole('definition')
      await expect
        .poll(async () => {
          const { accepted, completed } = (await read()).total
          const [first, second] = await numbers.allInnerTexts()
          return accepted >= 3 && first === `${accepted}` && second === `${completed}`
        })
        .toBe(true)
      await page.getByText('Workers had no place: all matching GPUs are in use').waitFor()
      expect(await page.getByRole('figure').count()).toBe(4)
      await page.getByText('Numbers').first().click()
      await page.getByRole('region', { name: 'Numbers of Jobs by outcome' }).getByRole('row').nth(1).waitFor()
      expect(await opened.look('endpoint')).toEqual([])
      const tabs = {
        Metrics: page.getByRole('figure', { name: /^Cold starts/u }),
        Workers: page.getByRole('table').first(),
        Logs: page.getByRole('log'),
        Batches: page.getByText('There is no batch'),
      }
      for (const [tab, content] of Object.entries(tabs)) {
        await page.getByRole('navigation', { name: 'Parts of caption' }).getByRole('link', { name: tab }).click()
        await content.waitFor()
        expect(await opened.findBarriers()).toEqual([])
      }
    })

    test('a worker shows how it started, what it ran and what it wrote', async () => {
      const { api } = site().stack
      await api.settled(caption, await api.run(caption, sourceCall('echo', ECHO, { value: 1 })))
      await using opened = await open('/endpoints')
      const { page } = opened
      await page.getByRole('link', { name: 'caption' }).click()
      await page.getByRole('link', { name: 'Workers' }).click()
      const { workers } = await get<{ workers: readonly WorkerLifeView[] }>(`/runyard/v1/workers?endpoint=${caption}`)
      const worker = workers.find(({ times }) => times.firstFunction !== undefined)
      await page.getByRole('link', { name: worker?.id.slice(0, 8) ?? '' }).click()
      const start = page.getByRole('list', { name: 'Phases of the start' })
      await start.waitFor()
      for (const phase of ['image', 'create', 'boot', 'first function']) await start.getByText(phase, { exact: true }).waitFor()
      await page.getByRole('table', { name: 'Jobs of this worker' }).waitFor()
      await page.getByRole('log', { name: 'Log lines' }).waitFor()
      expect(await opened.look('worker')).toEqual([])
    })

    test('what is not there is said, and the address of Runpod’s tools leads to the endpoint', async () => {
      await using missing = await open('/endpoints/nothing')
      await missing.page.getByText('There is no endpoint nothing').waitFor()
      await missing.page.goto(`${site().stack.url}/user/storage`)
      await missing.page.getByRole('heading', { name: 'Volumes' }).waitFor()
      await using linked = await open(`/serverless/user/endpoint/${caption}`)
      await linked.page.getByRole('heading', { level: 1, name: 'caption' }).waitFor()
      await linked.page.getByRole('link', { name: 'Settings' }).last().click()
      await linked.page.getByRole('button', { name: 'Delete caption' }).click()
      await linked.page.getByRole('dialog').getByText('jobs are cancelled').waitFor()
      await linked.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      await linked.page.getByRole('heading', { level: 1, name: 'Endpoints' }).waitFor()
      expect((await site().stack.api.get(`/v2/serverless/${caption}`)).status).toBe(404)
    })
  })
}

function openPageStore({ stack }: Pick<PageSite, 'stack'>): Promise<Store> {
  return openTestStore(stack.redis.url, { history: { bytes: 64 * 1024 * 1024, days: 7 } })
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Request, as JSON' }).fill(text)
}

async function send(page: Page, mode: string, body: object): Promise<void> {
  await page.getByRole('radio', { name: mode, exact: true }).check()
  await write(page, JSON.stringify(body))
  await page.getByRole('button', { name: 'Run', exact: true }).click()
}

const delta = (content: string): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
