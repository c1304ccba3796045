/** The known name that was probably meant by an unknown one. */

/** The edit distance of two names: how many letters to insert, delete, change or swap. */
const distance = (left: string, right: string): number => {
  let before: Array<number> = []
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        least = Math.min(least, before[j - 2]! + 1)
      }
      next.push(least)
    }
    before = row
    row = next
  }
  return row[right.length]!
}

const bare = (name: string): string => name.replace(/[-_ ]/g, "").toLowerCase()

/** The nearest of the names that is at most a third of its letters away; undefined if none is. */
export const nearest = (name: string, names: Iterable<string>): string | undefined => {
  let best: { readonly name: string; readonly far: number } | undefined
  for (const other of names) {
    if (Math.abs(other.length - name.length) > 3) continue
    const far = distance(bare(name), bare(other))
    if (far <= Math.max(1, Math.floor(bare(name).length / 3)) && far < (best?.far ?? 4)) best = { name: other, far }
  }
  return best?.name
}
