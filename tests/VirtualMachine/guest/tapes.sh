#!/bin/bash
# tapes.sh PORTAL IQN [PART...]: a tape library (LUN 0 the changer, 1 and 2 its drives; 8 slots of which the first 6
# hold A00001L8 and so on of 8 MiB, 2 mail slots) under the kernel's st, ch and sg, and what people drive them with. Two
# interfaces of iscsiadm with two initiator names stand for two hosts. What an administrator does it asks the host for
# (please, lib.sh). The parts build on one another: moves_over_files to offline_and_load need the cartridge that
# changer_moves leaves in the first drive, several_volumes what offline_and_load leaves.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
portal=${1:?PORTAL} iqn=${2:?IQN}
host_a=iqn.2026-11.io.scstd.test:host-a host_b=iqn.2026-11.io.scstd.test:host-b

# host_dev HOST LUN CLASS: the node that HOST's session brought for the LUN; of a tape the one that does not rewind
host_dev() {
    local session device
    for session in /sys/class/iscsi_session/session*; do
        [ "$(cat "$session/initiatorname" 2>/dev/null)" = "$1" ] || continue
        for device in "$session"/device/target*/*:"$2/$3"/*; do
            device=${device##*/}
            [ "$3" != scsi_tape ] || [[ $device =~ ^nst[0-9]+$ ]] || continue
            [ ! -e "/dev/$device" ] || { echo "/dev/$device"; return 0; }
        done
    done
    return 1
}
enters() {      # enters NAME INITIATOR
    iscsiadm -m iface -I "$1" -o new && iscsiadm -m iface -I "$1" -o update -n iface.initiatorname -v "$2" &&
        iscsiadm -m node -T "$iqn" -p "$portal" -I "$1" -o new &&
        iscsiadm -m node -T "$iqn" -p "$portal" -I "$1" --login
}
nodes() {
    local host lun
    for host in $host_a $host_b; do
        for lun in 1 2; do wait_until 60 host_dev "$host" $lun scsi_tape || return; done
        for lun in 0 1 2; do wait_until 60 host_dev "$host" $lun scsi_generic || return; done
    done
    changer=$(host_dev $host_a 0 scsi_generic) changer_b=$(host_dev $host_b 0 scsi_generic)
    ch=$(host_dev $host_a 0 scsi_changer) || return
    drive1=$(host_dev $host_a 1 scsi_generic) drive2=$(host_dev $host_a 2 scsi_generic)
    tape1=$(host_dev $host_a 1 scsi_tape) tape2=$(host_dev $host_a 2 scsi_tape)
    drive1_b=$(host_dev $host_b 1 scsi_generic) tape1_b=$(host_dev $host_b 1 scsi_tape)
    export TAPE=$tape1
    echo "A: $changer $ch $drive1 $tape1 $drive2 $tape2 B: $changer_b $drive1_b $tape1_b"
}

# ends_with STATUS COMMAND...: sg3_utils' exit status says how the command ended (sg3_utils(8))
ends_with() {
    local expected=$1 status; shift
    "$@"; status=$?
    [ $status = "$expected" ] || { echo "status $status, not $expected: $*"; return 1; }
}
conflicts() { ends_with 24 "$@"; }
says() {        # says TEXT COMMAND...: and succeeds
    local out text=$1; shift
    out=$("$@" 2>&1) || { echo "$out"; return 1; }
    echo "$out"
    grep -qi -- "$text" <<<"$out"
}
refused() {     # refused TEXT COMMAND...: fails, and says why
    local out text=$1; shift
    ! out=$("$@" 2>&1) || { echo "$out"; return 1; }
    echo "$out"
    grep -qi -- "$text" <<<"$out"
}
tur() { sg_raw "$1" 00 00 00 00 00 00; }
# attention NODE TEXT: its next command reports just this unit attention
attention() {
    local out status
    out=$(tur "$1" 2>&1); status=$?
    echo "$out"
    [ $status = 6 ] && grep -qi "$2" <<<"$out"
}
silent() { ends_with 0 tur "$1"; }
drain() {
    for _ in 1 2 3 4 5 6 7 8; do ! tur "$1" || return 0; done
    return 1
}
# drain_all: whatever was to be told of what went before is told
drain_all() {
    local node
    for node in "$changer" "$changer_b" "$drive1" "$drive1_b" "$drive2"; do drain "$node"; done >/dev/null 2>&1
    return 0
}

