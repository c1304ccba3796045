/** The versions of the CNI specification, and how they compare. */

/**
 * The specification versions that this plugin speaks, oldest first.
 * Source: CNI specification, "Released versions".
 */
export const supported = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const

/** The version that a network configuration without `cniVersion` has. */
export const implied = "0.1.0"

/** The newest version that we speak: used where the request names none that we know. */
export const newest = "1.1.0"

/** Whether `version` is one of the versions that this plugin speaks. */
export const isSupported = (version: string): boolean => supported.some((known) => known === version)

const pattern = /^(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?$/

/** Whether `text` has the form of a version: one to three numbers with dots between them. */
export const isVersion = (text: string): boolean => pattern.test(text)

const numbers = (version: string): ReadonlyArray<number> =>
  (pattern.exec(version) ?? []).slice(1).map((part: string | undefined) => Number(part ?? 0))

/** Whether `version` is `minimum` or newer. Both have to be versions, see {@link isVersion}. */
export const isAtLeast = (version: string, minimum: string): boolean => {
  const left = numbers(version)
  const right = numbers(minimum)
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
