// The secret that callers of our routes must know.

const HEADER = "X-Tinykit-Ops-Token"
const SHORTEST = 32 // characters; a shorter one is treated as no secret at all

module.exports = { allowed }

// Whether the request carries the secret. Read per request, so that a new one needs no restart.
function allowed(e) {
  const expected = secret()
  const given = e.request.header.get(HEADER)
  return expected.length >= SHORTEST && $security.equal(given, expected)
}

function secret() {
  let path = $os.getenv("TINYKIT_OPS_HOOK_TOKEN_FILE")
  if (!path && $os.getenv("CREDENTIALS_DIRECTORY")) {
    path = $os.getenv("CREDENTIALS_DIRECTORY") + "/hook-token"
  }
  if (!path) {
    return ""
  }
  try {
    return toString($os.readFile(path)).trim()
  } catch (_) {
    return "" // no file, no entry
  }
}
