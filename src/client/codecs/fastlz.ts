/**
 * Reading of FastLZ (Ariya Hidayat, https://github.com/ariya/FastLZ, "block format"), in which php-memcached compresses
 * unless told otherwise. Three bits of an instruction tell its kind: 0, so many bytes follow as they are; 1 to 6, repeat so
 * many + 2 from a distance before; 7, repeat more. The first of all is always 0, and has the level there instead.
 */

const farthestNear = 8191

/** Exactly `size` bytes; undefined when `data` is not FastLZ, or of another size. */
export function fastlz(data: Uint8Array, size: number): Buffer | undefined {
  const level = data[0] >> 5
  if (level > 1) return undefined
  const out = Buffer.allocUnsafe(size)
  let at = 0
  let from = 0
  while (from < data.length) {
    const instruction = from === 0 ? data[from++] & 31 : data[from++]
    if (instruction < 32) {
      const count = instruction + 1
      if (from + count > data.length) return undefined
      for (let i = 0; i < count; i++) out[at++] = data[from++]
      continue
    }
    let count = (instruction >> 5) + 2
    if (count === 9) {
      let more: number
      do {
        more = data[from++]
        count += more
      } while (level === 1 && more === 255)
    }
    let back = ((instruction & 31) << 8) + data[from++] + 1
    if (level === 1 && back === farthestNear + 1) back += (data[from++] << 8) + data[from++]
    // Past the end of `data` the sums are NaN, which no comparison holds for.
    if (!(at + count <= size && back <= at)) return undefined
    for (let i = 0; i < count; i++, at++) out[at] = out[at - back]
  }
  // What was written past the end of `out` is not there, but was counted.
  return at === size ? out : undefined
}
