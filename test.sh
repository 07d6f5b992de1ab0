#!/bin/bash
# test.sh [--quick] [--no-vm] [--stage NAME]...: installs what the tests need and runs all of them.
#
#   --quick        only the unit tests, which need no package and no peer
#   --no-vm        all but the guest with the kernel's initiator
#   --stage NAME   only the named stages (repeatable):
#                  packages build style unit instructions simulation fuzz control conformance sharing durability
#                  tapes soak vm
#
# All of it takes some 40 minutes on two cores, --quick some minutes.
#
# Goes on after a failure, says what failed, and ends with a line "N passed, N failed, N skipped"; its status is 0
# only if nothing failed. Needs the .NET 10 SDK and Debian's apt; becomes root by sudo where it is not. What the
# stages print and leave is kept in artifacts/test.
set -u
cd "$(dirname "$0")" || exit 1
top=$PWD out=$PWD/artifacts/test

# Debian packages: the peers (libiscsi, QEMU's own initiator, the kernel's in a guest) and what the scripts call.
packages=(
    libiscsi-bin gcc libc6-dev                      # conformance: the suite, and the shim that hears its skips
    valgrind                                        # instructions: callgrind; and gcc, which links what it counts
    qemu-utils qemu-block-extra                     # qemu-img and qemu-io over iscsi://
    qemu-system-x86 busybox-static cpio kmod        # vm: the guest
    open-iscsi sg3-utils xfsprogs e2fsprogs fio     # vm: what runs in the guest
    multipath-tools udev                            # vm: two paths to one disk
    mt-st mtx lsscsi stenc tar                      # vm: tapes and their library; cpio has a mt of its own, mt-gnu
    python3 procps git shellcheck                   # the scripts, and what looks them over
)
all_stages=(packages build style unit instructions simulation fuzz control conformance sharing durability tapes soak
    vm)

usage() { sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//;p}' "$0"; }
stages=() without_vm=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) stages+=(build unit) ;;
    --no-vm) without_vm=1 ;;
    --stage) stages+=("${2:?--stage NAME}"); shift ;;
    -h | --help) usage; exit 0 ;;
    *) echo "test.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#stages[@]} -gt 0 ] || stages=("${all_stages[@]}")
for stage in "${stages[@]}"; do
    [[ " ${all_stages[*]} " == *" $stage "* ]] || { echo "test.sh: no stage $stage: ${all_stages[*]}" >&2; exit 2; }
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_UI_LANGUAGE=en LC_ALL=C.UTF-8
passed=0 failed=0 skipped=0 failures=()

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# one PASS|FAIL|SKIP NAME: one result, shown and counted
one() {
    echo "$1 $2"
    case $1 in
    PASS) passed=$((passed + 1)) ;;
    FAIL) failed=$((failed + 1)); failures+=("$2") ;;
    SKIP) skipped=$((skipped + 1)) ;;
    esac
}
# step NAME COMMAND...: one check, its output shown as it comes
step() {
    local name=$1; shift
    if "$@"; then one PASS "$name"; else one FAIL "$name"; return 1; fi
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}
install_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}"
    { as_root apt-get -q update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"
    } >"$out/apt.log" 2>&1 </dev/null && return
    tail -n 20 "$out/apt.log"
    return 1
}
stage_packages() {
    step "the .NET SDK is there" dotnet --version
    step "Debian packages are installed" install_packages
}

stage_build() {
    step "restore in locked mode" dotnet restore --locked-mode -v q &&
        step "Release build without warnings" dotnet build --no-restore -c Release -v q --nologo
}

shell_scripts() { git ls-files -co --exclude-standard -- '*.sh' '.ci/run' 'tests/VirtualMachine/initramfs-init'; }
scripts_are_clean() { shell_scripts | xargs shellcheck; }
stage_style() {
    step "shellcheck" scripts_are_clean
    step "the comparison with the peers computes what it says" python3 -B tests/Benchmarks/test_peers.py
    step "dotnet format" dotnet format --verify-no-changes --no-restore -v q
}

