#!/bin/bash
# fio.sh SECONDS DEPTHS [PORTAL IQN LUN]...: in a guest (tests/VirtualMachine/vm-run.sh), the kernel's initiator and fio
# against each target in turn: 4 KiB random reads. Prints "begin IQN DEPTH" and "end IQN DEPTH IOPS COMMANDS".
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../../tests/VirtualMachine/guest/lib.sh
. "$here/../../../tests/VirtualMachine/guest/lib.sh"
seconds=${1:?SECONDS} depths=${2:?DEPTHS}; shift 2

load() {    # load DEPTH: iops and number of commands, as fio tells them
    fio --name=read --filename="$disk" --readonly --rw=randread --bs=4k --iodepth="$1" --ioengine=libaio --direct=1 \
        --time_based --runtime="$seconds" --size=256m --output-format=json --output=/tmp/fio.json &&
        python3 -c 'import json
read = json.load(open("/tmp/fio.json"))["jobs"][0]["read"]
print(read["iops"], read["total_ios"])'
}

scsi_drivers
start_iscsid
while [ $# -ge 3 ]; do
    portal=$1 iqn=$2 lun=$3; shift 3
    { iscsi_login "$iqn" "$portal" && wait_lun "$iqn" "$lun"; } >&2 || die "no login to $iqn"
    for depth in $depths; do
        echo "begin $iqn $depth"
        result=$(load "$depth") || die "fio at $iqn"
        echo "end $iqn $depth $result"
    done
    iscsi_logout "$iqn" "$portal" >&2
done
