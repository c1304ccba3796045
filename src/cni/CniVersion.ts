/** Versions of the CNI specification. */

/** The supported specification versions, oldest first. Source: CNI specification, "Released versions". */
export const supported = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const

/** The version of a network configuration without `cniVersion`. */
export const implied = "0.1.0"

/** The newest supported version. Answers use it if the request does not name a supported version. */
export const newest = "1.1.0"

/** Whether `version` is one of the {@link supported} versions. */
export const isSupported = (version: string): boolean => supported.some((known) => known === version)

const pattern = /^(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?$/

/** Whether `text` is one to three numbers separated by dots. */
export const isVersion = (text: string): boolean => pattern.test(text)

const numbers = (version: string): ReadonlyArray<number> =>
  (pattern.exec(version) ?? []).slice(1).map((part: string | undefined) => Number(part ?? 0))

/** Whether `version` is `minimum` or newer. {@link isVersion} must accept both. */
export const isAtLeast = (version: string, minimum: string): boolean => {
  const left = numbers(version)
  const right = numbers(minimum)
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
