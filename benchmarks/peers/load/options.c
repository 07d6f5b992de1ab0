/* The command line. */
#include "load.h"
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options options = {
    .blockBytes = 4096, .receiveSegment = 262144, .firstBurst = 262144, .maxBurst = 1 << 20, .depth = 32,
    .connections = 1, .luns = 1, .cpu = -1, .seconds = 10, .warmUp = 1, .seed = 1, .mode = "randread", .digest = "none",
    .initiator = "iqn.2026-11.io.scstd:load"
};

static void usage(void)
{
    fputs("iscsi-load [options] iscsi://host[:port]/target-name/lun\n"
          "  -m MODE        randread randwrite randrw(70/30) seqread seqwrite   (randread)\n"
          "                 idle: log in, answer pings, and send no command\n"
          "  -b BYTES       bytes per command, suffix k or m        (4096)\n"
          "  -q N           commands outstanding per connection     (32)\n"
          "  -c N           connections, each a session             (1)\n"
          "  --luns N       spread over so many LUNs from the URL's on, all of one size   (1)\n"
          "  --each         each command to any of these LUNs; without it each connection has one\n"
          "  -t SECS        measured time    -W SECS  warm-up       (10, 1)\n"
          "  -d DIGESTS     none header data both: CRC32C           (none)\n"
          "  --verify       writes carry stamps, reads check them (fill first: -m seqwrite --verify --once);\n"
          "                 all-zero sectors never written in this run count as blank; with --strict as bad\n"
          "  --once         sequential modes: one pass over the unit, then stop\n"
          "  --tape         a tape drive: records of -b bytes, from the beginning to --span or the end, once\n"
          "  --span BYTES   use only this much of the unit (suffix k, m, g)\n"
          "  --pid P[,P]    sample CPU time, context switches and memory of the target's processes\n"
          "  --cpu N        run on CPU N     --seed N  of the random numbers    --json  one line of JSON\n"
          "  --r2t          ask InitialR2T=Yes    --no-immediate  ask ImmediateData=No\n"
          "  --security     start the login in the security negotiation stage\n"
          "  --first-burst N --max-burst N --receive-segment N   the text keys of these names\n"
          "  --initiator NAME   InitiatorName\n"
          "exit status: 0 good, 1 errors or bad data, 2 could not run\n", stderr);
    exit(2);
}

static uint64_t sizeOf(const char *text)
{
    char *suffix;
    double value = strtod(text, &suffix);
    switch (tolower((unsigned char)*suffix)) {
    case 'k': return value * 1024;
    case 'm': return value * (1 << 20);
    case 'g': return value * (1 << 30);
    default: return value;
    }
}

static void parsePids(char *list)
{
    for (char *p = strtok(list, ","); p && options.pidCount < MAX_PIDS; p = strtok(NULL, ","))
        options.pids[options.pidCount++] = atoi(p);
}

static void parseUrl(const char *url)
{
    const char *slash, *lun;
    char *colon, *bracket;
    if (strncmp(url, "iscsi://", 8) || !(slash = strchr(url + 8, '/')) || !(lun = strrchr(slash + 1, '/'))) usage();
    snprintf(options.host, sizeof options.host, "%.*s", (int)(slash - url - 8), url + 8);
    snprintf(options.target, sizeof options.target, "%.*s", (int)(lun - slash - 1), slash + 1);
    options.lun = atoi(lun + 1);
    strcpy(options.port, "3260");
    colon = strrchr(options.host, ':');
    if (colon && colon != options.host && (colon[-1] == ']' || !strchr(options.host, ']'))) {
        *colon = 0;
        snprintf(options.port, sizeof options.port, "%s", colon + 1);
    }
    if (options.host[0] == '[' && (bracket = strchr(options.host, ']'))) {
        *bracket = 0;
        memmove(options.host, options.host + 1, strlen(options.host));
    }
}