# Each project by itself: one that hangs or crashes takes no other along.
unit_project() {
    local project=$1 name log status line
    name=$(basename "$project" .csproj) log=$out/unit.$name.log
    timeout -k 10 900 dotnet test --no-build -c Release --nologo "$project" >"$log" 2>&1 </dev/null
    status=$?
    line=$(grep -E '^(Passed|Failed|Skipped)! +- Failed: ' "$log" | tail -n 1)
    if [ -z "$line" ] && [ $status = 0 ] && grep -q 'No test is available' "$log"; then
        one SKIP "$name: holds no tests yet"
        return
    fi
    if [[ $line =~ Failed:\ +([0-9]+),\ Passed:\ +([0-9]+),\ Skipped:\ +([0-9]+) ]]; then
        failed=$((failed + BASH_REMATCH[1])) passed=$((passed + BASH_REMATCH[2]))
        skipped=$((skipped + BASH_REMATCH[3]))
        echo "$name: ${BASH_REMATCH[2]} passed, ${BASH_REMATCH[1]} failed, ${BASH_REMATCH[3]} skipped"
        mapfile -t -O "${#failures[@]}" failures < <(sed -n 's/^  Failed \([^ ]*\).*/\1/p' "$log")
        grep -E '^  Skipped ' "$log" | sed 's/^  Skipped/SKIP/'
        [ "${BASH_REMATCH[1]}" = 0 ] || grep -vE '^\[xUnit.net' "$log" | tail -n 60
        if [ $status != 0 ] && [ "${BASH_REMATCH[1]}" = 0 ]; then
            one FAIL "$name: the run ended with status $status"
        fi
    else
        tail -n 40 "$log"
        one FAIL "$name: no result (status $status)"
    fi
}
stage_unit() {
    local project
    for project in tests/*.Tests/*.Tests.csproj; do unit_project "$project"; done
}

stage_instructions() { script_stage instructions 400 tests/Instructions/run.sh; }

# The mid-layer from seeds, and planted bugs that the seeds must find; each bounded.
simulate() {
    local log=$1 bound=$2; shift 2
    timeout -k 10 "$bound" dotnet run --no-build -c Release --project tests/Scstd.Simulation -- "$@" \
        >"$out/$log" 2>&1 </dev/null
    local status=$?
    tail -n 3 "$out/$log"
    [ $status = 0 ] && return
    grep -E '^(seed|MISSED|UNFIT)' "$out/$log" | head -n 20
    return 1
}
stage_simulation() {
    step "10,000 seeds of the mid-layer" simulate simulation.log 900 --seeds 0 10000
    step "2,000 seeds with limits of commands" simulate limits.log 600 --seeds 0 2000 --limits
    step "10,000 aborts, RESERVE, PREEMPT AND ABORT: nothing lands late" simulate must-show.log 600 --must-show
    step "every planted bug is caught" simulate mutations.log 1200 --mutations
}

# A stage of scripts prints PASS, FAIL and SKIP lines and ends with "stage: ..." (tests/stage.sh).
script_stage() {    # script_stage NAME SECONDS COMMAND...
    local name=$1 seconds=$2 log=$out/$1.log status line; shift 2
    STAGE_OUT=$out/$name timeout -k 30 "$seconds" "$@" </dev/null 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # A stage may show only some of its results; its last line counts all of them.
    line=$(grep '^stage: ' "$log" | tail -n 1)
    if [[ $line =~ ^stage:\ ([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        skipped=$((skipped + BASH_REMATCH[3]))
    fi
    mapfile -t -O "${#failures[@]}" failures < <(sed -n "s/^FAIL /$name: /p" "$log")
    grep -q '^stage: ' "$log" || one FAIL "$name: did not come to its end (status $status)"
}
# Bounded: every property for three seconds. Longer by hand: tests/fuzz.sh -t SECONDS.
fuzz_for_a_while() {
    timeout -k 10 600 tests/fuzz.sh -t 3 >"$out/fuzz.log" 2>&1 && return
    tail -n 40 "$out/fuzz.log"
    return 1
}
stage_fuzz() { step "random and mutated input does no harm" fuzz_for_a_while; }
stage_control() { script_stage control 400 tests/Control/run.sh; }
stage_conformance() { script_stage conformance 1200 tests/Conformance/run.sh; }
# Every kill is a start of the daemon: a hundred here, a thousand by DURABILITY_KILLS=1000.
stage_durability() { script_stage durability 900 tests/Durability/run.sh; }
stage_sharing() { script_stage sharing 900 tests/Sharing/run.sh; }
stage_tapes() { script_stage tapes 300 tests/Tapes/run.sh; }
stage_soak() { script_stage soak 400 tests/Soak/run.sh; }
stage_vm() {
    if [ -n "$without_vm" ]; then one SKIP "vm: switched off by --no-vm"; return; fi
    script_stage vm 1800 tests/VirtualMachine/run.sh
}

mkdir -p "$out"
times=()
for stage in "${stages[@]}"; do
    printf '\n=== %s\n' "$stage"
    begin=$SECONDS before=$failed
    "stage_$stage"
    times+=("$(printf '%-12s %5d s   %s' "$stage" $((SECONDS - begin)) \
        "$([ "$failed" = "$before" ] && echo good || echo "$((failed - before)) failed")")")
    # Nothing that follows can be true without a build.
    if [ "$stage" = build ] && [ "$failed" != "$before" ]; then break; fi
done

printf '\n=== times (logs in %s)\n' "${out#"$top"/}"
printf '%s\n' "${times[@]}"
[ ${#failures[@]} = 0 ] || { printf '\n=== failed\n'; printf '%s\n' "${failures[@]}"; }
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