# ---- The changer ---------------------------------------------------------------------------------------------------
# mtx_to COMMAND...: its sense is told by three lines of mtx, here by one
mtx_to() {
    local out status
    out=$(mtx -f "$changer" "$@" 2>&1); status=$?
    echo "$out"
    [ $status = 0 ] ||
        sed -n 's/^mtx: Request Sense: Additional Sense \(Code\|Qualifier\) = //p' <<<"$out" | tr '\n' ' '
    return $status
}
# holds ELEMENT=VOLUME...: exactly those are full; a drive's is followed by the slot that it came from
holds() { diff <(mtx_full) <(printf '%s\n' "$@"); }
mtx_full() {
    mtx -f "$changer" status | awk '
        !/:Full/ { next }
        { match($0, /VolumeTag *= *[^ ]*/); tag = substr($0, RSTART, RLENGTH); sub(/.*= */, "", tag) }
        /Data Transfer/ { match($0, /Storage Element [0-9]+ Loaded/); split(substr($0, RSTART), from, " ")
            split($4, number, ":"); print "drive" number[1] "=" tag "/" from[3] }
        /^ *Storage Element/ { split($3, number, ":"); print number[1] "=" tag }'
}
elements_are_told() {
    says '2 Drives, 10 Slots ( 2 Import/Export )' mtx -f "$changer" status &&
        says 'Storage Element 10 IMPORT/EXPORT:Empty' mtx -f "$changer" status
}
# by_ch FROM_TYPE FROM TO_TYPE TO: the kernel's own driver moves (CHIOMOVE of linux/chio.h; 1 a slot, 3 a drive)
by_ch() {
    python3 -c '
import fcntl, struct, sys
with open(sys.argv[1]) as changer:
    params = struct.unpack("5i", fcntl.ioctl(changer, 0x80146306, bytes(20)))
    print("picker, pickers, slots, portals, drives:", params)
    assert params[1:] == (1, 8, 2, 2)
    fcntl.ioctl(changer, 0x40146301, struct.pack("5i", *map(int, sys.argv[2:6]), 0))' "$ch" "$@"
}
changer_moves() {
    drain_all
    check "lsscsi names a changer and two drives for each host" \
        [ "$(lsscsi | grep -cE 'mediumx +SCSTD +Library ')-$(lsscsi | grep -cE 'tape +SCSTD +ULTRIUM-TD8 ')" = 2-4 ]
    check "sg_inq: a medium changer" says 'medium changer' sg_inq "$changer"
    check "sg_inq: a tape" says 'device type: tape' sg_inq "$drive1"
    check "mtx inventory" mtx_to inventory
    check "mtx status counts the elements" elements_are_told
    check "mtx status tells the volume tags" holds 1=A00001L8 2=A00002L8 3=A00003L8 4=A00004L8 5=A00005L8 6=A00006L8
    check "mtx load" mtx_to load 1 0
    check "it is in the drive, and where it came from is told" holds drive0=A00001L8/1 2=A00002L8 3=A00003L8 \
        4=A00004L8 5=A00005L8 6=A00006L8
    check "mtx load from the empty slot is refused" refused 'Empty\|3B *0E' mtx_to load 1 1
    # mtx looks itself whether a drive is full: the command has to come from elsewhere (SMC-3 6.6).
    check "MOVE MEDIUM into the full drive: 5/3B/0D" refused 'destination element full' \
        sg_raw "$changer" a5 00 00 01 10 01 01 00 00 00 00 00
    check "MOVE MEDIUM from the empty slot: 5/3B/0E" refused 'source element empty' \
        sg_raw "$changer" a5 00 00 01 10 00 10 07 00 00 00 00
    check "an element that there is not: 5/21/01" refused 'invalid element address' \
        sg_raw "$changer" a5 00 00 01 10 01 20 00 00 00 00 00
    check "mtx transfer to another slot" mtx_to transfer 2 7
    check "mtx transfer to a mail slot" mtx_to transfer 3 9
    check "both are there" holds drive0=A00001L8/1 4=A00004L8 5=A00005L8 6=A00006L8 7=A00002L8 9=A00003L8
    check "mtx exchange" mtx_to exchange 4 5
    check "they have changed places" holds drive0=A00001L8/1 4=A00005L8 5=A00004L8 6=A00006L8 7=A00002L8 9=A00003L8
    check "mtx exchange, back" mtx_to exchange 4 5
    check "mtx transfer back" mtx_to transfer 7 2
    check "mtx transfer out of the mail slot" mtx_to transfer 9 3
    check "mtx load into the second drive" mtx_to load 2 1
    check "mtx unload, with no unload by the drive before" mtx_to unload 1 0
    check "mtx unload into another slot" mtx_to unload 8 1
    check "all is told" holds 1=A00001L8 3=A00003L8 4=A00004L8 5=A00005L8 6=A00006L8 8=A00002L8
    check "the kernel's ch knows the elements and moves" by_ch 1 7 1 1
    check "the ch driver loads a drive" by_ch 1 0 3 0
    check "mtx sees it" holds drive0=A00001L8/1 2=A00002L8 3=A00003L8 4=A00004L8 5=A00005L8 6=A00006L8
    check "mtx position" mtx_to position 3
}

