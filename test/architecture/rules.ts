/** What is wrong with the imports of one file, in words. */
import { posix } from 'node:path'
import { layers, typesOnly } from './layers.js'
import { type Specifier, specifiersOf } from './specifiers.js'

/** `file` is relative to `src`, with forward slashes. Returns one sentence for each violation. */
export function violationsIn(file: string, source: string): string[] {
  const layer = layerOf(file)
  if (layer === undefined) return [`${file}: the folder is not in the table of layers`]
  return specifiersOf(file, source).flatMap((specifier) => {
    const wrong = problemWith(file, layer, specifier)
    return wrong === undefined ? [] : [`${file}:${specifier.line}: '${specifier.text}' ${wrong}`]
  })
}

/** The layer of a file: the longest folder in the table that it lies in. */
function layerOf(file: string): string | undefined {
  const folder = posix.dirname(file)
  if (folder === '.') return ''
  return Object.keys(layers)
    .filter((name) => name !== '' && (folder === name || folder.startsWith(`${name}/`)))
    .sort((one, other) => other.length - one.length)[0]
}

function problemWith(file: string, layer: string, { text, typeOnly }: Specifier): string | undefined {
  if (text.startsWith('#')) return 'is a way around the folders, for tests'
  if (text === 'latchkey' || text.startsWith('latchkey/')) return 'is how others import us; use the relative path'
  if (!text.startsWith('.')) return undefined
  if (!text.endsWith('.js') && !text.endsWith('package.json')) return 'does not end in .js'
  const target = posix.normalize(posix.join(posix.dirname(file), text))
  if (target.startsWith('..')) return target === '../package.json' ? undefined : 'leaves src'
  const targetLayer = layerOf(target)
  if (targetLayer === undefined) return 'is in no folder of the table'
  if (targetLayer === layer) return undefined
  if (targetLayer === '') return 'is above the folders: nothing imports the package as a whole'
  // A layer inside another knows that one's files; of those only the door knows what lies inside.
  if (layer.startsWith(`${targetLayer}/`)) return undefined
  if (file === `${layer}/index.ts` && target === `${targetLayer}/index.js` && targetLayer.startsWith(`${layer}/`)) {
    return undefined
  }
  return problemAcross(layer, targetLayer, target, typeOnly)
}

function problemAcross(layer: string, targetLayer: string, target: string, typeOnly: boolean): string | undefined {
  const from = layer === '' ? 'src' : layer
  if (!layers[layer].mayImport.includes(targetLayer)) return `is not allowed: ${from} may not import ${targetLayer}`
  if (target !== `${targetLayer}/index.js`) return `is behind the door of ${targetLayer}: import its index.js`
  if (typesOnly.get(layer)?.has(targetLayer) && !typeOnly) return `is more than types: ${from} may import only those`
  return undefined
}
