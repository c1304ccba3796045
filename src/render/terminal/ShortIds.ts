/** Shortens long identifiers to the form that people know. */

/**
 * Shortens container IDs to their first 12 characters, and the hash in a chain name of the CNI plugins to its first 4.
 */
export const of = (text: string): string =>
  text.replace(/(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])/g, "$1")
    .replace(/\b(CNI-(?:[A-Z]+-)?[0-9a-f]{4})[0-9a-f]{16,20}\b/g, "$1…")
