/* Set-up, the loop, and the order of a run: login, warm-up, measurement, drain, logout. */
#include "load.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { READY_EVENTS = 64, TICK_NS = 1000000, IDLE_WAIT_MS = 10, RETRY_WAIT_MS = 1 };
static const uint64_t DrainNs = 5000000000ull;

struct connection *connections;
struct statistics statistics;
struct verdict verdict;
uint32_t blockLength;
uint64_t blockCount, unitCount, now;
uint8_t *pattern;
int stopping, measuring, needPayload, epollSet;

static void pinTo(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) fail("CPU %d: %s", cpu, strerror(errno));
}

static void allowSockets(void)                  /* a thousand connections are more than the usual limit */
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void divideUnit(void)
{
    uint64_t bytes = blockCount * blockLength;
    uint32_t each = options.blockBytes, blocks = each / blockLength;
    if (!each || each % blockLength || each % 512 || blocks > 65535 * 256u)
        fail("-b must be a multiple of %u", blockLength);
    if (options.span && options.span < bytes) bytes = options.span;
    unitCount = bytes / each;
    if (unitCount < (uint64_t)options.connections * (options.verify ? 2 * options.depth : 1))
        fail("the unit is too small for this load");
}

static void furnish(struct connection *c)
{
    struct timeval wait = { .tv_usec = IDLE_WAIT_MS * 1000 };
    struct epoll_event event = { EPOLLIN, { .ptr = c } };
    c->tasks = allocate(options.depth * sizeof *c->tasks);
    c->idle = allocate(options.depth * sizeof *c->idle);
    for (int i = options.depth; i--; ) {
        c->idle[c->idleCount++] = i;
        if (options.verify) c->tasks[i].data = allocate(options.blockBytes);
    }
    c->out.head = c->retry.head = -1;
    c->low = c->position = unitCount * c->id / options.connections;
    c->high = unitCount * (c->id + 1) / options.connections;
    if (needPayload) c->receive = allocate(RECEIVE_BYTES + 64);
    setsockopt(c->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    epoll_ctl(epollSet, EPOLL_CTL_ADD, c->socket, &event);
}

static void setUp(void)
{
    seedRandom(options.seed);
    crc32cInitialize();
    if (options.cpu >= 0) pinTo(options.cpu);
    allowSockets();
    needPayload = options.verify || options.dataDigest;
    connections = allocate(options.connections * sizeof *connections);
    for (int i = 0; i < options.connections; i++) {
        connections[i].id = i;
        encodeLun(connections[i].lun, options.lun + i % options.luns);
        login(&connections[i]);
        prepareUnit(&connections[i]);
    }
    divideUnit();
    initializeReceive();
    pattern = allocate(options.blockBytes);
    for (uint32_t i = 0; i < options.blockBytes; i++) pattern[i] = randomBits() >> 17;
    if (options.verify) initializeVerify();
    epollSet = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options.connections; i++) furnish(&connections[i]);
}

/* One pass: wait, then serve each connection that has something for us. */
static void pass(int timeoutMs)
{
    struct epoll_event events[READY_EVENTS];
    struct connection *only = &connections[0];
    statistics.wakes++;
    if (options.connections == 1 && !only->dead && !only->waitsForRoom && timeoutMs == IDLE_WAIT_MS) {
        receive(only, 1);                       /* one connection: the recv() itself waits, a system call less */
        now = clockNs();
        if (!only->dead) { fill(only); flush(only); }
        return;
    }
    int n = epoll_wait(epollSet, events, READY_EVENTS, timeoutMs);
    now = clockNs();
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (!c->dead && events[i].events & ~EPOLLOUT) receive(c, 0);
        if (!c->dead && (!c->waitsForRoom || events[i].events & EPOLLOUT)) { fill(c); flush(c); }
    }
}

/* Passes until the deadline, or until nothing is outstanding and there is nothing more to be sent. */
static void serve(uint64_t deadline)
{
    int retrying = 0;
    for (uint64_t tick = 0; now < deadline; pass(retrying ? RETRY_WAIT_MS : IDLE_WAIT_MS)) {
        if (now - tick < TICK_NS) continue;
        int busy = retrying = 0;
        tick = now;
        for (int i = 0; i < options.connections; i++) {
            struct connection *c = &connections[i];
            if (c->dead) continue;
            if (c->retry.head >= 0) {
                retrying = 1;
                if (!c->waitsForRoom) { fill(c); flush(c); }
            }
            busy |= retrying || c->inFlight || !(stopping || c->done);
        }
        if (!busy) break;
    }
}

static int drain(void)                           /* what is outstanding still completes, uncounted; then logout */
{
    int stuck = 0;
    stopping = 1;
    serve(now + DrainNs);
    for (int i = 0; i < options.connections; i++) {
        struct connection *c = &connections[i];
        if (c->dead) continue;
        stuck += c->inFlight;
        if (!c->inFlight && !c->iovTail) logout(c);
    }
    return stuck;
}

int main(int argc, char **argv)
{
    parseOptions(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    setUp();
    now = clockNs();
    for (int i = 0; i < options.connections; i++) { fill(&connections[i]); flush(&connections[i]); }
    if (!options.once) serve(now + (uint64_t)(options.warmUp * 1e9));

    sampleTarget(0);
    memset(&statistics, 0, sizeof statistics);
    measuring = 1;
    markUsage(0);
    uint64_t begun = now = clockNs();
    serve(options.once ? UINT64_MAX : begun + (uint64_t)(options.seconds * 1e9));
    uint64_t ended = options.once && verdict.lastDone > begun ? verdict.lastDone : clockNs();
    markUsage(1);
    measuring = 0;
    sampleTarget(1);
    int stuck = drain();
    report((ended - begun) / 1e9, stuck);
    return verdict.errors || verdict.badSectors || stuck ? 1 : 0;
}
