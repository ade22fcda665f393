// Who used it and what did it cost; and what other settings would have done. What the page says is compared with what the API says.
import { formatDuration } from '@runyard/core/durations'
import type { UsageView } from '@runyard/schema/api'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PageSite } from '../../harness/page.ts'
import { ECHO, NAP, sourceCall } from '../calls.ts'

export function usageScenarios(of: () => PageSite): void {
  describe('usage', () => {
    let endpoint: string
    let range: string
    const site = (): PageSite => of()
    const read = (by: string): Promise<UsageView> => site().stack.api.read(`/runyard/v1/usage?${range}&by=${by}&idle=true`)

    beforeAll(async () => {
      const { api } = site().stack
      const from = Date.now()
      endpoint = await api.saveEndpoint({ name: 'sums', idleTimeout: 1, gpuIds: 'ADA_24' })
      await api.settled(endpoint, await api.run(endpoint, sourceCall('nap', NAP, { seconds: 1 })))
      await api.settled(endpoint, await api.run(endpoint, sourceCall('echo', ECHO)))
      await api.untilZero(endpoint)
      // A range that has ended does not grow while it is looked at.
      range = `from=${from}&to=${Date.now()}`
    })

    test.each(['endpoint', 'key', 'gpu', 'host', 'day', 'state'])('by %s, every line and the total are those of the API', async (by) => {
      await using opened = await site().open(`/usage?${range}&by=${by}`)
      const { page } = opened
      const table = page.getByRole('table')
      await table.waitFor()
      const { usage, total } = await read(by)
      expect(total.gpuSeconds).toBeGreaterThan(0)
      expect(usage.reduce((sum, { billableSeconds }) => sum + billableSeconds, 0)).toBe(total.billableSeconds)
      const rows = await table.getByRole('row').allInnerTexts()
      expect(rows).toHaveLength(usage.length + 2)
      for (const { gpuSeconds, billableSeconds } of [...usage, total]) {
        const [gpu, billed] = [gpuSeconds, billableSeconds].map((seconds) => (seconds === 0 ? '0 s' : formatDuration(1000 * seconds)))
        expect(rows.some((row) => row.includes(`${gpu}`) && row.includes(`${billed}`))).toBe(true)
      }
      const share = total.idleSeconds === null || total.idleSeconds === undefined ? undefined : total.idleSeconds / total.billableSeconds
      expect(rows.at(-1)).toContain(`${Math.round(100 * (share ?? NaN))} %`)
    })

    test('the table is the same as CSV, and as a command', async () => {
      await using opened = await site().open(`/usage?${range}&by=key`)
      const { page } = opened
      const link = page.getByRole('link', { name: 'Download CSV' })
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
      expect(download.suggestedFilename()).toBe('usage-by-key.csv')
      const chunks: Buffer[] = []
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
      const { text } = await site().stack.api.get(`/runyard/v1/usage?${range}&by=key&idle=true&format=csv`)
      expect(Buffer.concat(chunks).toString()).toBe(text)
      await opened.context.grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.getByRole('button', { name: 'Copy as command' }).click()
      await page.getByText('✓ Copied').waitFor()
      expect(await page.evaluate('navigator.clipboard.readText()')).toContain('/runyard/v1/usage?')
    })

    test('other settings are tried on the jobs that there were, and used', async () => {
      await using opened = await site().open(`/endpoints/${endpoint}/preview?idle=60&max=4`)
      const { page } = opened
      const table = page.getByRole('table', { name: 'Outcomes' })
      const starts = table.getByRole('row').filter({ hasText: 'Cold starts' }).getByRole('cell')
      await starts.first().waitFor()
      await expect
        .poll(async () =>
          (await starts.allInnerTexts())
            .slice(-2)
            .map(Number)
            .every((count) => count >= 1),
        )
        .toBe(true)
      await page.getByRole('button', { name: 'Use these settings for sums' }).click()
      await expect.poll(async () => new URL(page.url()).search).toBe('')
      const { json } = await site().stack.api.get(`/v2/serverless/${endpoint}`)
      expect(json['workers']).toMatchObject({ min: 0, max: 4, idleTimeout: 60 })
    })
  })
}
