// Test fixture: records what is written to it, as a pipe does, or as a terminal of a width.
import type { Terminal } from '../output/terminal.ts'
import { toVisible } from '../output/visible.ts'

export function recorder(columns?: number): Terminal & { text(): string } {
  let text = ''
  const plain = (part: string): string => part
  const write = (part: string): void => {
    text += part
  }
  return {
    isTty: columns !== undefined,
    columns: columns ?? 100,
    rows: 50,
    write,
    line: (part = '') => write(`${toVisible(part, true)}\n`),
    onResize: () => () => {},
    bold: plain,
    dim: plain,
    good: plain,
    warn: plain,
    setColor: () => {},
    bad: plain,
    text: () => text,
  }
}