# ---- One drive -----------------------------------------------------------------------------------------------------
# at FILE BLOCK PARTITION [FLAG]: as mt status tells it
at() {
    local out
    out=$(mt-st status) || return
    echo "$out"
    grep -q "^File number=$1, block number=$2, partition=$3\.\$" <<<"$out" &&
        { [ -z "${4:-}" ] || grep -qw "$4" <<<"$(tail -n 1 <<<"$out")"; }
}
block_is() { says "At block $1\.\$" mt-st tell; }
put() { dd if="$1" of="$TAPE" bs="$2" status=none; }
same() { dd if="$TAPE" bs="$2" ${3:+count=$3} status=none | cmp - "$1"; }
moves_over_files() {
    head -c 100000 /dev/urandom >/tmp/one
    head -c 65536 /dev/urandom >/tmp/two
    head -c 30000 /dev/urandom >/tmp/three
    drain_all
    # What told the driver of a new medium was taken from it: where it stands, it knows after a rewind.
    check "mt rewind at first" mt-st rewind
    check "mt status: at the beginning" at 0 0 0 BOT
    check "mt status: of LTO-8" says 'Density code 0x5e' mt-st status
    check "mt setblk 0" mt-st setblk 0
    check "a file of ten records, the last shorter" put /tmp/one 10k
    check "behind its filemark" at 1 0 0 EOF
    check "a second file, of two records" put /tmp/two 32k
    check "a third, of one" put /tmp/three 30000
    check "three filemarks and thirteen records" block_is 16
    check "mt rewind" mt-st rewind
    check "mt status" at 0 0 0 BOT
    check "the first file reads back" same /tmp/one 64k
    # The driver stands before the filemark that it has read until something else is read.
    check "mt fsf 1 from within" mt-st rewind && check "over one filemark" mt-st fsf 1
    check "at the second file" at 1 0 0 EOF
    check "which reads back" same /tmp/two 32k
    check "mt rewind, fsf 2" mt-st rewind && check "over two" mt-st fsf 2
    check "the third file reads back" same /tmp/three 64k
    check "mt fsf beyond the end of data fails" refused 'Input/output error' mt-st fsf 9
    check "mt eod" mt-st eod
    check "it is the end of data" at 3 -1 0 EOD
    check "with its number" block_is 16
    check "mt bsf 1" mt-st bsf 1
    check "before the last filemark" block_is 15
    check "mt bsfm 1" mt-st bsfm 1
    check "behind the one before" block_is 14
    check "the third file again" same /tmp/three 64k
    check "mt fsfm 1 from the second file" mt-st rewind && mt-st fsf 1 >/dev/null && check "fsfm" mt-st fsfm 1
    check "stands before the filemark" block_is 13
    check "mt seek" mt-st seek 3
    check "at that block" block_is 3
    check "whose record it is" \
        cmp <(dd if="$TAPE" bs=10k count=1 status=none) <(tail -c +30721 /tmp/one | head -c 10240)
    check "mt fsr" mt-st fsr 2 && check "two on" block_is 6
    check "mt bsr" mt-st bsr 1 && check "one back" block_is 5
    check "a buffer that is too short is an error" refused 'Cannot allocate memory' \
        dd if="$TAPE" of=/dev/null bs=512 count=1
    check "mt eom" mt-gnu -f "$TAPE" eom && check "mt weof 2" mt-st weof 2
    check "are objects of their own" block_is 18
    check "mt bsf 2" mt-st bsf 2 && check "back over both" block_is 16
    check "mt erase there" mt-st erase
    check "leaves what was before" mt-st rewind && check "the first file" same /tmp/one 64k
    check "and nothing behind" mt-st eod && check "sixteen are left" block_is 16
    check "mt seek beyond the end of data fails" refused 'Input/output error' mt-st seek 99
}
fixed_blocks() {
    check "mt rewind before fixed blocks" mt-st rewind
    check "mt setblk 512" mt-st setblk 512
    check "mt status tells the block size" says 'Tape block size 512 bytes' mt-st status
    check "128 blocks by two writes" put /tmp/two 32k
    check "are 128 blocks and a filemark" block_is 129
    check "a length that is no multiple fails" refused 'Invalid argument\|Input/output error' \
        dd if=/tmp/one of="$TAPE" bs=1000 count=1
    check "tar in fixed mode" tar -b 20 -cf "$TAPE" -C /tmp one two three
    check "mt rewind to read fixed blocks" mt-st rewind
    check "read back in other pieces" same /tmp/two 8k 8
    check "mt fsf to the archive" mt-st fsf 1
    check "tar compares all" tar -b 20 -df "$TAPE" -C /tmp
    check "mt setblk 0, and 512 byte records are read singly" mt-st setblk 0 && mt-st rewind &&
        check "the first is 512 bytes" [ "$(dd if="$TAPE" bs=64k count=1 status=none | wc -c)" = 512 ]
    check "fixed blocks of another length are no such blocks" wrong_length
    check "mt setblk 0 again" mt-st setblk 0
    check "mt defblksize" mt-st defblksize 0
}
wrong_length() {
    mt-st rewind && mt-st setblk 1024 && refused 'Input/output error' dd if="$TAPE" of=/dev/null bs=1024 count=1
}
takes_up_bytes() {      # takes_up_bytes COMPRESSION: how much of the tape two MiB of zeros take, in MiB of sg_logs
    local before after
    mt-st rewind && mt-st compression "$1" || return
    before=$(native_bytes)
    head -c 2M /dev/zero | dd of="$TAPE" bs=64k iflag=fullblock status=none || return
    after=$(native_bytes)
    echo $((after - before))
}
# What reached the medium from the initiator, as page 1Bh counts it.
native_bytes() {
    sg_logs --page=0x1b "$drive1" | awk -F': ' '
        /Megabytes written to tape/ { m = $2 }
        /Bytes written to tape/ { b = $2 }
        END { printf "%d\n", m * 1000000 + b }'
}
compression() {
    local on off
    off=$(takes_up_bytes 0) on=$(takes_up_bytes 1)
    echo "2 MiB of zeros: $off bytes without compression, $on with"
    check "mt compression 0: all of it goes to the tape" [ "${off:-0}" -ge $((2 << 20)) ]
    check "mt compression 1: next to nothing does" [ "${on:-9999999}" -lt 100000 ]
    check "the page says that it is on" says 'compression enabled: 0x1' sg_logs --page=0x1b "$drive1"
    check "it reads back" mt-st rewind &&
        check "as zeros" cmp <(dd if="$TAPE" bs=64k status=none) <(head -c 2M /dev/zero)
}
offline_and_load() {
    check "mt offline" mt-st offline
    check "no tape is told" says 'DR_OPEN' mt-st status
    check "TEST UNIT READY: not ready" ends_with 2 tur "$drive1"
    check "mt load" mt-st load
    check "it is there again" says ONLINE mt-st status
    check "mt rewind after load" mt-st rewind
    check "at the beginning again" at 0 0 0 BOT
    check "mt offline once more" mt-st offline
    check "mtx takes it" mtx_to unload 1 0
    check "no medium: 2/3A/00" refused 'medium not present' tur "$drive1"
    check "mtx brings another" mtx_to load 2 0
    check "a new medium: 6/28/00" attention "$drive1" 'not ready to ready'
}

