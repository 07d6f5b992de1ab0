/* What was measured: latencies, our own CPU time, the target's resources from /proc; and how it is printed. */
#include "load.h"
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SUB_BITS = 6, SUB_BUCKETS = 1 << SUB_BITS, BUCKETS = 60 * SUB_BUCKETS };  /* per power of two: within 1.6 % */
static uint64_t histogram[BUCKETS];
static struct rusage usage[2];

static int bucketOf(uint64_t ns)
{
    if (ns < SUB_BUCKETS) return ns;
    int shift = 63 - __builtin_clzll(ns) - SUB_BITS;
    return (shift + 1) * SUB_BUCKETS + (int)(ns >> shift) - SUB_BUCKETS;
}

static double bucketUs(int i)
{
    if (i < SUB_BUCKETS) return i / 1e3;
    int shift = i / SUB_BUCKETS - 1;
    return (((uint64_t)(SUB_BUCKETS + i % SUB_BUCKETS) << shift) + (1ull << shift) / 2) / 1e3;
}

void recordLatency(uint64_t ns, int write)
{
    if (write) statistics.writes++;
    else statistics.reads++;
    statistics.sumNs += ns;
    if (ns > statistics.maxNs) statistics.maxNs = ns;
    histogram[bucketOf(ns)]++;
}

static double percentileUs(double share, uint64_t total)
{
    uint64_t wanted = total * share, seen = 0;
    double max = statistics.maxNs / 1e3;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += histogram[i]) > wanted) return bucketUs(i) < max ? bucketUs(i) : max;
    return max;
}

void markUsage(int end) { getrusage(RUSAGE_SELF, &usage[end]); }

/* ---- the target, from /proc ---- */
static struct targetSample samples[2];

/* The number behind a key of a status file. */
static uint64_t statusValue(const char *path, const char *key)
{
    char line[256];
    uint64_t value = 0;
    size_t length = strlen(key);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, length) && line[length] == ':') value = strtoull(line + length + 1, NULL, 10);
    fclose(f);
    return value;
}

static void sampleTimes(int pid, struct targetSample *s)
{
    char path[64], line[1024], *end;
    unsigned long long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) { complain("no process %d", pid); return; }
    if (fgets(line, sizeof line, f) && (end = strrchr(line, ')')) &&
        sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) == 2) {
        s->userS += (double)user / sysconf(_SC_CLK_TCK);
        s->systemS += (double)system / sysconf(_SC_CLK_TCK);
    }
    fclose(f);
}

static void sampleThread(const char *task, int id, struct targetSample *s)
{
    char path[600];
    unsigned long long ns = 0;
    if (s->threads == MAX_THREADS) return;
    struct threadSample *t = &s->thread[s->threads++];
    snprintf(path, sizeof path, "%s/status", task);
    *t = (struct threadSample){ id, 0, statusValue(path, "voluntary_ctxt_switches"),
                                statusValue(path, "nonvoluntary_ctxt_switches") };
    snprintf(path, sizeof path, "%s/schedstat", task);
    FILE *f = fopen(path, "r");
    if (!f) return;
    if (fscanf(f, "%llu", &ns) == 1) t->scheduledNs = ns;
    fclose(f);
}

void sampleTarget(int end)
{
    struct targetSample *s = &samples[end];
    for (int k = 0; k < options.pidCount; k++) {
        char path[300], task[560];
        sampleTimes(options.pids[k], s);
        snprintf(path, sizeof path, "/proc/%d/status", options.pids[k]);
        s->residentKb += statusValue(path, "VmRSS");
        snprintf(path, sizeof path, "/proc/%d/task", options.pids[k]);
        DIR *d = opendir(path);
        for (struct dirent *e; d && (e = readdir(d)); ) {
            if (!isdigit((unsigned char)e->d_name[0])) continue;
            snprintf(task, sizeof task, "%s/%s", path, e->d_name);
            sampleThread(task, atoi(e->d_name), s);
        }
        if (d) closedir(d);
    }
}

