# What an install made by hand consists of. It only reads. Each line: kind, key, value in base64.
# /var/lib/tinykit-ops is layout.STATE_DIR. Of environments come names, and the values of the few variables that are no secret.
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin
plain='^(PORT|HOST|ORIGIN|BODY_SIZE_LIMIT|PROTOCOL_HEADER|POCKETBASE_URL|LLM_PROVIDER|LLM_MODEL|LLM_BASE_URL)='

say() { printf '%s\t%s\t' "$1" "$2"; base64 -w0; echo; }
word() { printf '%s' "$3" | say "$1" "$2"; }
names() { sed -z 's/=.*//' | tr '\0' '\n'; }

# As the user who runs the program already: a binary of somebody else's is never run as root.
as_user_of() { # PID, arguments
  of=$1; shift
  uid=$(awk '/^Uid:/ {print $2}' "/proc/$of/status"); gid=$(awk '/^Gid:/ {print $2}' "/proc/$of/status")
  cd / && timeout 20 setpriv --reuid="$uid" --regid="$gid" --clear-groups --no-new-privs "/proc/$of/exe" "$@" 2>/dev/null
}

# Without its hooks: they may do something when they are loaded.
pocketbase_version() {
  as_user_of "$1" --hooksDir=/nonexistent --migrationsDir=/nonexistent --version || as_user_of "$1" --version
}

look_at_folder() { # PID, folder as that process sees it
  root=/proc/$1/root; [ -d "$root$2" ] || return 0
  app=$root$2
  if [ -f "$app/package.json" ]; then head -c 20000 "$app/package.json" | say package "$2"; fi
  if [ -f "$app/build/index.js" ]; then word built "$2" yes; fi
  if [ -f "$app/.git/HEAD" ]; then
    head=$(head -c 300 "$app/.git/HEAD")
    case $head in "ref: "*)
      ref=${head#ref: }
      head=$(head -c 100 "$app/.git/$ref" 2>/dev/null || grep -s " $ref\$" "$app/.git/packed-refs" | cut -d' ' -f1) ;;
    esac
    word commit "$2" "$head"
  fi
  if [ -f "$app/.env" ]; then
    grep -o '^[A-Za-z_][A-Za-z0-9_]*=' "$app/.env" | tr -d = | say dotenv "$2"
    grep -E "$plain" "$app/.env" | say dotenv-plain "$2"
  fi
  marker=$app/pocketbase/pb_data/.setup_complete
  if [ -f "$marker" ]; then
    grep -o '"[a-z_]*"[[:space:]]*:' "$marker" | tr -d '": ' | say marker "$2"
    sed -n 's/.*"admin_email"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$marker" | say marker-email "$2"
  fi
  for extra in pb_hooks pb_public; do
    if [ -d "$app/pocketbase/$extra" ]; then word extra "$2/pocketbase/$extra" yes; fi
  done
}

open_database() { ls -l "/proc/$1/fd" 2>/dev/null | sed -n 's/.* -> \(.*\/data\.db\)$/\1/p' | head -n 1; }