# ---- To the end of the tape ----------------------------------------------------------------------------------------
to_the_end() {          # to_the_end BLOCKSIZE TRANSFER
    local records
    check "setblk $1" mt-st setblk "$1" && check "setblk $1: rewind" mt-st rewind
    refused 'No space left' dd if=/tmp/big of="$TAPE" bs="$2" >/tmp/end.log
    check "setblk $1: the end is No space left" grep -q 'No space left' /tmp/end.log
    records=$(sed -n 's/^\([0-9]*\)+0 records out/\1/p' /tmp/end.log)
    check "setblk $1: not before 6 MiB" [ $((${records:-0} * $2)) -gt $((6 << 20)) ]
    check "setblk $1: eod" mt-st eod
    check "setblk $1: the position says so" end_of_partition
    check "setblk $1: rewind to read" mt-st rewind
    dd if="$TAPE" bs="$2" status=none >/tmp/back 2>/tmp/back.log
    check "setblk $1: all that was written reads back" \
        cmp -n $((${records:-0} * $2)) /tmp/back /tmp/big
    check "setblk $1: and nothing besides" [ "$(stat -c %s /tmp/back)" = $((${records:-0} * $2)) ]
}
# READ POSITION, short form: bit 6 of byte 0 is EOP
end_of_partition() {
    local flags
    flags=$(sg_raw -b -r 20 "$drive1" 34 00 00 00 00 00 00 00 00 00 2>/dev/null | head -c 1 | od -An -tu1)
    echo "flags $flags"
    [ $((flags & 0x40)) != 0 ]
}
change_script() {
    cat >/tmp/change <<SCRIPT
#!/bin/bash
# GNU tar gives the number of the volume that it wants.
exec >>/out/change.log 2>&1
mtx -f $changer unload \$((TAR_VOLUME - 1)) 0 && mtx -f $changer load \$TAR_VOLUME 0
SCRIPT
    chmod +x /tmp/change
}
several_volumes() {
    mkdir -p /tmp/tree /tmp/restored
    for n in 1 2 3; do head -c $((n * 2500000)) /dev/urandom >/tmp/tree/file$n; done
    head -c 9M /dev/urandom >/tmp/big
    to_the_end 0 65536
    to_the_end 1024 32768
    mt-st setblk 0
    change_script
    check "the second cartridge goes back" mtx_to unload 2 0
    check "the first comes" mtx_to load 1 0
    check "tar -M over several cartridges" tar -b 128 -cMf "$TAPE" -F /tmp/change -C /tmp/tree .
    check "the last of which is another" says 'drive0=A0000[2-6]L8' mtx_full
    check "back to the first" first_again
    check "tar -M restores" tar -b 128 -xMf "$TAPE" -F /tmp/change -C /tmp/restored
    check "bit for bit" diff -r /tmp/tree /tmp/restored
    check "the last goes home" mtx_to unload
}
first_again() { mtx_to unload && mtx_to load 1 0; }