struct difference { double cpuS, userS, systemS; uint64_t voluntary, involuntary; };

/*
 * Thread by thread, since a thread that ended takes its counts along. CPU time is utime + stime, refined by the
 * scheduler's nanoseconds where the two agree but for the clock tick.
 */
static struct difference differenceOfSamples(void)
{
    const struct targetSample *before = &samples[0], *after = &samples[1];
    struct difference d = { .userS = after->userS - before->userS, .systemS = after->systemS - before->systemS };
    double fine = 0, tick = 1.0 / sysconf(_SC_CLK_TCK);
    for (int i = 0; i < after->threads; i++) {
        const struct threadSample *current = &after->thread[i], none = { 0 }, *then = &none;
        for (int k = 0; k < before->threads; k++)
            if (before->thread[k].id == current->id) then = &before->thread[k];
        fine += (current->scheduledNs - then->scheduledNs) / 1e9;
        d.voluntary += current->voluntary - then->voluntary;
        d.involuntary += current->involuntary - then->involuntary;
    }
    d.cpuS = d.userS + d.systemS;
    if (fine > d.cpuS - 2.5 * tick && fine < d.cpuS + 2.5 * tick) d.cpuS = fine;
    return d;
}

/* ---- printing ---- */
struct summary {
    double seconds, iops, megabytes, meanUs, p50, p90, p99, p999, maxUs, ownUser, ownSystem, ownUs, perWake;
    double targetUser, targetSystem, targetCpu, targetUs, switches;
    uint64_t commands, voluntary, involuntary;
    long preempted;
};

