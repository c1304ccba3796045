/** Masks secrets that are recognizable by their format, whatever their names are. */

/** The replacement for a secret. The field `redact` uses the same text. */
export const masked = "[redacted]"

/** A PEM private key, which may be truncated. */
const privateKey = /-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-{4,5}[^]*?(?:-{4,5} ?END [A-Z0-9 ]+-{4,5}|$)/g

/** PEM encoded as Base64, as in a kubeconfig. */
const encodedPem = /\bLS0tL[\w+/]{40,}={0,2}/g

/** Tokens with well-known prefixes, password hashes, and keys in the output of `ip xfrm state`. */
const token = new RegExp(
  [
    "\\beyJ[\\w-]{8,}(?:\\.[\\w-]+){1,4}", // a JSON Web Token
    "\\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\\b",
    "\\bgh[oprsu]_\\w{20,}|\\bgithub_pat_\\w{20,}|\\bglpat-[\\w-]{16,}|\\bnpm_\\w{30,}|\\bdckr_pat_[\\w-]{16,}",
    "\\bxox[abeoprs]-[\\w-]{10,}|\\bhooks\\.slack\\.com/services/[\\w/]+",
    "\\bAIza[\\w-]{35}|\\bya29\\.[\\w-]{16,}|\\b[rs]k_(?:live|test)_\\w{10,}|(?<![\\w-])sk-[\\w-]{20,}",
    "\\bhv[brs]\\.[\\w-]{20,}|\\bAGE-SECRET-KEY-1\\w+|\\bSG\\.[\\w-]{16,}\\.[\\w-]{16,}|\\bdo[opr]_v1_[\\da-f]{32,}",
    "\\bsha256~[\\w-]{30,}",
    "\\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2\\w{0,2})\\$[^\\s$:\"']{1,100}\\$[\\w./$+,=-]{8,}",
    "(?<=\\b(?:enc|auth|auth-trunc|aead) ['\"]?[\\w()-]{1,40}['\"]? )0x[\\da-f]{16,}"
  ].join("|"),
  "g"
)

/** `https://user:password@host`, where the password may have unescaped characters. A port is not a password. */
const login =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#"'@:[\]]{0,200}:)(?!\d{1,5}[/?#])(?:(?:[^\s/?#"'<>@]{0,200}@)+|[^\s"'<>@]{0,200}@)/gi

/** `user:password@tcp(host:3306)`, the format of Go's MySQL driver. */
const driverLogin = /\b([\w.-]{1,100}:)[^\s@:/"']{1,200}(?=@(?:tcp|unix)\()/g

/** `https://token@host` and `https://token:x-oauth-basic@host`. */
const tokenLogin =
  /\b(https?:\/\/)(?:(?=[^\s/@:]{0,200}\d)[\w.~%+-]{20,200}|[\w.~%+-]{1,200}(?=:x-oauth-basic@))(?=[:@])/gi

/**
 * `-u user:password`, but not two numbers, which are a user and a group; `sshpass -p x`, `mysql -px`; `password x` as
 * in `.netrc`, if it has a digit, unlike a word of a sentence; signatures in URLs.
 */
const programs = [
  /((?<![\w-])(?:-u|-U|--user|--proxy-user)(?:\\*["'],? *|[ =]?)(?:\\*["'])?(?!\d+:\d+\b)[^\s:"'/\\]{1,200}:)[^\s"'\\]+/g,
  /(\bsshpass +-p *)[^\s"']+/g,
  /(\bmysql(?:dump|admin)?\b[^\n|;&]{0,200} -p)[^\s"']+/g,
  /(\blogin +\S{1,100}\s{1,20}password +)[^\s"']+/g,
  /(\b(?:password|passwd|passphrase|requirepass|psk|(?:private|preshared)-key) +)(?=[^\s"']{0,100}\d)[^\s"']{6,}/gi,
  /([?&](?:sig|[\w-]{0,40}signature)=)[^\s&"'\\]+/gi
]

/** `Bearer …` and `Basic …`, even without a header name before them. */
const scheme = /\b(Bearer|Basic)( +)([\w.~+/-]{4,}=*)/gi

/** Whether the word after such a scheme is a token and not part of a sentence. */
const isToken = (kind: string, value: string): boolean =>
  /^basic$/i.test(kind)
    ? /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(value, "base64").toString("latin1"))
    : value.length >= 20 || (value.length >= 8 && /\d/.test(value))

/** A quick pre-check: matches every text that contains such a secret, and few others. */
export const hint =
  /PRIVATE KEY|LS0tL|eyJ|A[KSBC][IC]A|gh[oprsu]_|github_pat_|glpat-|npm_|dckr_pat_|xox|hooks\.slack|AIza|ya29|[rs]k[_-]|hv[brs]\.|AGE-SECRET|SG\.|sha256~|sig(?:nature)?=|do[opr]_v1|\$\w+\$|0x[\da-f]{16}|@|-p|-u|-U|user|login|bearer|basic/i

/** Masks private keys, which span several lines. */
export const withoutKeys = (text: string): string => text.replace(privateKey, masked)

/** Masks passwords before an `@`. Most texts have none, and the search for what stands before one is slow. */
const withoutLogins = (text: string): string =>
  text.includes("@") ? text.replace(login, `$1${masked}@`).replace(driverLogin, `$1${masked}`) : text

/** Masks tokens in a text or a JSON document. A match never contains part of an escape or the end of a string. */
export const withoutTokens = (text: string): string =>
  withoutLogins(
    text
      .replace(token, masked)
      .replace(encodedPem, (whole) => Buffer.from(whole, "base64").includes("PRIVATE KEY") ? masked : whole)
      .replace(tokenLogin, `$1${masked}`)
  ).replace(scheme, (whole, kind: string, space: string, value: string) =>
    isToken(kind, value) ? `${kind}${space}${masked}` : whole)

/** Masks tokens, and passwords in the places where programs expect them. */
export const without = (text: string): string =>
  programs.reduce((rest, place) => rest.replace(place, `$1${masked}`), withoutTokens(text))
