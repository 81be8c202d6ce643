/**
 * The codecs: one for each kind of value, and for what other clients write. Every one refuses, with a `CodecError`, flags
 * that it does not know: what one codec wrote is never misread by another.
 */
export { bytes } from './bytes.js'
export { compressed } from './compressed.js'
export type { CompressionOptions } from './deflate.js'
export { json } from './json.js'
export { type PhpValue, php } from './php.js'
export { type PythonValue, pymemcache } from './pymemcache.js'
export { text } from './text.js'
