// The secret that callers of our routes must know.

const HEADER = "X-Tinykit-Ops-Token"

module.exports = { allowed }

// Whether the request carries the secret; too short a one is treated as no secret at all.
function allowed(e) {
  const credentials = require(`${__hooks}/tinykit_ops/credentials.js`)
  const expected = credentials.read("hook-token").trim()
  const given = e.request.header.get(HEADER)
  return expected.length >= credentials.FEWEST_CHARACTERS && $security.equal(given, expected)
}
