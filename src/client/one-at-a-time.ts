/**
 * Bob Jenkins' one-at-a-time hash (Dr. Dobb's Journal, September 1997) as libmemcached has it, where it is the default:
 * its bytes are C's `char`, from −128 to 127 on x86.
 */
export function oneAtATime(bytes: Uint8Array, length: number): number {
  let hash = 0
  for (let i = 0; i < length; i++) {
    hash = (hash + ((bytes[i] << 24) >> 24)) | 0
    hash = (hash + (hash << 10)) | 0
    hash ^= hash >>> 6
  }
  hash = (hash + (hash << 3)) | 0
  hash ^= hash >>> 11
  hash = (hash + (hash << 15)) | 0
  return hash >>> 0
}