# ---- Partitions ----------------------------------------------------------------------------------------------------
partitions() {
    check "partitions: a cartridge" mtx_to load 3 0
    check "partitions: the driver is told that there are some" mt-st stsetoptions can-partitions scsi2logical
    check "mt mkpartition" mt-st mkpartition 3
    check "mt setpartition 1" mt-st setpartition 1
    check "is at its beginning" at 0 0 1 BOT
    check "a file there" put /tmp/one 10k
    check "mt setpartition 0" mt-st setpartition 0
    check "another here" put /tmp/two 32k
    check "mt partseek" mt-st partseek 1 0
    check "reads the one of partition 1" same /tmp/one 64k
    check "mt setpartition 0 again" mt-st setpartition 0
    check "mt rewind stays in it" mt-st rewind
    check "reads the one of partition 0" same /tmp/two 64k
    check "partition 2 is refused" refused 'Input/output error\|Invalid argument' mt-st setpartition 2
    check "sg_read_attr of partition 1" says 'Maximum capacity in partition' sg_read_attr --partition=1 "$drive1"
    check "mt mkpartition 0 makes one of them" mt-st mkpartition 0
    check "and empties it" at 0 0 0 BOT && mt-st eod && check "no data is left" block_is 0
    check "partition 1 is gone" refused 'Input/output error\|Invalid argument' mt-st setpartition 1
    check "partitions: home" mtx_to unload
}

