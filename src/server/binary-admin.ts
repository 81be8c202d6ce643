/** The commands of the binary protocol about the server itself: done by the code that does those of the text protocol. */
import { binary } from '../protocol/index.js'
import { flush, setVerbosity, statsText } from './admin.js'
import type { WorkerContext } from './context.js'
import type { Flow } from './dialect.js'

const { BinaryStatus } = binary

export function runFlush(context: WorkerContext): void {
  const { out, settings, binaryExecutor } = context
  const { frame } = binaryExecutor
  if (!settings.allowFlush) {
    binary.writeStatus(out, frame, BinaryStatus.AuthFailure)
    return
  }
  flush(context, frame.extrasLength === 0 ? 0 : frame.u32(0))
  if (!frame.shape.quiet) binary.writeSuccess(out, frame)
}

export function runVerbosity(context: WorkerContext): void {
  const { frame } = context.binaryExecutor
  setVerbosity(context, frame.u32(0))
  binary.writeSuccess(context.out, frame)
}

/** True when the answer is there at once. */
export function runStat(context: WorkerContext, flow: Flow): boolean {
  const { source, keyStart, keyLength, opcode, opaque } = context.binaryExecutor.frame
  const asked = decoder.decode(source.u8.subarray(keyStart, keyStart + keyLength))
  const words = asked.split(' ').filter(Boolean)
  // Its lines are for text alone, as in memcached.
  const answer = words[0] === 'cachedump' ? 'ERROR' : statsText(context, ['stats', ...words])
  const echo = { opcode, opaque }
  if (typeof answer === 'string') writeStats(context, echo, words, answer)
  else flow.wait(answer, (text) => writeStats(context, echo, words, text))
  return typeof answer === 'string'
}

const decoder = new TextDecoder('latin1')

/** One response for each line `STAT <name> <value>`, and one without a name at the end; counts by prefix come in one. */
function writeStats({ out }: WorkerContext, echo: binary.Echo, words: string[], text: string): void {
  if (/^(CLIENT_|SERVER_)?ERROR/.test(text)) {
    binary.writeStatus(out, echo, BinaryStatus.NotFound)
    return
  }
  if (words[0] === 'detail' && words[1] === 'dump') binary.writeStrings(out, echo, BinaryStatus.Ok, 'detailed', text)
  else for (const [, name, value] of text.matchAll(STAT)) binary.writeStrings(out, echo, BinaryStatus.Ok, name, value)
  binary.writeSuccess(out, echo)
}

const STAT = /^STAT (\S+) (.*)\r$/gm
