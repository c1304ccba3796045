/** Recognizes names of secrets. */

/** Words that mark a secret anywhere in a name. */
const anywhere =
  /passw(?:or)?d(?!less)|passphrase|passcode|secret(?!ar)|token(?!iz)|credential|psk|bearer|docker(?:cfg|configjson)|(?:api|access|priv|private|secret|encryption|shared|signing|session|master)key/i

/** Words that mark a secret only as separate words: `apiKey`, `tls-auth`; not `monkey`, `author`. */
const asWord = /^(?:keys?|pass|pwd|auth|authorization|creds?|pin|jwts?|cookies?|t?otp)$/

/**
 * Last words of names whose values describe a secret, such as its location or lifetime, but are not the secret itself.
 */
const harmlessEnd = new RegExp(
  "^(?:files?|filename|paths?|dir|directory|folder|mount|names?|namespace|refs?|ids?|types?|version|kind|ur[il]|endpoint|" +
    "host|hostname|address|addr|port|issuer|audience|realm|scopes?|servers?|service|ttl|timeout|expiry|expires|" +
    "expiration|expired|age|lifetime|duration|interval|period|at|time|date|seconds|length|len|size|bits|count|limit|min|" +
    "max|policy|modes?|methods?|algorithm|alg|format|encoding|usages?|required|enabled|disabled|optional|allowed|valid|" +
    "agent|manager|providers?|store|operator|controller|driver|plugin|proxy|rotator|rotation|webhook|helper|stdin|" +
    "prompt|only|ring|space|board|mgmt|management|rate|second|minute|hour|day)$"
)

/** First words of names whose values are numbers or public keys. */
const harmlessStart = /^(?:max|min|num|total|public|pub|primary|foreign)$/

/** Names of references to Kubernetes secrets. */
const exempt = /^image[_-]?pull[_-]?secrets?$/i

/** Last words to ignore. */
const filler = /^(?:data|value|string|text|hash|hashed|b64|base64|plain|plaintext|raw|old|new|current|v?\d+)$/

const wordsOf = (name: string): ReadonlyArray<string> =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2").toLowerCase()
    .split(/[^a-z0-9]+/).filter(Boolean)

const verdicts = new Map<string, boolean>()

/** A quick pre-check: matches every text that contains such a name, and few others. */
export const hint = /pass|pwd|secret|token|cred|psk|bearer|docker|key|auth|pin|jwt|cookie|otp|\\u00/i

/** Whether a name looks like the name of a secret. */
export const looksSecret = (name: string): boolean => {
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const words = wordsOf(name)
  const is = !harmlessEnd.test(words.at(-1) ?? "") && !harmlessStart.test(words[0] ?? "") && !exempt.test(name) &&
    (anywhere.test(name) || words.some((word) => asWord.test(word)))
  if (verdicts.size < 10_000) verdicts.set(name, is)
  return is
}

/**
 * Whether the last word of a name marks a secret, which is how prose uses such names: `token`, `client-key-data`; not
 * `secret-agent`.
 */
export const endsSecret = (name: string): boolean => {
  const last = wordsOf(name).findLast((word) => !filler.test(word)) ?? ""
  return asWord.test(last) || anywhere.test(last)
}

/**
 * Whether a value needs no masking despite its name: a boolean, an absent value or a path. Cookies of Open vSwitch
 * flows and keys of tunnels are plain numbers.
 */
export const isHarmless = (name: string, value: string): boolean =>
  /^(?:true|false|null|nil|<nil>|none|undefined|yes|no|on|off|\[redacted\]|)$/i.test(value) ||
  /^(?:file:\/\/)?\/(?:etc|var|run|opt|usr|root|home|tmp|srv|mnt|proc|dev|lib|secrets?)\/[\w./@-]+$/.test(value) ||
  (/cookie$/i.test(name) && /^0x[\da-f]+(?:,|$)/i.test(value)) || (/^keys?$/i.test(name) && /^\d{1,10}$/.test(value))
