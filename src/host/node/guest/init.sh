#!/bin/busybox sh
# The first process of the default guest: prepares a small busybox system in the initial RAM file
# system, mounts the disk if one is attached, runs one interactive shell on the console, and powers
# the machine off when the shell ends or `poweroff` is typed.
#
# Only what the machine needs is loaded: /etc/modules lists the modules for every start; ext4, by
# far the most expensive one, is loaded by the kernel through modprobe when such a file system is
# mounted.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root SHELL=/bin/sh
export PS1='isola:\w\$ '
# The kernel always says TERM=linux; whoever talks to a serial port is rather an xterm. Another
# value can be given on the kernel command line (TERM=...), and the size of the terminal too
# (LINES=, COLUMNS=).
[ "$TERM" = linux ] && export TERM=xterm

say() {
	echo "isola: $*"
}

prepare() {
	/bin/busybox --install -s
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mkdir -p /dev/pts /dev/shm
	mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs -o mode=1777 tmpfs /dev/shm
	mount -t tmpfs -o mode=1777 tmpfs /tmp
	mount -t tmpfs -o mode=755 tmpfs /run
	hostname isola
	ip link set lo up
	modprobe -a $(cat /etc/modules)
	# Not a terminal at the other end, but a pipe or a log: no echo of what was sent before the
	# shell is there. The first line that we print says that this is done.
	[ "$TERM" = dumb ] && stty -echo
	[ -n "$LINES" ] && [ -n "$COLUMNS" ] && stty rows "$LINES" cols "$COLUMNS"
	return 0
}

# Mounts an ext2, ext3 or ext4 file system on /dev/vda at /mnt, writable if the disk is. Any other
# disk is left as it is: formatting somebody's data away is never ours to do.
mount_disk() {
	[ -b /dev/vda ] || return
	# The superblock starts at byte 1024; s_magic, 0xef53, is at offset 56 in it.
	magic=$(dd if=/dev/vda bs=1 skip=1080 count=2 2>/dev/null | xxd -p)
	if [ "$magic" != 53ef ]; then
		say "/dev/vda has no ext4 file system; to erase it and make one: mke2fs /dev/vda"
	elif [ "$(cat /sys/block/vda/ro)" = 0 ]; then
		mount -t ext4 /dev/vda /mnt && say "/dev/vda is mounted at /mnt"
	elif mount -t ext4 -o ro /dev/vda /mnt 2>/dev/null ||
		# Its journal cannot be replayed if the disk was not unmounted cleanly.
		mount -t ext4 -o ro,noload /dev/vda /mnt; then
		say "/dev/vda is mounted at /mnt, read-only"
	fi
}

# $1: poweroff, reboot or halt
shut_down() {
	trap '' USR1 USR2 TERM INT
	cd /
	# The shell first, which would only show one more prompt when its jobs end.
	kill -KILL "$shell" 2>/dev/null
	kill -TERM -1 2>/dev/null
	if grep -q ' /mnt ' /proc/mounts && ! umount /mnt 2>/dev/null; then
		sleep 1
		kill -KILL -1 2>/dev/null
		umount /mnt 2>/dev/null || mount -o remount,ro /mnt
	fi
	sync
	"$1" -f
}

# Runs the shell until it ends, in the background: a shell runs its traps only between commands or
# while it waits. Job control (set -m), for which this process needs the console as its terminal
# until the shell takes it, keeps Ctrl-C from being ignored by what runs in the background; and as
# the second of a pipeline the shell leads no process group, so that it can lead a session.
run_shell() {
	set -m
	if [ "$TERM" = dumb ]; then
		# No line editor with its escape sequences (it needs echo), and each line shown when it
		# is read, after its prompt.
		: | setsid cttyhack sh -v &
	else
		: | setsid cttyhack sh &
	fi
	shell=$!
	set +m
	wait "$shell"
}

# The signals by which busybox's own commands ask the first process for each of these.
trap 'shut_down halt' USR1
trap 'shut_down poweroff' USR2
trap 'shut_down reboot' TERM

if [ "$1" != terminal ]; then
	prepare
	exec setsid cttyhack "$0" terminal
fi
mount_disk
say "Linux $(uname -r) on $(uname -m). To quit: poweroff, or leave the shell."
cd "$HOME"
run_shell
shut_down poweroff
