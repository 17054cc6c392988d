// Judges callers for the edge, which asks before it lets a request pass.

const COOKIE = "__Host-tinykit_ops"
const LAX = 2 // Go's http.SameSiteLaxMode

module.exports = { judge, rememberCaller }

// 204 when any credential of the request belongs to one of the collections, 403 when the caller
// is known but of another one (or the secret header is wrong), 401 when nobody is known.
function judge(e, collections) {
  if (!require(`${__hooks}/tinykit_ops/guard.js`).allowed(e)) {
    return e.noContent(403)
  }
  const names = credentials(e).map(collectionOf).filter((name) => name !== "")
  if (names.length === 0) {
    return e.noContent(401)
  }
  return e.noContent(names.some((name) => collections.includes(name)) ? 204 : 403)
}

// Pages, links and buttons send no token, so the browser gets a cookie to send by itself. Only the
// edge's question reads it: PocketBase's own API goes by the Authorization header alone.
function rememberCaller(e) {
  e.setCookie(
    new Cookie({
      name: COOKIE,
      value: e.token,
      path: "/",
      maxAge: Number(e.collection.authToken.duration), // seconds
      httpOnly: true,
      secure: true,
      sameSite: LAX,
    }),
  )
}

// The tokens a request carries. A page may send both: a superuser's header from PocketBase's
// dashboard, and the cookie of the builder's login.
function credentials(e) {
  const found = []
  const header = e.request.header.get("Authorization")
  if (header) {
    found.push(header.replace(/^Bearer\s+/i, ""))
  }
  try {
    found.push(e.request.cookie(COOKIE).value)
  } catch (_) {
    // no cookie
  }
  return found.filter((token) => token !== "")
}

// The collection of a valid login token's record, or "".
function collectionOf(token) {
  try {
    return $app.findAuthRecordByToken(token, "auth").collection().name
  } catch (_) {
    return "" // expired, revoked, forged, or no token at all
  }
}
