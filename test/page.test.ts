// The page as people use it: real Chromium, a real stack. All scenarios share both, so each is a suite in `suites/page` that gets the site.
import { afterAll, beforeAll } from 'vitest'
import { openPageSite, type PageSite } from './harness/page.ts'
import { suiteThatNeeds } from './harness/suite.ts'
import { endpointScenarios } from './suites/page/endpoints.ts'
import { faultScenarios } from './suites/page/faults.ts'
import { gpuScenarios } from './suites/page/gpus.ts'
import { isPictured, PICTURED_STACK } from './suites/page/picture-world.ts'
import { jobScenarios } from './suites/page/jobs.ts'
import { lookScenarios } from './suites/page/looks.ts'
import { proxyScenarios } from './suites/page/proxy.ts'
import { safetyScenarios } from './suites/page/safety.ts'
import { settingScenarios } from './suites/page/settings.ts'
import { signInScenarios } from './suites/page/sign-in.ts'
import { usageScenarios } from './suites/page/usage.ts'

await suiteThatNeeds(['redis', 'browser', 'venv:caddy'], 'the page', () => {
  let site: PageSite
  beforeAll(async () => {
    site = await openPageSite(isPictured ? PICTURED_STACK : {})
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
  })

  signInScenarios(() => site)
  jobScenarios(() => site)
  gpuScenarios(() => site)
  endpointScenarios(() => site)
  usageScenarios(() => site)
  settingScenarios(() => site)
  lookScenarios(() => site)
  safetyScenarios(() => site)
  proxyScenarios(() => site)
  // Last: parts of the stack are killed.
  faultScenarios(() => site)
})
