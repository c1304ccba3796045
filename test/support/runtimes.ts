/** Runtimes of this host, which other tests may have started. */

/** What `wrap` says on stderr, without that no runtime uses the folder of a test. */
export const withoutRuntimes = (stderr: string): string =>
  stderr.replaceAll(/^no runtime that was found on this host uses .*:\n(?: {2}.*\n)*/gm, "")