# ---- What the drive tells of itself --------------------------------------------------------------------------------
log_pages() { sg_logs --page=0 --raw "$1" | od -An -v -tx1 -j4 | tr -s ' ' '\n' | grep .; }
reports() {
    local page
    check "reports: a cartridge" mtx_to load 4 0
    drain_all
    for page in $(log_pages "$drive1"); do check "sg_logs page $page" sg_logs --page="0x$page" "$drive1"; done
    check "sg_logs all, with subpages" sg_logs --all --all "$drive1"
    check "sg_logs: the volume's barcode" says 'Volume barcode: A00004L8' sg_logs --page=0x17 "$drive1"
    check "sg_logs: no alert" no_alert
    for page in $(log_pages "$changer"); do check "sg_logs of the changer, page $page" \
        sg_logs --page="0x$page" "$changer"; done
    check "sg_read_attr: the volume" says 'Volume identifier: A00004L8' sg_read_attr "$drive1"
    check "sg_read_attr: capacity" says 'Maximum capacity in partition .*: 8' sg_read_attr "$drive1"
    for page in 0 1 2; do
        check "sg_modes of the drive, control $page" sg_modes --all --control=$page "$drive1"
        check "sg_modes of the changer, control $page" sg_modes --all --control=$page "$changer"
    done
    check "sg_modes, 6 byte" sg_modes --all --six "$drive1"
    check "sg_opcodes of the drive" says 'Locate(16)' sg_opcodes --no-inquiry "$drive1"
    check "sg_opcodes of the changer" says 'Move medium' sg_opcodes --no-inquiry "$changer"
    for page in $(sg_vpd --page=0 --raw "$drive1" | od -An -v -tx1 -j4); do
        check "sg_vpd of the drive, page $page" sg_vpd --page="0x$page" "$drive1"
    done
}
no_alert() { ! sg_logs --page=0x2e "$drive1" | grep -E ': 1$'; }

