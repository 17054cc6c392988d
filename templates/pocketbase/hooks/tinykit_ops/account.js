// The proof `account`: a login of a PocketBase account, in a header or in a cookie.

const COOKIE = "__Host-tinykit_ops"
const LAX = 2 // Go's http.SameSiteLaxMode
const COLLECTIONS = ["users", "_superusers"]

module.exports = { look, remember }

// {holds: it is an account that may pass, known: it is some account}. A page may send both: a
// superuser's header from PocketBase's dashboard, and the cookie of the builder's login.
function look(e) {
  const names = tokens(e).map(collectionOf).filter((name) => name !== "")
  return { holds: names.some((name) => COLLECTIONS.includes(name)), known: names.length > 0 }
}

// Pages, links and buttons send no token, so the browser gets a cookie to send by itself. Only the
// edge's question reads it: PocketBase's own API goes by the Authorization header alone.
function remember(e) {
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

function tokens(e) {
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
