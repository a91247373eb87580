#!/bin/sh
# Customise hook: an ordinary Debian tree becomes the lab's guest. Runs on the build machine; nothing boots.
# Environment: LAB_RECIPE (a copy of this folder's parent), LAB_DEBS, LAB_HOSTNAME and the keys:
# LAB_USER_PUBLIC_KEY, LAB_HOST_KEY, LAB_HOST_PUBLIC_KEY (by value: no file of theirs is readable here).
set -eu
root=$1

cp -n "$root"/var/cache/apt/archives/*.deb "$LAB_DEBS/" 2>/dev/null || true
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
rm -f "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/apt/sources.list.d/*
: > "$root/etc/apt/sources.list"

# Files of the lab, with the owner and mode of an installed system.
(cd "$LAB_RECIPE/tree" && find . -type f) | while read -r file; do
    mode=644
    case $file in
        ./etc/sudoers.d/*) mode=440 ;;
        ./usr/local/sbin/*) mode=755 ;;
    esac
    rm -f "$root/$file"
    install -D -o 0 -g 0 -m "$mode" "$LAB_RECIPE/tree/$file" "$root/$file"
done

# Identity: name, the one user, the lab's keys. The empty machine-id becomes the VM's own UUID.
echo "$LAB_HOSTNAME" > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$LAB_HOSTNAME" > "$root/etc/hosts"
: > "$root/etc/machine-id"
chroot "$root" useradd --create-home --shell /bin/bash hvcert
install -d -m 700 "$root/home/hvcert/.ssh"
printf '%s\n' "$LAB_USER_PUBLIC_KEY" > "$root/home/hvcert/.ssh/authorized_keys"
chmod 600 "$root/home/hvcert/.ssh/authorized_keys"
chroot "$root" chown -R hvcert:hvcert /home/hvcert/.ssh
rm -f "$root"/etc/ssh/ssh_host_*
(umask 077 && printf '%s' "$LAB_HOST_KEY" > "$root/etc/ssh/ssh_host_ed25519_key")
printf '%s\n' "$LAB_HOST_PUBLIC_KEY" > "$root/etc/ssh/ssh_host_ed25519_key.pub"
if grep -q PerSourcePenalties "$root/usr/sbin/sshd"; then
    # OpenSSH 9.8 and later locks out an address that probes the port often, as a harness does.
    echo 'PerSourcePenalties no' >> "$root/etc/ssh/sshd_config.d/lab.conf"
fi

# The network: the MAC address that a VM is given is its address on the private network.
number=1
while [ "$number" -le 16 ]; do
    printf '[Match]\nMACAddress=52:54:00:99:00:%02x\n[Network]\nAddress=10.99.0.%d/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' \
        "$number" "$number" > "$root/etc/systemd/network/50-private-$number.network"
    number=$((number + 1))
done
units=/usr/lib/systemd/system
[ -e "$root$units/systemd-networkd.service" ] || units=/lib/systemd/system
etc=$root/etc/systemd/system
mkdir -p "$etc/multi-user.target.wants" "$etc/network-online.target.wants"
ln -sf "$units/systemd-networkd.service" "$etc/multi-user.target.wants/"
# kdump's unit boots without multi-user.target and only wants network-online.target.
ln -sf "$units/systemd-networkd.service" "$etc/network-online.target.wants/"
ln -sf "$units/systemd-networkd-wait-online.service" "$etc/network-online.target.wants/"
ln -sf "$units/multi-user.target" "$etc/default.target"
while read -r unit; do
    rm -f "$etc/$unit"
    ln -s /dev/null "$etc/$unit"
done < "$LAB_RECIPE/masked-units.txt"

# No memory is reserved for kdump until a case asks for it.
sed -i 's/^/#/' "$root"/etc/default/grub.d/kdump-tools.*

# INITRD=No kept the packages' hooks quiet; here both initrds are made, without probing hardware.
# Since 1.10 kdump-tools leaves its one to the first boot where ischroot(1) says so.
shim=$(mktemp -d "$root/tmp/not-a-chroot.XXXXXX")
printf '#!/bin/sh\nexit 1\n' > "$shim/ischroot"
chmod -R a+rx "$shim"
path=${shim#"$root"}:/usr/sbin:/usr/bin:/sbin:/bin
for directory in "$root"/lib/modules/*; do
    kernel=${directory##*/}
    chroot "$root" env -u INITRD update-initramfs -c -k "$kernel"
    chroot "$root" env -u INITRD PATH="$path" /etc/kernel/postinst.d/kdump-tools "$kernel"
    cp "$root/etc/kdump/sysctl.conf" "$root/var/lib/kdump/latest_sysctls-$kernel"
    test -s "$root/boot/initrd.img-$kernel"
    test -s "$root/var/lib/kdump/initrd.img-$kernel"
done
rm -rf "$shim"