# ---- Encryption ----------------------------------------------------------------------------------------------------
encryption() {
    { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; echo; echo first; } >/tmp/key1
    { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; echo; echo second; } >/tmp/key2
    check "stenc: off at first" says 'Drive Encryption: *off' stenc -f "$tape1"
    check "in clear before" mt-st rewind && check "a file in clear" put /tmp/three 30000
    check "stenc sets a key" stenc -f "$tape1" -e on -k /tmp/key1 -a 1
    check "stenc: on" says 'Drive Encryption: *on' stenc -f "$tape1" --detail
    check "an encrypted file" put /tmp/one 10k
    check "mt bsf 2, fsf 1" mt-st bsf 2 && mt-st fsf 1
    check "reads with the key" same /tmp/one 64k
    check "stenc tells of the block: encrypted" encrypted_block
    check "stenc -e off" stenc -f "$tape1" -e off
    check "in clear reads without key" mt-st rewind && check "as written" same /tmp/three 64k
    check "encrypted does not" refused 'Input/output error' dd if="$tape1" of=/dev/null bs=64k count=1
    check "which is DATA PROTECT 74/00 or 74/01" unable_to_decrypt
    check "stenc sets another key" stenc -f "$tape1" -e on -k /tmp/key2 -a 1
    check "which is the wrong one" at_encrypted && check "says the read" refused 'Input/output error' \
        dd if="$tape1" of=/dev/null bs=64k count=1
    check "stenc sets the first again, mixed" stenc -f "$tape1" -e mixed -k /tmp/key1 -a 1
    check "mixed reads in clear" mt-st rewind && check "the first file" same /tmp/three 64k
    check "mixed reads encrypted" at_encrypted && check "the second file" same /tmp/one 64k
    check "stenc -e off in the end" stenc -f "$tape1" -e off
}
at_encrypted() { mt-st rewind && mt-st fsf 1; }
encrypted_block() { at_encrypted && says 'Volume Encryption: *Encrypted' stenc -f "$tape1" --detail; }
unable_to_decrypt() { at_encrypted && ends_with 7 sg_raw -r 65536 -o /dev/null "$drive1" 08 00 01 00 00 00; }

# ---- Two hosts -----------------------------------------------------------------------------------------------------
pr_out() { local node=$1; shift; sg_persist --no-inquiry --out "$@" "$node"; }
two_hosts() {
    drain_all
    check "A and B are ready" silent "$drive1" && check "the second too" silent "$drive1_b"
    check "A changes the block size" mt-st setblk 2048
    check "B is told: mode parameters changed" attention "$drive1_b" 'mode parameters changed'
    check "A is not" silent "$drive1"
    check "it is B's as well" says 'Tape block size 2048 bytes' mt-st -f "$tape1_b" status
    check "A sets it back" mt-st setblk 0
    drain_all
    check "RESERVE by A" sg_raw "$drive1" 16 00 00 00 00 00
    check "TEST UNIT READY of B conflicts" conflicts tur "$drive1_b"
    check "WRITE FILEMARKS of B conflicts" conflicts sg_raw "$drive1_b" 10 00 00 00 01 00
    check "mt of B fails" refused 'Input/output error\|busy' mt-st -f "$tape1_b" rewind
    check "INQUIRY of B does not" sg_inq "$drive1_b"
    check "A rewinds and writes" mt-st rewind && check "A writes" put /tmp/two 32k
    check "RELEASE by A" sg_raw "$drive1" 17 00 00 00 00 00
    check "B works" mt-st -f "$tape1_b" rewind
    check "sg_persist: A registers" pr_out "$drive1" --register --param-sark=0xa1
    check "sg_persist: A reserves, exclusive access" pr_out "$drive1" --reserve --param-rk=0xa1 --prout-type=3
    check "REWIND of B conflicts" conflicts sg_raw "$drive1_b" 01 00 00 00 00 00
    check "dd of B fails" refused 'Input/output error\|busy' dd if="$tape1_b" of=/dev/null bs=64k count=1
    check "SPC-2 RESERVE of B conflicts" conflicts sg_raw "$drive1_b" 16 00 00 00 00 00
    check "B registers" pr_out "$drive1_b" --register --param-sark=0xb2
    check "B preempts" pr_out "$drive1_b" --preempt --param-rk=0xb2 --param-sark=0xa1 --prout-type=3
    check "A is told" attention "$drive1" 'registrations preempted'
    check "A conflicts" conflicts sg_raw "$drive1" 01 00 00 00 00 00
    check "B rewinds" mt-st -f "$tape1_b" rewind
    check "B reads what A wrote" cmp <(dd if="$tape1_b" bs=64k status=none) /tmp/two
    check "B clears" pr_out "$drive1_b" --clear --param-rk=0xb2
    check "A rewinds" mt-st rewind
}
read_by_9() { dd bs=64k count=1 of=/dev/null <&9; }
prevention() {
    drain_all
    check "mt lock" mt-st lock
    # SMC-3, MOVE MEDIUM: the drive prevents it, not the changer.
    check "mtx unload is refused: 5/53/03" refused '53 *03' mtx_to unload 4 0
    check "it is still there" says 'drive0=A00004L8/4' mtx_full
    check "the drive's own unload by B too: 5/53/02" refused 'medium removal prevented' \
        sg_raw "$drive1_b" 1b 00 00 00 00 00
    check "TapeAlert tells it" says 'No removal: 1' sg_logs --page=0x2e "$drive1"
    check "mt unlock" mt-st unlock
    check "auto-lock, as long as it is open" mt-st stsetoptions auto-lock
    exec 9<>"$tape1"
    check "a read" read_by_9
    check "prevents" refused '53 *03' mtx_to unload 4 0
    exec 9>&-
    check "close allows" mtx_to unload 4 0
    check "auto-lock off" mt-st stclearoptions auto-lock
}

