/** Where Latchkey and memcached 1.6.18 are known to answer differently: what is left out or made equal, and why. */

/** Commands that are not asked. */
export const notAsked: readonly { pattern: RegExp; reason: string }[] = [
  { pattern: /^ma .*q/, reason: '1.6.18 answers ma q when it makes the number; later ones are silent' },
]

/**
 * What is not asked behind a read when all is sent at once: while memcached holds an item for the reply to a read, it
 * makes a new one of the number, without the spaces and the state that writing over the old one keeps.
 */
export const notAskedBehindReads = /^(incr|decr|ma) /

/** Replies that are made equal before they are compared. */
export const madeEqual: readonly { pattern: RegExp; by: string; reason: string }[] = [
  { pattern: /\bc\d+/g, by: 'c#', reason: 'tokens are of each server' },
  { pattern: /^(VALUE \S+ \d+ \d+) \d+/gm, by: '$1 #', reason: 'likewise, of gets and gats' },
  { pattern: /^(NS|EX|NF)(.*) c#/gm, by: '$1$2', reason: 'a store that was refused has no token; memcached tells one' },
  {
    pattern: /\bt-?\d+/g,
    by: 't#',
    reason: 'a second may pass between the two, and t before N tells of no end there',
  },
  { pattern: /^(CLIENT_)?ERROR.*$/gm, by: 'ERROR', reason: 'the words of errors are the business of the transcripts' },
]
