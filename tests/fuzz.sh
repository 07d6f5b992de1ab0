#!/bin/bash
# fuzz.sh [-t SECONDS] [TARGET]...: throws random and mutated input at what peers and administrators can reach.
#
#   pdu      headers and additional header segments         session  whole streams of PDUs, login included
#   text     text keys and their values, text exchanges     cdb      CDBs and parameter lists, against a unit
#   login    login conversations                            yaml     configuration files
#
# Each property of a target (all targets by default) runs for SECONDS (10), with new random input every time. A failure
# prints a seed; CsCheck_Seed=SEED runs that input again. The same properties run for a fixed number of inputs with the
# unit tests. SCSTD_CONFIGURATION: Release by default; built already unless there is no build.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=10
if [ "${1:-}" = -t ]; then
    seconds=${2:?-t SECONDS}
    shift 2
fi
[ $# -gt 0 ] || set -- pdu session text login cdb yaml
configuration=${SCSTD_CONFIGURATION:-Release}
export CsCheck_Time=$seconds DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# fuzz PROJECT CLASS...: the properties in these test classes
fuzz() {
    local project=tests/$1 filter='' class
    shift
    for class; do filter+="${filter:+|}FullyQualifiedName~.$class."; done
    local build=()
    [ ! -d "$project/bin/$configuration" ] || build=(--no-build)
    dotnet test -c "$configuration" "${build[@]}" --filter "$filter" "$project" </dev/null
}

failed=0
for target; do
    echo "fuzz: $target, $seconds s a property"
    case $target in
    pdu) fuzz Scstd.Frontends.Iscsi.Tests PduRulesTests AdditionalHeaderSegmentTests ;;
    session) fuzz Scstd.Frontends.Iscsi.Tests HostilePeerTests ;;
    text) fuzz Scstd.Frontends.Iscsi.Tests TextAssemblyTests TextValueTests TextExchangeTests NegotiatorTests ;;
    login) fuzz Scstd.Frontends.Iscsi.Tests LoginExchangeTests IscsiNameTests ;;
    cdb) fuzz Scstd.Core.Tests CdbJudgementTests ;;
    yaml) fuzz Scstd.Tests YamlTests ;;
    *)
        echo "fuzz.sh: no target $target" >&2
        exit 2
        ;;
    esac || failed=1
done
exit $failed