static double timevalS(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static struct summary summarize(double seconds)
{
    uint64_t n = statistics.reads + statistics.writes;
    struct difference target = differenceOfSamples();
    double each = n ? 1.0 / n : 0;
    struct summary s = {
        .seconds = seconds, .commands = n, .iops = n / seconds, .megabytes = n / seconds * options.blockBytes / 1e6,
        .meanUs = statistics.sumNs * each / 1e3, .p50 = percentileUs(.5, n), .p90 = percentileUs(.9, n),
        .p99 = percentileUs(.99, n), .p999 = percentileUs(.999, n), .maxUs = statistics.maxNs / 1e3,
        .ownUser = timevalS(usage[1].ru_utime) - timevalS(usage[0].ru_utime),
        .ownSystem = timevalS(usage[1].ru_stime) - timevalS(usage[0].ru_stime),
        .perWake = statistics.wakes ? (double)n / statistics.wakes : 0,
        .targetUser = target.userS, .targetSystem = target.systemS, .targetCpu = target.cpuS,
        .voluntary = target.voluntary, .involuntary = target.involuntary,
        .preempted = usage[1].ru_nivcsw - usage[0].ru_nivcsw
    };
    s.ownUs = (s.ownUser + s.ownSystem) * 1e6 * each;
    s.targetUs = s.targetCpu * 1e6 * each;
    s.switches = (s.voluntary + s.involuntary) * each;
    return s;
}

typedef unsigned long long ull;

static void printJson(const struct summary *s, int stuck)
{
    printf("{\"mode\":\"%s\",\"blockBytes\":%u,\"depth\":%d,\"connections\":%d,\"digest\":\"%s\",\"seconds\":%.3f,"
           "\"commands\":%llu,\"iops\":%.1f,\"megabytesPerSecond\":%.2f,\"reads\":%llu,\"writes\":%llu",
           options.mode, options.blockBytes, options.depth, options.connections, options.digest, s->seconds,
           (ull)s->commands, s->iops, s->megabytes, (ull)statistics.reads, (ull)statistics.writes);
    printf(",\"meanUs\":%.2f,\"p50Us\":%.2f,\"p90Us\":%.2f,\"p99Us\":%.2f,\"p999Us\":%.2f,\"maxUs\":%.2f",
           s->meanUs, s->p50, s->p90, s->p99, s->p999, s->maxUs);
    printf(",\"generatorCpuShare\":%.4f,\"generatorCpuUs\":%.3f,\"generatorPreempted\":%ld,\"commandsPerWake\":%.2f",
           (s->ownUser + s->ownSystem) / s->seconds, s->ownUs, s->preempted, s->perWake);
    printf(",\"errors\":%llu,\"fullRetries\":%llu,\"attentionRetries\":%llu,\"windowStalls\":%llu,\"stuck\":%d",
           (ull)verdict.errors, (ull)statistics.fullRetries, (ull)statistics.attentionRetries,
           (ull)statistics.windowStalls, stuck);
    if (options.verify)
        printf(",\"checkedSectors\":%llu,\"blankSectors\":%llu,\"badSectors\":%llu", (ull)verdict.checkedSectors,
               (ull)verdict.blankSectors, (ull)verdict.badSectors);
    if (options.pidCount)
        printf(",\"targetCpuShare\":%.4f,\"targetUserS\":%.2f,\"targetSystemS\":%.2f,\"targetCpuUs\":%.3f,"
               "\"voluntarySwitches\":%llu,\"involuntarySwitches\":%llu,\"switchesPerCommand\":%.4f,"
               "\"residentKb\":%llu,\"targetThreads\":%d",
               s->targetCpu / s->seconds, s->targetUser, s->targetSystem, s->targetUs, (ull)s->voluntary,
               (ull)s->involuntary, s->switches, (ull)samples[1].residentKb, samples[1].threads);
    printf("}\n");
}

static void printText(const struct summary *s, int stuck)
{
    const struct connection *c = &connections[0];
    printf("%s %u bytes, depth %d x %d connections, %.2f s; digests %s, InitialR2T=%s ImmediateData=%s "
           "FirstBurstLength=%u MaxBurstLength=%u, the target's MaxRecvDataSegmentLength=%u\n",
           options.mode, options.blockBytes, options.depth, options.connections, s->seconds, options.digest,
           c->initialR2t ? "Yes" : "No", c->immediateData ? "Yes" : "No", c->firstBurst, c->maxBurst, c->sendSegment);
    printf("  %.0f IOPS  %.1f MB/s", s->iops, s->megabytes);
    if (options.reads && options.writes)
        printf("  (%.0f reads, %.0f writes)", statistics.reads / s->seconds, statistics.writes / s->seconds);
    printf("\n  latency us: mean %.1f  p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n", s->meanUs, s->p50, s->p90,
           s->p99, s->p999, s->maxUs);
    printf("  generator: CPU %.1f %% (user %.1f system %.1f), %.2f us/command, %.1f commands a wake-up, "
           "preempted %ld times\n",
           (s->ownUser + s->ownSystem) / s->seconds * 100, s->ownUser / s->seconds * 100,
           s->ownSystem / s->seconds * 100, s->ownUs, s->perWake, s->preempted);
    if (options.pidCount)
        printf("  target: CPU %.1f %%, %.2f us/command; context switches %llu voluntary + %llu involuntary, "
               "%.3f/command; resident %.1f MB, %d threads\n",
               s->targetCpu / s->seconds * 100, s->targetUs, (ull)s->voluntary, (ull)s->involuntary, s->switches,
               samples[1].residentKb / 1024.0, samples[1].threads);
    printf("  errors %llu; retries: full or busy %llu, unit attention %llu; pings answered %llu; passes that met a "
           "closed window %llu\n", (ull)verdict.errors, (ull)statistics.fullRetries, (ull)statistics.attentionRetries,
           (ull)statistics.nops, (ull)statistics.windowStalls);
    if (options.verify)
        printf("  verify: %llu sectors checked, %llu blank, %llu BAD\n", (ull)verdict.checkedSectors,
               (ull)verdict.blankSectors, (ull)verdict.badSectors);
    if (stuck) printf("  %d commands never completed\n", stuck);
}

void report(double seconds, int stuck)
{
    struct summary s = summarize(seconds);
    if (options.json) printJson(&s, stuck);
    else printText(&s, stuck);
}
