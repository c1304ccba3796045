/** Names that are made of long numbers, as people know them. */

/** IDs of containers are known by their first 12 characters, chains of the plugins of CNI by the first 4 of their hash. */
export const of = (text: string): string =>
  text.replace(/(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])/g, "$1")
    .replace(/\b(CNI-(?:[A-Z]+-)?[0-9a-f]{4})[0-9a-f]{16,20}\b/g, "$1…")
