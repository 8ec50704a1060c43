#!/bin/busybox sh
# The first process of the default guest: prepares a small busybox system in the initial RAM file
# system, mounts the disk if one is attached, runs one interactive shell on the console, and powers
# the machine off when the shell ends or `poweroff` is typed.
#
# Only what the machine needs is loaded: /etc/modules lists the modules for every start; ext4,
# by far the most expensive one, waits until a disk holds such a file system.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root SHELL=/bin/sh
export PS1='isola:\w\$ '
# The kernel always says TERM=linux; whoever talks to a serial port is rather an xterm. Another
# value can be given on the kernel command line (TERM=...).
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
}

# Mounts the file system on /dev/vda at /mnt, writable if the disk is. A disk without one is left
# as it is: formatting somebody's data away is never ours to do.
mount_disk() {
	[ -b /dev/vda ] || return
	read_only=$(cat /sys/block/vda/ro)
	type=$(blkid /dev/vda | sed -n 's/.* TYPE="\([^"]*\)".*/\1/p')
	case "$type" in
	'')
		say "/dev/vda has no file system; to make one: mke2fs /dev/vda && mount /dev/vda /mnt"
		return ;;
	ext2 | ext3 | ext4)
		modprobe ext4
		type=ext4 ;;
	esac
	if [ "$read_only" = 0 ]; then
		mount -t "$type" /dev/vda /mnt && say "/dev/vda ($type) is mounted at /mnt"
	else
		# A read-only disk that was not unmounted cleanly cannot replay its journal.
		mount -t "$type" -o ro /dev/vda /mnt 2>/dev/null ||
			mount -t "$type" -o ro,noload /dev/vda /mnt &&
			say "/dev/vda ($type) is mounted at /mnt, read-only"
	fi
}

# $1: poweroff, reboot or halt
shut_down() {
	trap '' USR1 USR2 TERM INT
	cd /
	kill -TERM -1 2>/dev/null
	sync
	if mountpoint -q /mnt && ! umount /mnt 2>/dev/null; then
		sleep 1
		kill -KILL -1 2>/dev/null
		umount -r /mnt
	fi
	sync
	"$1" -f
}

# The signals by which busybox's own commands ask the first process for each of these.
trap 'shut_down halt' USR1
trap 'shut_down poweroff' USR2
trap 'shut_down reboot' TERM

prepare
mount_disk
say "Linux $(uname -r) on $(uname -m). To quit: poweroff, or leave the shell."
cd "$HOME"

# In the background, because a shell runs its traps only between commands or while it waits.
setsid cttyhack sh &
wait $!
shut_down poweroff
