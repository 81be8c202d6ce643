/** How far it is, on stderr: a bar on a terminal, else a line now and then. */
import type { Progress } from '../../torture/index.js'

const barEveryMs = 100
const lineEveryMs = 10_000
const barCells = 24

export interface ProgressLine {
  update(progress: Progress): void
  /** Takes the bar away. */
  done(): void
}

export const noProgress: ProgressLine = { update: () => {}, done: () => {} }

export function progressOn(stream: NodeJS.WriteStream): ProgressLine {
  // The first line comes after a while, too: who is soon done needs none.
  let last = stream.isTTY ? Number.NEGATIVE_INFINITY : performance.now()
  return {
    update(progress) {
      const now = performance.now()
      if (now - last < (stream.isTTY ? barEveryMs : lineEveryMs)) return
      last = now
      stream.write(stream.isTTY ? `\r\x1b[K${bar(progress)} ${text(progress)}` : `latchkey: ${text(progress)}\n`)
    },
    done() {
      if (stream.isTTY) stream.write('\r\x1b[K')
    },
  }
}

function bar({ done }: Progress): string {
  const full = Math.round(done * barCells)
  return `${'█'.repeat(full)}${'░'.repeat(barCells - full)}`
}

function text({ laboratory, done, runs, bad, errors }: Progress): string {
  const where = laboratory === 'simulation' ? 'simulated' : 'real'
  const failed = errors === 0 ? '' : `, ${errors} failures of the laboratory`
  return `${String(Math.floor(done * 100)).padStart(3)} %  ${where}: ${runs} runs, ${bad} with a violation${failed}`
}
