// The proof `basic`: one name and password for everybody, or the cookie that they were changed for.
//
// The cookie's value is one secret of the host, so that calls that a page makes need no
// Authorization header of this kind: the builder has its own in that place.

const COOKIE = "__Host-tinykit_ops_basic"
const LAX = 2 // Go's http.SameSiteLaxMode

module.exports = { look, remember, challenge }

// {holds, tried: a name and password came, remembers: they were right, cookie: it came too}.
function look(e) {
  const [name, password, tried] = e.request.basicAuth()
  const right = tried && isRight(name, password)
  const cookie = hasCookie(e)
  return { holds: right || cookie, tried: tried, remembers: right, cookie: cookie }
}

// Ends with the browser's session: the browser asks the person again after that.
function remember(e) {
  e.setCookie(
    new Cookie({
      name: COOKIE,
      value: cookieSecret(),
      path: "/",
      httpOnly: true,
      secure: true,
      sameSite: LAX,
    }),
  )
}

// Lets a browser ask for the name and password.
function challenge(e) {
  e.response.header().set("WWW-Authenticate", 'Basic realm="tinykit", charset="UTF-8"')
}

function isRight(name, password) {
  const expected = require(`${__hooks}/tinykit_ops/credentials.js`).read("access-basic-password")
  const user = $os.getenv("TINYKIT_OPS_BASIC_USER")
  // Both are always compared, so that the time tells nothing about either.
  const sameName = same(name, user)
  const samePassword = same(password, expected)
  return user !== "" && expected !== "" && sameName && samePassword
}

function hasCookie(e) {
  const expected = cookieSecret()
  let given = ""
  try {
    given = e.request.cookie(COOKIE).value
  } catch (_) {
    // no cookie
  }
  return expected !== "" && same(given, expected)
}

function cookieSecret() {
  const credentials = require(`${__hooks}/tinykit_ops/credentials.js`)
  const secret = credentials.read("basic-cookie")
  return secret.length >= credentials.FEWEST_CHARACTERS ? secret : ""
}

// In constant time, whatever the lengths are.
function same(one, other) {
  return $security.equal($security.sha256(one), $security.sha256(other))
}
