# Keeps one lab host: mounts its disk where nobody else sees it, boots it, boots it again when
# it reboots, and ends when it is powered off. Runs in a mount namespace of its own, so that its
# mounts go away with it, however it ends. Arguments come as variables, set by machine.py.
set -eu

mkdir -p "$FOLDER/root"
layers="$FOLDER"
if [ -n "$DISK" ]; then
    mkdir -p "$FOLDER/disk"
    mount -o loop "$FOLDER/disk.img" "$FOLDER/disk"
    layers="$FOLDER/disk"
fi
mkdir -p "$layers/upper" "$layers/work"
mount -t overlay overlay \
    -o "lowerdir=$TREE,upperdir=$layers/upper,workdir=$layers/work" "$FOLDER/root"

if [ ! -e "$FOLDER/seeded" ]; then
    tar -C "$FOLDER/root" --no-overwrite-dir -xf "$FOLDER/seed.tar"
    touch "$FOLDER/seeded"
fi

while :; do
    code=0
    # After a power cut the kernel takes its time with the end of the old pair of interfaces.
    ip link delete "vb-$MACHINE" 2>/dev/null || :
    (
        for hierarchy in $HIERARCHIES; do
            mkdir -p "$hierarchy/$CGROUP/machine"
            echo 0 > "$hierarchy/$CGROUP/machine/cgroup.procs"
        done
        # Plain cgroup2 inside, also where this machine mixes versions: systemd's address and
        # device rules then work, and Debian 13's systemd wants nothing else.
        export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
        # Nobody else can see this tree; a lock file would stay behind after a power cut.
        export SYSTEMD_NSPAWN_LOCK=0
        set --
        if [ -n "$DOCKER" ]; then
            # Docker's own layers are overlays too, which cannot lie on the overlay of a host.
            mkdir -p "$layers/docker"
            set -- --capability=all --bind="$layers/docker:/var/lib/docker"
        fi
        # bpf: IPAddressDeny= of units; keyctl: session key rings of SSH logins.
        exec systemd-nspawn --quiet --boot --register=no --keep-unit \
            --directory="$FOLDER/root" --machine="$MACHINE" --hostname="$HOST" \
            --network-bridge="$BRIDGE" --resolv-conf=off --link-journal=no --timezone=off \
            --console=pipe --system-call-filter="bpf add_key keyctl" "$@"
    ) || code=$?
    echo "tinykit-lab: $HOST ended with exit code $code"
    [ "$code" = 133 ] || exit "$code"  # 133: it asked for a reboot
done