static void judge(int left)
{
    const char *mode = options.mode;
    options.random = !strncmp(mode, "rand", 4);
    options.idle = !strcmp(mode, "idle");
    if (options.idle) mode = "seq";
    if (!options.random && strncmp(mode, "seq", 3)) usage();
    mode += options.random ? 4 : 3;
    options.reads = !strcmp(mode, "read") || (options.random && !strcmp(mode, "rw"));
    options.writes = !strcmp(mode, "write") || (options.random && !strcmp(mode, "rw"));
    options.headerDigest = !strcmp(options.digest, "header") || !strcmp(options.digest, "both");
    options.dataDigest = !strcmp(options.digest, "data") || !strcmp(options.digest, "both");
    if (!options.headerDigest && !options.dataDigest && strcmp(options.digest, "none")) usage();
    if (!(options.reads || options.writes || options.idle) || (options.random && options.once) || left != 1) usage();
    if (options.depth < 1 || options.depth > MAX_DEPTH || options.connections < 1) usage();
    if (options.luns < 1 || (options.luns > 1 && options.verify)) usage();     /* stamps know one unit */
    if (options.receiveSegment < 512 || options.receiveSegment > 262144) usage();
    if (options.tape && (options.verify || options.connections > 1 || !options.span)) usage();
    if (options.once) options.warmUp = 0;
}

void parseOptions(int argc, char **argv)
{
    enum { VERIFY = 256, STRICT, ONCE, SPAN, PID, CPU, SEED, JSON, INITIAL_R2T, NO_IMMEDIATE, SECURITY, FIRST, BURST,
           SEGMENT, INITIATOR, LUNS, EACH, TAPE };
    static const struct option known[] = {
        { "verify", 0, 0, VERIFY }, { "strict", 0, 0, STRICT }, { "once", 0, 0, ONCE }, { "span", 1, 0, SPAN },
        { "pid", 1, 0, PID }, { "cpu", 1, 0, CPU }, { "seed", 1, 0, SEED }, { "json", 0, 0, JSON },
        { "r2t", 0, 0, INITIAL_R2T }, { "no-immediate", 0, 0, NO_IMMEDIATE }, { "security", 0, 0, SECURITY },
        { "first-burst", 1, 0, FIRST }, { "max-burst", 1, 0, BURST }, { "receive-segment", 1, 0, SEGMENT },
        { "initiator", 1, 0, INITIATOR }, { "luns", 1, 0, LUNS }, { "each", 0, 0, EACH }, { "tape", 0, 0, TAPE }, { 0 }
    };
    for (int k; (k = getopt_long(argc, argv, "m:b:q:c:t:W:d:", known, NULL)) != -1; )
        switch (k) {
        case 'm': options.mode = optarg; break;
        case 'b': options.blockBytes = sizeOf(optarg); break;
        case 'q': options.depth = atoi(optarg); break;
        case 'c': options.connections = atoi(optarg); break;
        case 't': options.seconds = atof(optarg); break;
        case 'W': options.warmUp = atof(optarg); break;
        case 'd': options.digest = optarg; break;
        case VERIFY: options.verify = 1; break;
        case STRICT: options.strict = 1; break;
        case ONCE: options.once = 1; break;
        case SPAN: options.span = sizeOf(optarg); break;
        case PID: parsePids(optarg); break;
        case CPU: options.cpu = atoi(optarg); break;
        case SEED: options.seed = strtoull(optarg, NULL, 0); break;
        case JSON: options.json = 1; break;
        case INITIAL_R2T: options.initialR2t = 1; break;
        case NO_IMMEDIATE: options.noImmediate = 1; break;
        case SECURITY: options.security = 1; break;
        case FIRST: options.firstBurst = sizeOf(optarg); break;
        case BURST: options.maxBurst = sizeOf(optarg); break;
        case SEGMENT: options.receiveSegment = sizeOf(optarg); break;
        case INITIATOR: options.initiator = optarg; break;
        case LUNS: options.luns = atoi(optarg); break;
        case EACH: options.each = 1; break;
        case TAPE: options.tape = options.once = 1; break;
        default: usage();
        }
    judge(argc - optind);
    parseUrl(argv[optind]);
}
