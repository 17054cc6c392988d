/// <reference path="../pb_data/types.d.ts" />
//
// Routes that tinykit-ops adds to PocketBase. Works on 0.23.4 and later.
//
//   POST /api/tinykit-ops/snapshot        start a copy of the database: 202 {"id"}, 409 busy
//   GET  /api/tinykit-ops/snapshot/ID     how it goes: {"state": running | done | failed, ...}
//   GET  /api/tinykit-ops/judge/users     may this caller pass as a user? 204, 401 or 403
//   GET  /api/tinykit-ops/judge/superusers
//
// Every route wants the secret header X-Tinykit-Ops-Token. A call from loopback proves nothing
// here: tinykit's open proxy speaks from loopback too.
//
// PocketBase runs each handler in a context of its own that sees nothing of this file, which is
// why every one of them starts with require().

routerAdd("POST", "/api/tinykit-ops/snapshot", (e) => {
  return require(`${__hooks}/tinykit_ops/snapshot.js`).start(e)
})

routerAdd("GET", "/api/tinykit-ops/snapshot/{id}", (e) => {
  return require(`${__hooks}/tinykit_ops/snapshot.js`).tell(e)
})

routerAdd("GET", "/api/tinykit-ops/judge/users", (e) => {
  return require(`${__hooks}/tinykit_ops/judge.js`).judge(e, ["users", "_superusers"])
})

routerAdd("GET", "/api/tinykit-ops/judge/superusers", (e) => {
  return require(`${__hooks}/tinykit_ops/judge.js`).judge(e, ["_superusers"])
})

// Fires at login and at every refresh.
onRecordAuthRequest((e) => {
  require(`${__hooks}/tinykit_ops/judge.js`).rememberCaller(e)
  e.next()
}, "users")

// A crash or restart in the middle of a snapshot leaves half a file: nobody may mistake it.
onBootstrap((e) => {
  e.next()
  require(`${__hooks}/tinykit_ops/snapshot.js`).clearInterrupted()
})