# Its database, as it sees it: one that it has open, or that its words or places say. An idle one
# has none open.
database_of() {
  found=$(open_database "$1"); [ -z "$found" ] || { printf '%s' "$found"; return; }
  case $(readlink "/proc/$1/exe") in */pocketbase*) ;; *) return ;; esac
  given=$(tr '\0' '\n' <"/proc/$1/cmdline" | sed -n -e 's/^--dir=//p' -e '/^--dir$/{n;p}' | head -n 1)
  cwd=$(readlink "/proc/$1/cwd"); exe=$(readlink "/proc/$1/exe")
  case $given in /*) ;; ?*) given=$cwd/$given ;; esac
  for dir in "$given" "${exe%/*}/pb_data" "$cwd/pb_data" "$cwd/pocketbase/pb_data"; do
    if [ -n "$dir" ] && [ -f "/proc/$1/root$dir/data.db" ]; then printf '%s/data.db' "$dir"; return; fi
  done
}

look_at_process() {
  word exe "$1" "$(readlink "/proc/$1/exe")"
  word cwd "$1" "$(readlink "/proc/$1/cwd")"
  cat "/proc/$1/cgroup" | say cgroup "$1"
  cat "/proc/$1/cmdline" | say cmdline "$1"
  names <"/proc/$1/environ" | say env "$1"
  grep -z -E "$plain" "/proc/$1/environ" | tr '\0' '\n' | say env-plain "$1"
  database=$(database_of "$1"); word database "$1" "$database"
  if [ -n "$database" ]; then
    pocketbase_version "$1" | say version "$1"
    dir=/proc/$1/root${database%/data.db}
    word size "$1" "$(du -sk "$dir" 2>/dev/null | cut -f1)"
  fi
  look_at_folder "$1" "$(readlink "/proc/$1/cwd")"
}

word user name "$(id -un)"
if [ "$(id -u)" != 0 ]; then exit 0; fi
cat /etc/os-release | say system os-release
word system machine "$(uname -m)"
word system init "$(cat /proc/1/comm)"
word system ssh "${SSH_CONNECTION:-}"
word system hostname "$(hostname -f 2>/dev/null || hostname)"
df -Pk /opt /var/lib | say system df
[ ! -e /etc/tinykit-ops/config.json ] || word system ours yes
[ ! -f /var/lib/tinykit-ops/adopted/journal.json ] || say system journal </var/lib/tinykit-ops/adopted/journal.json
ss -Hlntp | say system sockets

# Programs in other machines than this one (LXC, nspawn) are not its own; Docker's are.
is_here() { [ "$(readlink "$1/ns/pid")" = "$here" ] || grep -q docker "$1/cgroup" 2>/dev/null; }
here=$(readlink /proc/self/ns/pid)

units=
for folder in /proc/[0-9]*; do
  pid=${folder#/proc/}
  exe=$(readlink "$folder/exe") || continue
  is_here "$folder" || continue
  { sed -n -E 's/^(PPid|Uid):[[:space:]]*([0-9]+).*/\2/p' "$folder/status"; echo "$exe"; tr '\0' ' ' <"$folder/comm"; } 2>/dev/null |
    say process "$pid"
  case ${exe##*/} in
    node | nodejs | bun | deno | pocketbase* | caddy | nginx | apache2 | haproxy | traefik) ;;
    *) [ -n "$(open_database "$pid")" ] || continue ;;
  esac
  look_at_process "$pid"
  case ${exe##*/} in
    node | nodejs) as_user_of "$pid" --version | say version "$pid" ;;
  esac
  unit=$(sed -n 's#.*/\([^/]*\.service\)$#\1#p' "$folder/cgroup" | tail -n 1)
  case " $units " in *" $unit "*) ;; *) units="$units $unit" ;; esac
done
for unit in $units; do
  systemctl show "$unit" -p Id,FragmentPath,DropInPaths,UnitFileState,User,WorkingDirectory,Restart,MainPID |
    say unit "$unit"
done

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  for id in $(docker ps -q --no-trunc); do
    docker inspect --format '{"name": {{json .Name}}, "image": {{json .Config.Image}}, "restart": {{json .HostConfig.RestartPolicy.Name}}, "mounts": {{json .Mounts}}, "ports": {{json .NetworkSettings.Ports}}, "labels": {{json .Config.Labels}}, "pid": {{json .State.Pid}}}' "$id" |
      say container "$id"
  done
fi

if command -v nginx >/dev/null && pidof nginx >/dev/null 2>&1; then nginx -T 2>/dev/null | say proxy nginx; fi
if [ -f /etc/caddy/Caddyfile ]; then say proxy caddy </etc/caddy/Caddyfile; fi
grep -r -n -i -E 'pocketbase|pb_data|tinykit' /etc/crontab /etc/cron.d /var/spool/cron/crontabs /etc/rc.local 2>/dev/null |
  grep -v '^/etc/cron.d/tinykit-ops' | say cron lines
[ ! -e /usr/local/bin/pocketbase ] || readlink -f /usr/local/bin/pocketbase | say there /usr/local/bin/pocketbase
for path in /var/lib/pocketbase /opt/tinykit /opt/pocketbase /etc/tinykit/environment; do
  [ ! -e "$path" ] || stat -c '%U:%G %a' "$path" | say there "$path"
done
for name in tinykit pocketbase caddy; do getent passwd "$name" | say account "$name"; done
