// Refused logins, one line each on standard error, which is the journal: fail2ban counts them.
//
// Nothing that a client sent is in the line: the address is PocketBase's own reading of it.

module.exports = { tell, watch }

function tell(e, what) {
  console.error(`tinykit-ops: login refused from ${e.realIP()} (${what})`)
}

// Around PocketBase's own login with a password; its answer stays as it is.
function watch(e) {
  try {
    e.next()
  } catch (error) {
    if (isRefusal(error)) {
      tell(e, e.collection.name)
    }
    throw error
  }
}

// 400: a wrong name or password. 403: an account that may not log in, or not from there.
function isRefusal(error) {
  const status = error && (error.status || (error.value && error.value.status))
  return status === 400 || status === 403
}
