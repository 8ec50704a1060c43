# Typed at the prompt of the default guest (sh /mnt/bench/start.sh): makes the disk, mounted at /mnt, the root of a
# Debian system, and runs a program of it at the console, /bench/serve.sh unless another is given.
# The disk may be read-only: all that is written goes to memory.

mount -t proc proc /mnt/proc
mount -t sysfs sysfs /mnt/sys
mount --bind /dev /mnt/dev
mount --bind /dev/pts /mnt/dev/pts
mount --bind /dev/shm /mnt/dev/shm
for place in tmp run root var/tmp; do
	mount -t tmpfs -o mode=1777 tmpfs "/mnt/$place"
done
cp /bin/busybox /mnt/run/
[ $# -gt 0 ] || set -- /bin/sh /bench/serve.sh
export HOME=/root PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
exec chroot /mnt "$@"
