/** The shortest conversation that still differs, and how it is told. */
import { actsOf, type Conversation } from './conversation.js'
import type { Mismatch } from './play.js'

const triesMax = 400

/** Drops commands, in halves first and one by one at last, as long as `differs` finds that the rest still does. */
export async function shrink(
  found: Mismatch,
  differs: (conversation: Conversation) => Promise<Mismatch | undefined>,
): Promise<Mismatch> {
  let best = found
  let tries = triesMax
  for (let size = Math.ceil(found.conversation.commands.length / 2); size >= 1; ) {
    let at = 0
    let shorter = false
    while (at < best.conversation.commands.length && tries-- > 0) {
      const commands = best.conversation.commands.filter((_, index) => index < at || index >= at + size)
      const mismatch = commands.length > 0 ? await differs({ ...best.conversation, commands }) : undefined
      if (mismatch === undefined) at += size
      else {
        best = mismatch
        shorter = true
      }
    }
    if (size === 1 && !shorter) break
    size = size > 1 ? Math.ceil(size / 2) : 1
    if (tries <= 0) break
  }
  return best
}

/** As a transcript that can be pasted: all that was sent, and what the two said to the last part of it. */
export function told({ conversation, asked, ours, theirs }: Mismatch): string {
  const { seed, lane, delivery } = conversation
  let on = 0
  const sent = actsOf(conversation).flatMap((act, at) => {
    const moved = act[0].on === on ? [] : [`@${['main', 'other', 'binary'][act[0].on]}`]
    on = act[0].on
    return [
      ...moved,
      ...(at > 0 ? ['# (when that is answered)'] : []),
      ...act.map(({ text }) => `>> ${notation(text)}`),
    ]
  })
  const last = `# to the last ${asked.length}:`
  const said = [...theirs.split('\n').map((line) => `<1.6.18 ${notation(line)}`)]
  const say = [...ours.split('\n').map((line) => `<latchkey ${notation(line)}`)]
  return [`# seed ${seed}, lane ${lane}, ${delivery}`, ...sent, last, ...said, ...say].join('\n')
}

/** As the transcripts write bytes; `{token back 3}` is the fourth last token that a reply gave. */
function notation(text: string): string {
  return text
    .replace(/(.)\1{39,}/g, (run, letter: string) => `{${letter}*${run.length}}`)
    .replace(/[\u0100-\uffff]/g, (sign) => `{token back ${sign.charCodeAt(0) - 0x100}}`)
    .replace(/\r/g, '\\r')
    .replace(/\n/g, '\\n')
    .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
