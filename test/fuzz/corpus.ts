/** What the fuzzer starts from: everything that the transcripts send, line by line, data blocks with their lines. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToSend } from '../conformance/notation.js'
import { parseTranscript } from '../conformance/transcript.js'
import { projectRoot } from '../support/root.js'

const folder = join(projectRoot, 'test/conformance/transcripts')
const longest = 6000

/** These change how the server answers everybody else, or stop it: the fuzzer could not tell that from a fault. */
const leftOut = /^(shutdown|cache_memlimit|verbosity|watch|quit)/

export function corpus(): string[] {
  const frames: string[] = []
  for (const name of readdirSync(folder)) {
    const { steps } = parseTranscript(name, readFileSync(join(folder, name), 'latin1'), 'latchkey')
    let frame = ''
    for (const step of steps) {
      if (step.kind === 'send') frame += bytesToSend(step.parts, anyToken)
      else if (frame !== '') {
        if (frame.length <= longest && !leftOut.test(frame)) frames.push(frame)
        frame = ''
      }
    }
  }
  return frames
}

/** Every token has a value: which one does not matter here. */
const anyToken = new (class extends Map<string, bigint> {
  override get(): bigint {
    return 1n
  }
})()
