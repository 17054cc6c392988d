// Judges callers for the edge, which asks before it lets a request pass.
//
//   need=account+basic   the proofs that matter; `+`, a space and a comma all separate them
//   match=all|any        whether all of them are wanted, or one is enough
//   page=1               a person opened a page, and can be asked to log in
//
// 204 passes. A call is refused with 401 when nothing was proven, else with 403. A page is refused
// with 401 and a challenge when the name and password of `basic` would help, else with 403, which
// the edge turns into the login page. Passwords of an address that guessed too often are not looked
// at: 429. Never a body, and never a new token.

module.exports = { judge }

function judge(e) {
  if (!require(`${__hooks}/tinykit_ops/guard.js`).allowed(e)) {
    return e.noContent(403)
  }
  const query = e.request.url.query()
  const need = query.get("need").split(/[+ ,]/).filter((proof) => proof !== "")
  const match = query.get("match")
  if (need.length === 0 || !["all", "any"].includes(match)) {
    return e.noContent(403) // a question that nobody asks opens nothing
  }
  return answer(e, need, match, query.get("page") === "1")
}

function answer(e, need, match, page) {
  const basic = require(`${__hooks}/tinykit_ops/basic.js`)
  const seen = look(e, need)
  if (guesses(seen) && require(`${__hooks}/tinykit_ops/guesses.js`).tooMany(e)) {
    return e.noContent(429)
  }
  const holds = (proof) => seen[proof] !== undefined && seen[proof].holds
  if (match === "all" ? need.every(holds) : need.some(holds)) {
    if (seen.basic && seen.basic.remembers) {
      basic.remember(e)
    }
    return e.noContent(204)
  }
  if (seen.basic && seen.basic.tried && !seen.basic.remembers) {
    require(`${__hooks}/tinykit_ops/refusals.js`).tell(e, "basic")
    require(`${__hooks}/tinykit_ops/guesses.js`).count(e)
  }
  if (page) {
    return askFor(e, seen.basic && !seen.basic.holds ? basic : null)
  }
  const known = Object.values(seen).some((proof) => proof.holds || proof.known)
  return e.noContent(known ? 403 : 401)
}

// A name and password came, and no cookie that makes them needless.
function guesses(seen) {
  return seen.basic && seen.basic.tried && !seen.basic.cookie
}

// What the request proves, of what was asked for.
function look(e, need) {
  const seen = {}
  for (const proof of ["account", "basic"].filter((name) => need.includes(name))) {
    seen[proof] = require(`${__hooks}/tinykit_ops/${proof}.js`).look(e)
  }
  return seen
}

function askFor(e, basic) {
  if (basic) {
    basic.challenge(e)
    return e.noContent(401)
  }
  return e.noContent(403)
}
