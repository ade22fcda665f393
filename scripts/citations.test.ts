// Edge cases of citations and of the files that they point to.
import { describe, expect, it } from 'vitest'
import { findCitations, parseProtocol } from './citations.ts'

const cited = (text: string, own?: string) => findCitations(text, own).map(({ protocol, place }) => `${protocol} ${place}`)

describe('findCitations', () => {
  it.each([
    ['(client-api §5.5)', ['client-api 5.5']],
    ['Client-api §8.3. What is not named', ['client-api 8.3']],
    ['client-api §13.3, §13.4 and §13.5: title', ['client-api 13.3', 'client-api 13.4', 'client-api 13.5']],
    ['client-api R3, R17, §3; worker-api §4.3', ['client-api R3', 'client-api R17', 'client-api 3', 'worker-api 4.3']],
    ['client-api §5.2–§5.5, management §3.2–3.4', ['client-api 5.2', 'client-api 5.5', 'management 3.2', 'management 3.4']],
    ['worker-api §4.3.2, 25 s', ['worker-api 4.3.2']],
    ['// named (worker-api\n// §9, §8) ', ['worker-api 9', 'worker-api 8']],
    ['design §3', ['design 3']],
    ['RFC 9112 §11.2, R2 alone', []],
    ['(§8)', [' 8']],
  ])('finds in "%s" %j', (text, expected) => {
    expect(cited(text)).toEqual(expected)
  })

  it('resolves a section without a name in the file itself, if it is a protocol file', () => {
    expect(cited('see §5.1; client-api §2', 'worker-api')).toEqual(['worker-api 5.1', 'client-api 2'])
  })

  it('returns the line of a citation', () => {
    expect(findCitations('\n\nclient-api §1')[0]?.line).toBe(3)
  })
})

describe('parseProtocol', () => {
  it('finds sections, rows of lists and tables, and rules', () => {
    const { places, rows } = parseProtocol(
      '# t\n## 1. Rules\n- **R1.** a\n| R2 | b |\n### 4.3 Polls\n1. x\n2. y\n## 15. List\n| # | a |\n|---|---|\n| 1 | b |\n| 2 | c |\n',
    )
    expect([...places]).toEqual(['1', 'R1', 'R2', '4.3', '4.3.1', '4.3.2', '15', '15.1', '15.2'])
    expect(rows.get('15')).toEqual([1, 2])
  })

  it('ignores rows in code blocks', () => {
    expect(parseProtocol('## 1. a\n```\n1. x\n```\n').rows.size).toBe(0)
  })
})
