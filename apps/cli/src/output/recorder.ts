// Test fixture: a terminal that remembers what was written to it.
import type { Terminal } from './terminal.ts'

export function recorder(): Terminal & { text(): string } {
  let text = ''
  const plain = (part: string): string => part
  const write = (part: string): void => {
    text += part
  }
  return {
    isTty: false,
    columns: 100,
    write,
    line: (part = '') => write(`${part}\n`),
    bold: plain,
    dim: plain,
    good: plain,
    bad: plain,
    text: () => text,
  }
}
