import { describe, expect, it } from 'vitest'
import { openScope } from './scope.ts'

function recorder() {
  const warnings: unknown[] = []
  return { warnings, log: { warn: (entry: unknown) => warnings.push(entry) } as never }
}

describe('openScope', () => {
  it('closes in reverse order of opening, and attempts all although some fail', async () => {
    const { log, warnings } = recorder()
    const closed: string[] = []
    {
      await using scope = openScope({ graceMs: 1000, log })
      scope.defer(() => void closed.push('first'))
      scope.use({ [Symbol.dispose]: () => void closed.push('second') })
      scope.defer(() => {
        throw new Error('no')
      }, 'third')
      expect(scope.adopt(7, (value) => void closed.push(`fourth ${value}`))).toBe(7)
    }
    expect(closed).toEqual(['fourth 7', 'second', 'first'])
    expect(warnings).toMatchObject([{ resource: 'third' }])
  })

  it('reports what does not close within the budget, and continues', async () => {
    const { log, warnings } = recorder()
    const closed: string[] = []
    {
      await using scope = openScope({ graceMs: 20, log })
      scope.defer(() => void closed.push('below'))
      scope.defer(() => new Promise<void>(() => {}), 'stuck')
    }
    expect(closed).toEqual(['below'])
    expect(warnings).toMatchObject([{ resource: 'stuck' }])
  })
})
