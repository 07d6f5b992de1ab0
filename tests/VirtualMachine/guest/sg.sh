# Sourced after lib.sh: the commands of sg3_utils against one LUN, each with what its answer must say.
# shellcheck shell=bash

# The pages that every disk of ours has (SPC-4 7.8, SBC-4 6.6); a thin one has B2h, logical block provisioning, too.
EXPECTED_VPD_PAGES="00 80 83 85 86 87 88 8f b0 b1"

vpd_pages() { sg_vpd --page=0 --raw "$1" | od -An -v -tx1 -j4 | tr -s ' ' '\n' | grep .; }
is_thin() { sg_readcap --16 "$1" | grep -q 'lbpme=1'; }
vpd_list_is_complete() {
    local page thin=''
    ! is_thin "$1" || thin=b2
    for page in $EXPECTED_VPD_PAGES $thin; do
        vpd_pages "$1" | grep -qx "$page" || { echo "no page $page"; return 1; }
    done
    vpd_pages "$1" | sort -c
}
vpd_page_names_itself() {   # page and length of its header fit what came (SPC-4 7.8.2)
    local page
    page=$(sg_vpd --page="0x$2" --raw "$1" | od -An -v -tx1 | tr -d ' \n')
    echo "$page"
    [ "${page:2:2}" = "$2" ] && [ $((16#${page:4:4} + 4)) = $((${#page} / 2)) ]
}
capacities_agree() {
    local short long kernel
    short=$(sg_readcap --brief "$1") long=$(sg_readcap --16 --brief "$1") kernel=$(blockdev --getsize64 "$2")
    echo "10: $short 16: $long kernel: $kernel"
    [ $((${short% *} * ${short#* })) = "$kernel" ] && [ $((${long% *} * ${long#* })) = "$kernel" ]
}
inquiry_is_a_disk() { sg_inq "$1" | tee /dev/stderr | grep -q 'PQual=0 .*PDT=0\|Peripheral device type: disk'; }
inquiries_are_read() {
    local page
    for page in $(vpd_pages "$1"); do sg_inq --vpd --page="0x$page" "$1" || return; done
    sg_inq --id "$1" && sg_inq --descriptors "$1" && sg_inq --export "$1"
}
opcode_is_supported() { sg_opcodes --no-inquiry --opcode="$2" "$1" | grep -qi 'Command is *supported'; }
writes_read_back() {    # writes_read_back CDBSIZE DEVICE: 64 KiB at 1 MiB, by commands of that length
    head -c 65536 /dev/urandom >/tmp/sg.in
    sg_dd if=/tmp/sg.in of="$2" bs=512 seek=2048 count=128 cdbsz="$1" &&
        sg_dd if="$2" of=/tmp/sg.out bs=512 skip=2048 count=128 cdbsz="$1" && cmp /tmp/sg.in /tmp/sg.out
}
unmapped_reads_as_zeros() {     # LBPRZ
    dd if=/dev/urandom of="$2" bs=1M seek=2 count=1 oflag=direct && sg_unmap --lba=4096 --num=2048 --force "$1" &&
        cmp <(dd if="$2" bs=1M skip=2 count=1 iflag=direct) <(head -c 1M /dev/zero)
}
writes_the_same() {
    yes scstd | head -c 512 >/tmp/sg.block
    # 2^11 blocks by doubling: a process for each block takes minutes under emulation
    cp /tmp/sg.block /tmp/sg.same
    for _ in 1 2 3 4 5 6 7 8 9 10 11; do
        cat /tmp/sg.same /tmp/sg.same >/tmp/sg.twice && mv /tmp/sg.twice /tmp/sg.same
    done
    sg_write_same --16 --in=/tmp/sg.block --lba=4096 --num=2048 "$1" &&
        cmp <(dd if="$2" bs=1M skip=2 count=1 iflag=direct) /tmp/sg.same
}
compares_and_writes() {     # after writes_the_same: twice, the second time the first block has changed
    head -c 512 /dev/urandom >/tmp/sg.new
    sg_compare_and_write --inc=/tmp/sg.block --inw=/tmp/sg.new --lba=4096 --num=1 "$1" &&
        ! sg_compare_and_write --inc=/tmp/sg.block --inw=/tmp/sg.new --lba=4096 --num=1 "$1" &&
        cmp <(dd if="$2" bs=512 skip=4096 count=1 iflag=direct) /tmp/sg.new
}
beyond_the_end_is_refused() {
    local lba
    read -ra lba < <(printf '%016x' "$(blockdev --getsz "$2")" | sed 's/../& /g')
    sg_raw --request=512 "$1" 88 00 "${lba[@]}" 00 00 00 01 00 00 2>&1 |
        tee /dev/stderr | grep -qi 'block address out of range'
}
unknown_opcode_is_refused() {
    sg_raw "$1" ff 00 00 00 00 00 2>&1 | tee /dev/stderr | grep -qi 'Invalid command operation code'
}
saved_or_refused() {    # SPC-4 6.11.5: without saved values, SAVING PARAMETERS NOT SUPPORTED
    sg_modes --all --control=3 "$1" || sg_modes -vv --all --control=3 "$1" 2>&1 | tee /dev/stderr |
        grep -qi 'Saving parameters not supported'
}
reservation_life() {
    local key=0xabc
    sg_persist -n --out --register --param-sark=$key "$1" && sg_persist -n --in --read-keys "$1" | grep -q $key &&
        sg_persist -n --out --reserve --param-rk=$key --prout-type=5 "$1" &&
        sg_persist -n --in --read-reservation "$1" | grep -q $key &&
        sg_persist -n --out --release --param-rk=$key --prout-type=5 "$1" &&
        sg_persist -n --out --register --param-rk=$key --param-sark=0 "$1"
}

# sg_commands PREFIX DISK GENERIC
sg_commands() {
    local p=$1 disk=$2 sg=$3 page size
    check "$p sg_inq" inquiry_is_a_disk "$sg"
    check "$p sg_inq of all pages it knows" inquiries_are_read "$sg"
    check "$p sg_vpd lists its pages in order" vpd_list_is_complete "$sg"
    for page in $(vpd_pages "$sg"); do
        check "$p sg_vpd page $page" sg_vpd --page="0x$page" "$sg"
        check "$p sg_vpd page $page has its own header" vpd_page_names_itself "$sg" "$page"
    done
    check "$p sg_readcap, sg_readcap -16" capacities_agree "$sg" "$disk"
    check "$p sg_luns" sg_luns "$sg"
    for page in 0 1 2 0x10 0x11 0x12; do check "$p sg_luns select $page" sg_luns --select=$page "$sg"; done
    check "$p sg_turs" sg_turs --num=8 "$sg"
    check "$p sg_requests" sg_requests "$sg"
    check "$p sg_modes all pages" sg_modes --all "$sg"
    check "$p sg_modes all pages, 6 byte" sg_modes --all --six "$sg"
    for page in 1 2; do check "$p sg_modes page control $page" sg_modes --all --control=$page "$sg"; done
    check "$p sg_modes saved values or a plain refusal" saved_or_refused "$sg"
    check "$p sg_logs" sg_logs --list "$sg"
    check "$p sg_logs all pages" sg_logs --all "$sg"
    check "$p sg_logs all subpages" sg_logs --all --all "$sg"
    check "$p sg_opcodes" sg_opcodes --no-inquiry "$sg"
    check "$p sg_opcodes in the order of codes" sg_opcodes --no-inquiry --unsorted "$sg"
    check "$p sg_opcodes with timeouts" sg_opcodes --no-inquiry --rctd "$sg"
    check "$p sg_opcodes task management" sg_opcodes --no-inquiry --tmf "$sg"
    check "$p sg_opcodes knows READ(16)" opcode_is_supported "$sg" 0x88
    check "$p sg_sync" sg_sync "$sg"
    if is_thin "$sg"; then
        check "$p sg_unmap" unmapped_reads_as_zeros "$sg" "$disk"
        check "$p sg_get_lba_status" sg_get_lba_status --lba=0 "$sg"
    fi
    check "$p sg_write_same" writes_the_same "$sg" "$disk"
    check "$p sg_compare_and_write" compares_and_writes "$sg" "$disk"
    check "$p sg_verify" sg_verify --lba=0 --count=64 "$sg"
    check "$p sg_senddiag self test" sg_senddiag --test "$sg"
    check "$p sg_prevent, allow" sg_prevent --prevent=0 "$sg"
    for size in 6 10 12 16; do check "$p read and write, $size byte" writes_read_back $size "$sg"; done
    check "$p beyond the end" beyond_the_end_is_refused "$sg" "$disk"
    check "$p unknown operation code" unknown_opcode_is_refused "$sg"
    if opcode_is_supported "$sg" 0x5f,0; then
        check "$p sg_persist" reservation_life "$sg"
    else
        skip "$p sg_persist: PERSISTENT RESERVE OUT is not offered yet"
    fi
}

# sg_resets PREFIX DISK GENERIC: after a reset the unit is ready again and serves data (SAM-5 6.3.3: the one
# unit attention that tells of it is consumed by whoever asks first).
sg_resets() {
    local how
    for how in device target; do
        check "$1 sg_reset --$how" sg_reset --$how "$2"
        check "$1 ready after sg_reset --$how" wait_until 60 sg_turs "$3"
        check "$1 reads after sg_reset --$how" dd if="$2" of=/dev/null bs=1M count=16 iflag=direct
    done
}