# ---- The administrator -----------------------------------------------------------------------------------------------
administration() {
    drain_all
    check "mtx transfer to the mail slot, for export" mtx_to transfer 6 9
    check "scstctl export" please export
    check "A's changer: import or export element accessed" attention "$changer" 'import or export element accessed'
    check "B's too" attention "$changer_b" 'import or export element accessed'
    check "it is gone" holds 1=A00001L8 2=A00002L8 3=A00003L8 4=A00004L8 5=A00005L8
    check "scstctl import" please import
    check "scstctl create" please create
    drain_all
    check "both are there" holds 1=A00001L8 2=A00002L8 3=A00003L8 4=A00004L8 5=A00005L8 9=A00006L8 10=B00001L8
    drain_all
    check "scstctl load" please load
    check "A's drive: new medium" attention "$drive1" 'not ready to ready'
    check "B's drive: new medium" attention "$drive1_b" 'not ready to ready'
    check "mtx sees it in the drive" says 'drive0=B00001L8/' mtx_full
    check "it can be written" put /tmp/three 30000
    check "scstctl unload" please unload
    drain_all
    check "the drive is empty: 2/3A/00" refused 'medium not present' tur "$drive1"
    check "and mtx says so: it has a slot now" holds 1=A00001L8 2=A00002L8 3=A00003L8 4=A00004L8 5=A00005L8 \
        6=B00001L8 9=A00006L8
}

modprobe -a sg st ch
start_iscsid $host_a
step "two hosts log in"
check "A logs in" enters a $host_a || exit 1
check "B logs in" enters b $host_b || exit 1
nodes || { fail "no nodes"; summary; exit 1; }
forget_messages
parts=("${@:3}")
[ ${#parts[@]} -gt 0 ] || parts=(changer_moves moves_over_files fixed_blocks compression offline_and_load
    several_volumes partitions reports encryption two_hosts prevention administration)
for part in "${parts[@]}"; do
    step "${part//_/ }"
    $part
done
iscsiadm -m node --logoutall=all >/dev/null 2>&1
stop_iscsid
dmesg >/out/dmesg-tapes.log
summary
