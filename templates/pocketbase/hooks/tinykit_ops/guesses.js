// Wrong passwords of the proof `basic`, counted by address: PocketBase's own limiter knows nothing of
// them, and a CDN's address cannot be banned.

const KEY = "tinykitOpsGuesses"
const MINUTE = 60 * 1000 // milliseconds
const ADDRESSES = 5000 // remembered at most; the oldest go first

module.exports = { count, tooMany }

function count(e) {
  const all = remembered()
  const who = counted(e.realIP())
  const now = Date.now()
  const one = all[who] && now - all[who].since < MINUTE ? all[who] : { since: now, wrong: 0 }
  delete all[who] // so that it is the newest again
  all[who] = { since: one.since, wrong: one.wrong + 1 }
  const names = Object.keys(all)
  names.slice(0, Math.max(0, names.length - ADDRESSES)).forEach((old) => delete all[old])
  $app.store().set(KEY, JSON.stringify(all))
}

function tooMany(e) {
  const one = remembered()[counted(e.realIP())]
  const most = Number($os.getenv("TINYKIT_OPS_GUESSES_A_MINUTE")) || 20
  return one !== undefined && one.wrong >= most && Date.now() - one.since < MINUTE
}

// One customer owns a whole /64 of IPv6.
function counted(address) {
  if (!address.includes(":")) return address
  const [head, tail] = address.split("::")
  const groups = head.split(":")
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").length
  return groups.concat(Array(Math.max(0, missing)).fill("0")).slice(0, 4).join(":") + "::/64"
}

// Handlers share nothing but the application's store; text passes through it unharmed.
function remembered() {
  return JSON.parse($app.store().get(KEY) || "{}")
}
