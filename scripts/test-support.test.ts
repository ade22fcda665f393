import { expect, it } from 'vitest'
import { misplacedTestSupport } from './test-support.ts'

const MAIN = { path: 'apps/a/src/main.ts', text: "import { plan } from './plan/plan.ts'" }
const PLAN = { path: 'apps/a/src/plan/plan.ts', text: '' }
const FIXTURE = { path: 'apps/a/src/testing/fixture.ts', text: "import { it } from 'vitest'\nimport { plan } from '../plan/plan.ts'" }
const TEST = { path: 'apps/a/src/plan/plan.test.ts', text: "import { fixture } from '../testing/fixture.ts'" }
const check = (...files: readonly { path: string; text: string }[]) => misplacedTestSupport([MAIN, ...files], new Set([MAIN.path]))

it('test support in a testing folder is in its place', () => {
  expect(check(PLAN, FIXTURE, TEST)).toEqual([])
})

it.each([['../testing/fixture.ts'], ['./plan.test.ts'], ['vitest'], ['@runyard/testing'], ['@runyard/testing/records']])(
  'a production source must not import %s',
  (target) => {
    expect(check({ ...PLAN, text: `import { it } from '${target}'` }, FIXTURE)).toEqual([
      expect.stringMatching(/^apps\/a\/src\/plan\/plan\.ts must not import .+, which is for tests$/),
    ])
  },
)

it('a source that only tests import must move to a testing folder', () => {
  const model = { path: 'apps/a/src/plan/model.ts', text: '' }
  const test = { ...TEST, text: "import { model } from './model.ts'" }
  expect(check(PLAN, model, test)).toEqual(['apps/a/src/plan/model.ts is imported by tests only: move it to a testing/ folder'])
})
